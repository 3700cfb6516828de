# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Comm paths: authenticated connections between the nodes, one per pair of nodes and network."""

from __future__ import annotations
