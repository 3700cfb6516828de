# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows Remote Management over HTTPS: command shells (WinRS) and PowerShell runspaces (PSRP)."""
