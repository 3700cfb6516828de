# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What is done with a group on one node: stories of starting, stopping, moving, and the rules before them."""
