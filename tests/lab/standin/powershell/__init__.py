# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""PowerShell without PowerShell: the few scripts that ansible-core and we send are recognised and acted upon."""
