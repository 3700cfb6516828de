# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service control manager of a node: what is installed, what runs, and the processes behind it."""
