# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node remembers over restarts, crashes and power cuts: registers, configuration, history."""

from __future__ import annotations
