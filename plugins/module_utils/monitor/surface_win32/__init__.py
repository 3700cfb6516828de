# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The surface on Windows: ctypes and pywin32, as thin as can be. The only code that never runs elsewhere.

One file per family; ``layout_*``, ``der`` and ``iis_codes`` hold what is pure and is tested on every system.
Every primitive names its source; what no source says is marked "unconfirmed", and ``holdfast selftest`` proves
it on the machine it runs on.
"""

from __future__ import annotations

from .certificates import Certificates
from .files import Files
from .icmp import Icmp
from .iis import Iis
from .machine import Machine
from .network import Network
from .notices import Notices
from .power import Power
from .services import Services
from .storage import Storage


class Win32Surface(Machine, Files, Power, Network, Icmp, Storage, Services, Iis, Certificates, Notices):
    """Every primitive of ``surface.Surface`` on this Windows machine. It holds no state."""
