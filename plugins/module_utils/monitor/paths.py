# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Where Holdfast lives on a node: Windows paths only, opened through ``Surface.local_path``."""

from __future__ import annotations

PROGRAM = r"C:\Program Files\Holdfast"
DATA = r"C:\ProgramData\Holdfast"
POINTER = PROGRAM + r"\holdfast.cmd"
STATE = DATA + r"\state"
PKI = DATA + r"\pki"
CA_CERTIFICATE = PKI + r"\ca.crt"
NODE_CERTIFICATE = PKI + r"\node.crt"
NODE_KEY = PKI + r"\node.key"
ENDPOINT = DATA + r"\run\endpoint.json"
LOG = DATA + r"\logs\monitor.log"
ETCD = DATA + r"\etcd"
ETCD_AUTHORITY = ETCD + r"\ca.crt"
ETCD_CERTIFICATE = ETCD + r"\client.crt"
ETCD_KEY = ETCD + r"\client.key"
ETCD_PASSWORD = ETCD + r"\password"
SERVICE = "Holdfast"
GUARD_SERVICE = "HoldfastGuard"
RUN = DATA + r"\run"
PERMIT = RUN + r"\permit"
PERMIT_PLAN = RUN + r"\permit-plan.json"
GUARD_RECORDS = RUN + r"\guard"
