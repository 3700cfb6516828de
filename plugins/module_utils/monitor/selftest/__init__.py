# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""``holdfast selftest``: every primitive proved on this very machine, with scratch objects that go again."""

from __future__ import annotations

from .command import add_arguments, main

__all__ = ["add_arguments", "main"]
