# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""``holdfast forget-state``: the way out when a state file is refused."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from .. import PROTOCOL
from ..errors import RequestError
from ..service.client import ask
from ..store.state import set_aside
from ..surface import Surface

DONE, REFUSED = 0, 1
_WHAT = [
    "The state files of this node would be set aside. It would then know neither its cluster nor which epochs were",
    "promised, and would learn them from the other nodes: do this only while those run.",
    "To do it: holdfast forget-state --yes",
]


def forget(surface: Surface, *, sure: bool) -> tuple[list[str], int]:
    """What to tell, and the exit code. Nothing is touched while a monitor runs, nor unless it is ``sure``."""
    if _monitor_runs(surface):
        return ["The monitor runs. Stop it first: Stop-Service Holdfast"], REFUSED
    if not sure:
        return _WHAT, REFUSED
    aside = set_aside(surface, datetime.datetime.now(datetime.UTC))
    if aside is None:
        return ["There are no state files; nothing was done."], DONE
    return [f"The state files are in {aside} now. Start the service, and run the set-up playbook site.yml."], DONE


def _monitor_runs(surface: Surface) -> bool:
    request = {"protocol": PROTOCOL, "verb": "cluster_info", "args": {}, "check": False, "diff": False}
    try:
        ask(surface, request, _ignore)
    except RequestError as error:
        if error.kind == "unreachable":
            return False
        raise
    return True


def _ignore(news: Mapping[str, Any]) -> None:
    del news
