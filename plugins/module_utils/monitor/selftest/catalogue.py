# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""All checks, in the order in which they are run: what only looks first."""

from __future__ import annotations

from . import iis, machine, network, storage

CHECKS = (*machine.CHECKS, *network.CHECKS, *storage.CHECKS, *iis.CHECKS)

ELSEWHERE = {
    "run_service": "the monitor itself, running as a service, is the proof",
    "reset_machine": "it ends this machine; try it by hand, on a node that serves nothing",
}
"""Primitives that no check here can try, and what proves them instead."""
