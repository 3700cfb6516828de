# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The guard: a second service that takes off what is served without a permit, when the monitor cannot.

The monitor tells how long each group may be served (``permits``) through a file that both have mapped (``page``); what
belongs to a group stands in a second one (``plan``). The guard looks at both many times a second (``watch``), decides
by a pure rule (``decision``), acts in threads that may hang (``hands``), and writes down what it did (``mailbox``).

Rule: the guard trusts nothing but the clock. It starts nothing, gives no permit, talks to nobody.
"""

from __future__ import annotations

from .mailbox import collect
from .permits import PermitFile

__all__ = ["PermitFile", "collect"]
