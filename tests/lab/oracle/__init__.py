# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Witnesses that watch the lab from outside its nodes and never ask the monitor."""
