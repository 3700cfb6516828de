# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The monitor as a running program: the shell around the core.

Nothing is imported here: a command that only asks the monitor something must start quickly.
"""

from __future__ import annotations
