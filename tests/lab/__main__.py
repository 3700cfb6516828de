# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m holdfast_lab`: the lab's commands."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
