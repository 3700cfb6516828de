# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trials: one fault or several on a running cluster, and what clients and oracles saw of it."""
