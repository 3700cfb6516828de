# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The core of one node, put together: events in, actions out; commands and their answers; what people are shown."""
