# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What everything is made of: configuration, facts, events, actions, messages, groups. Values and nothing else."""
