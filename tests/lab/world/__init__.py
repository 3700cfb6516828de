# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's world: networks, nodes and faults, built in namespaces that end with their supervisor."""
