# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Adapters over the surface: IIS, network, storage. Windows knowledge without a Windows call."""
