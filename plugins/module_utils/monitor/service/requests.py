# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node can be asked: from a request to its answer, whatever happens.

Describing verbs are carried out by the shell (``describing``), acting and looking ones by the core.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..core.description.describe import RuleError
from ..core.values.graph import groups_of
from ..core.values.problems import problem_row
from ..errors import HoldfastError, RequestError
from .answers import Answer, Request, failure, request_of, success
from .commands import Commands, Progress
from .describing import VERBS as DESCRIBING
from .describing import Configurable, Describing

log = logging.getLogger(__name__)
ACTING = ("in_service", "out_of_service")
LOOKING = ("cluster_info", "plan", "explain", "history")
VERBS = (*DESCRIBING, *ACTING, *LOOKING, "accept_witness")
TIMEOUT_S = 60.0
TIMEOUT_S_MAX = 3600.0
HISTORY_MAX = 10_000
HISTORY_LOOKED_AT, HISTORY_SHOWN = 2_000, 6
"""Records that are read for the explanation of a group, and those of the group that are shown."""
AGREE_LOOK_S = 0.05
"""How often it is looked whether the nodes agree, before a first placement only."""


class Answering(Configurable, Protocol):
    """What requests need of the running monitor."""

    @property
    def commands(self) -> Commands | None:
        """The way to the core; None until a cluster was described."""

    def condition(self) -> Mapping[str, Any]:
        """What the shell adds to the status: its own figures and warnings."""

    async def history(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """The latest ledger records."""

    async def accept_witness(self) -> Mapping[str, Any]:
        """The instance that the witness has now is the one this node knows: ``instance`` and ``changed``."""


class Requests:
    """All verbs of a node. ``obstacle``, when it is not empty, is why the monitor can answer nothing."""

    def __init__(self, *, monitor: Answering, describing: Describing, obstacle: str = "") -> None:
        self._monitor = monitor
        self._describing = describing
        self._obstacle = obstacle

    async def answer(self, data: Any, progress: Progress) -> Answer:
        """The answer to the request in the data. Never raises."""
        try:
            return await self._answer(request_of(data), progress)
        except RuleError as error:
            return failure(error.kind, error.message, [problem_row(problem) for problem in error.problems])
        except RequestError as error:
            return failure(error.kind, error.message)
        except (HoldfastError, OSError) as error:
            log.error("a request failed: %s", error)
            return failure("internal", str(error) or type(error).__name__)
        except Exception as error:
            log.exception("a request failed unexpectedly")
            return failure("internal", f"{type(error).__name__}: {error}")

    async def _answer(self, request: Request, progress: Progress) -> Answer:
        if self._obstacle:
            raise RequestError("refused", self._obstacle)
        if request.verb in DESCRIBING:
            return await self._describing.answer(request)
        if request.verb == "history":
            return success({"records": await self._monitor.history(_limit(request.args))})
        if request.verb == "cluster_info":
            return success(self._status())
        if request.verb == "accept_witness":
            accepted = await self._monitor.accept_witness()
            return success(accepted, changed=accepted["changed"])
        if request.verb == "explain":
            return await self._explain(request, progress)
        if request.verb in (*ACTING, "plan"):
            return await self._command(request, progress)
        raise RequestError("rule", f"{request.verb!r} is no verb of Holdfast; there are {', '.join(VERBS)}")

    def _status(self) -> Mapping[str, Any]:
        view = self._monitor.view() or _NOTHING
        condition = self._monitor.condition()
        return {**view, **condition, "warnings": [*condition["warnings"], *view["warnings"]]}

    async def _explain(self, request: Request, progress: Progress) -> Answer:
        """The core's explanation, with what happened to the group last on this node."""
        answer = await self._ask("explain", {**request.args, "timeout_s": TIMEOUT_S}, progress)
        if answer.get("ok"):
            data = answer["data"]
            records = [r for r in await self._monitor.history(HISTORY_LOOKED_AT) if r.get("group") == data["group"]]
            answer["data"] = {**data, "records": records[-HISTORY_SHOWN:]}
        return answer

    async def _command(self, request: Request, progress: Progress) -> Answer:
        args = {**request.args, "timeout_s": _timeout_s(request.args)}
        foretold: list[dict[str, Any]] = []
        if request.verb in ACTING and request.check:
            args["check"] = True
        if request.verb == "in_service" and args.get("initial"):
            foretold = self._foretold(args) if request.check else []
            args["tags"] = [tag for tag in _tags(args) if tag not in {move["group"] for move in foretold}]
            await self._until_nodes_agree(args)
        if foretold and not args["tags"]:
            told: Answer = {"ok": True, "changed": False, "data": {"moves": []}}
        else:
            told = await self._ask(request.verb, args, progress)
        if told.get("ok") and request.verb in ACTING:
            told["data"]["moves" if request.verb == "in_service" else "stops"] += foretold
            told["changed"] = bool(told["changed"] or foretold)
            told["diff"] = _moves_diff(told["data"]) if request.diff else None
        return told

    async def _ask(self, verb: str, args: Mapping[str, Any], progress: Progress) -> Answer:
        commands = self._monitor.commands
        if commands is None:
            text = "this node belongs to no cluster yet; run the set-up playbook site.yml for it"
            raise RequestError("refused", text)
        return await commands.ask(verb, args, timeout_s=args["timeout_s"], progress=progress)

    def _foretold(self, args: Mapping[str, Any]) -> list[dict[str, Any]]:
        """In check mode a first placement may be asked for that an earlier task would only have described."""
        config = self._monitor.config
        known = {tag for group in groups_of(config).values() for tag in group.tags} if config else set()
        return [
            {"group": tag, "tags": [tag], "from": None, "to": args.get("node"), "outcome": "predicted"}
            for tag in _tags(args)
            if tag not in known
        ]

    async def _until_nodes_agree(self, args: Mapping[str, Any]) -> None:
        """Every other node is alive with the same configuration, or half of the time is over.

        A first placement follows the description of the nodes within milliseconds; the core then says what is
        still amiss.
        """
        off = set(args.get("peers_off") or ())
        for _unused in range(int(args["timeout_s"] / 2 / AGREE_LOOK_S)):
            if _agree(self._monitor.view(), off):
                return
            await asyncio.sleep(AGREE_LOOK_S)


_NOTHING: Mapping[str, Any] = {
    "cluster": None,
    "node": None,
    "config_hash": None,
    "arbiter": None,
    "voting": None,
    "profile": None,
    "nodes": [],
    "groups": [],
    "warnings": ["this node belongs to no cluster yet: run the set-up playbook site.yml for it"],
}


def _agree(view: Mapping[str, Any] | None, off: set[str]) -> bool:
    if view is None:
        return True
    others = [node for node in view["nodes"] if not node["self"] and node["name"] not in off]
    return all(node["state"] == "alive" and node["config_hash"] == view["config_hash"] for node in others)


def _moves_diff(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where each group was and is, for ``--diff``."""
    moves = [move for move in data.get("moves", ()) if move["outcome"] != "unchanged"]
    stops = [stop for stop in data.get("stops", ()) if stop["outcome"] != "unchanged"]
    before = {move["group"]: {"in_service_on": move["from"]} for move in moves}
    after = {move["group"]: {"in_service_on": move["to"]} for move in moves}
    before.update({stop["group"]: {"in_service": stop["tags"]} for stop in stops})
    after.update({stop["group"]: {"in_service": []} for stop in stops})
    return {"before": before, "after": after}


def _tags(args: Mapping[str, Any]) -> list[str]:
    tags = args.get("tags")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise RequestError("rule", f"tags is {tags!r}; write a list of tags")
    return tags


def _timeout_s(args: Mapping[str, Any]) -> float:
    value = args.get("timeout_s", TIMEOUT_S)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= TIMEOUT_S_MAX:
        raise RequestError("rule", f"timeout_s is {value!r}; write seconds, at most {TIMEOUT_S_MAX:g}")
    return float(value)


def _limit(args: Mapping[str, Any]) -> int:
    value = args.get("limit", 50)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= HISTORY_MAX:
        raise RequestError("rule", f"limit is {value!r}; write a whole number from 1 to {HISTORY_MAX}")
    return value
