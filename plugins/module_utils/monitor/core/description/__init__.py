# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From what people write to valid values, and the rules that say what is wrong with it."""
