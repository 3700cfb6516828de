# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The pure part: values, rules and decisions. No clock, socket, file, log, randomness or global state."""

from __future__ import annotations
