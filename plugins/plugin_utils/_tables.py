# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a node answered, as lines that a person reads in the output of a playbook: the same as on the node itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..module_utils.monitor.cli import explain_text, move_text, status_text
from ..module_utils.monitor.cli.table import Paint

_PLAIN = Paint(on=False)


def status_table(status: Mapping[str, Any]) -> list[str]:
    """The cluster: what is wrong, its groups, its nodes."""
    if not status:
        return ["Holdfast does not run on this node yet."]
    return status_text.status_lines(status, _PLAIN)


def move_table(moves: Sequence[Mapping[str, Any]], *, check: bool) -> list[str]:
    """What each group did, with its phases and how long clients waited; in check mode what it would do."""
    if not check:
        return move_text.move_lines(moves, _PLAIN)
    due = [move for move in moves if move.get("outcome") != "unchanged"]
    return [_foretold(move) for move in due] or ["nothing would be done"]


def stop_table(stops: Sequence[Mapping[str, Any]], *, check: bool) -> list[str]:
    """What was taken out of service; in check mode what would be."""
    if not check:
        return move_text.stop_lines(stops, _PLAIN)
    due = [stop for stop in stops if stop.get("outcome") != "unchanged"]
    return [f"{', '.join(stop['tags'])} would be taken out of service" for stop in due] or ["nothing would be done"]


def plan_table(plan: Mapping[str, Any]) -> list[str]:
    """What a move would do, or what stands against it."""
    return move_text.plan_lines(plan, _PLAIN) if plan else ["Holdfast does not run on this node yet."]


def explain_table(explanation: Mapping[str, Any]) -> list[str]:
    """Why a group is where it is, and what would happen if a node died."""
    if not explanation:
        return ["Holdfast does not run on this node yet."]
    return explain_text.explain_lines(explanation, _PLAIN)


def _foretold(move: Mapping[str, Any]) -> str:
    origin = f", from {move['from']}" if move.get("from") and move["from"] != move.get("to") else ""
    return f"{move['group']} would be brought in service on {move.get('to') or 'its preferred node'}{origin}"
