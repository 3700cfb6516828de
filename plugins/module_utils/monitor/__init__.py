# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The Holdfast monitor: one package, installed on every node as ``holdfast.pyz``, and its pure part
imported by the action plugins on the control host.

Rooms, lowest first; an import may only point down (tests/unit/test_tidy.py):
errors, paths -> core -> surface -> windows -> kits -> transport, store -> service -> cli.
"""

from __future__ import annotations

__version__ = "0.1.0"
PROTOCOL = 1
PROTOCOL_LOWEST = 1
"""What nodes speak to each other, and the oldest that this monitor still speaks: that of the release before."""
