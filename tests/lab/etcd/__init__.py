# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real etcd of three members, from the distribution: on this machine's loopback, or wherever a caller starts it.

``running`` starts one for a test. Who starts the processes elsewhere takes their command lines from ``command``.
"""

from __future__ import annotations

from holdfast_lab.etcd.accounts import Account, set_up_accounts
from holdfast_lab.etcd.certificates import Certificates, make_certificates
from holdfast_lab.etcd.cluster import EtcdCluster, running
from holdfast_lab.etcd.command import Member, command

__all__ = [
    "Account",
    "Certificates",
    "EtcdCluster",
    "Member",
    "command",
    "make_certificates",
    "running",
    "set_up_accounts",
]
