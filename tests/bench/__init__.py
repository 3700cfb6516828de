# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Benchmarks, run by hand or by `make bench-...`: they print numbers and judge nothing but their goals."""
