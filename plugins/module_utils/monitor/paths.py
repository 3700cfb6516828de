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
SERVICE = "Holdfast"
