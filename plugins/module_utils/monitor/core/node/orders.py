# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From a command to orders: which groups its tags mean, which node each order goes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Protocol

from ..cluster.membership import Membership
from ..moves.group import GroupMachine
from ..values.events import Commanded
from ..values.graph import Group
from ..values.model import Config
from .desk import Command, Desk


class Node(Protocol):
    """What a command needs to know of the node that it was given to."""

    node: str
    now_s: float
    config: Config | None
    desk: Desk
    groups: dict[str, GroupMachine]
    group_of: dict[str, GroupMachine]
    membership: Membership

    def view(self) -> dict[str, Any] | None:
        """The cluster as this node sees it."""

    def explained(self, group: str) -> dict[str, Any]:
        """Why the group is where it is, and what would happen if a node died."""


def command(machine: Node, event: Commanded) -> None:
    """The command is answered, or its orders are on their way."""
    opened = machine.desk.open(event, machine.now_s)
    if machine.config is None:
        text = f"{machine.node} belongs to no cluster yet; run the set-up playbook (role cluster)."
        machine.desk.refuse(opened, "refused", text)
    elif event.verb == "cluster_info":
        machine.desk.result(opened, {"ok": True, "changed": False, "data": machine.view()})
        machine.desk.close(opened)
    elif event.verb == "explain":
        _explain(machine, opened, str(event.args.get("tag", "")))
    else:
        _orders(machine, opened, event.args)


def _explain(machine: Node, opened: Command, tag: str) -> None:
    if error := _unknown_tags(machine, [tag]):
        machine.desk.refuse(opened, "rule", error)
        return
    explained = machine.explained(machine.group_of[tag].name)
    machine.desk.result(opened, {"ok": True, "changed": False, "data": explained})
    machine.desk.close(opened)


def _orders(machine: Node, opened: Command, args: Mapping[str, Any]) -> None:
    tags = [args["tag"]] if opened.verb == "plan" else list(args.get("tags", ()))
    error = _unknown_tags(machine, tags) or _unknown_nodes(machine, args)
    if error:
        machine.desk.refuse(opened, "rule", error)
        return
    for name, wanted in _by_group(machine, tags).items():
        group = machine.groups[name].group
        if opened.verb == "out_of_service":
            _out_of_service(machine, opened, group, wanted, args)
        else:
            _in_service(machine, opened, group, wanted, args)
    machine.desk.close(opened)


def _in_service(machine: Node, opened: Command, group: Group, tags: tuple[str, ...], args: Mapping[str, Any]) -> None:
    register = machine.groups[group.name].register
    if args.get("initial") and register.epoch > 0:
        data = _unchanged(group, tags, holder=register.holder, epoch=register.epoch)
        machine.desk.result(opened, {"ok": True, "changed": False, "data": data})
        return
    node = str(args.get("node") or group.preferred)
    order = {"tags": tags, "check": bool(args.get("check")), "off": tuple(args.get("peers_off") or ())}
    _give(machine, opened, group, node, order)


def _out_of_service(
    machine: Node, opened: Command, group: Group, tags: tuple[str, ...], args: Mapping[str, Any]
) -> None:
    register = machine.groups[group.name].register
    if register.holder is None:
        data = _unchanged(group, tags, holder=None, epoch=register.epoch)
        machine.desk.result(opened, {"ok": True, "changed": False, "data": data})
        return
    _give(machine, opened, group, register.holder, {"tags": tags, "check": bool(args.get("check"))})


def _give(machine: Node, opened: Command, group: Group, node: str, order: Mapping[str, Any]) -> None:
    if node != machine.node and not machine.membership.alive(node, machine.now_s):
        state = machine.membership.state(node, machine.now_s)
        text = (
            f"{group.name} stays as it is: {node} is {state}, its monitor does not answer on any comm path. "
            f"Start service Holdfast on {node}, or look at its comm paths."
        )
        error = {"kind": "unreachable", "message": text, "problems": []}
        machine.desk.result(opened, {"ok": False, "error": error})
        return
    machine.desk.give(opened, group, node, order, machine.now_s)


def _by_group(machine: Node, tags: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The heads that the tags mean, by group: an address or a volume means the hierarchies that need it."""
    wanted: dict[str, tuple[str, ...]] = {}
    for tag in dict.fromkeys(tags):
        group = machine.group_of[tag].group
        heads = [tag] if tag in group.heads else [h.tag for h in group.hierarchies if tag in h.depends_on]
        wanted[group.name] = tuple(dict.fromkeys((*wanted.get(group.name, ()), *heads)))
    return wanted


def _unknown_tags(machine: Node, tags: Iterable[str]) -> str:
    for tag in tags:
        if tag not in machine.group_of:
            known = sorted(machine.group_of)
            close = get_close_matches(tag, known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else f" Known tags: {', '.join(known) or 'none'}."
            return f"Nothing with the tag {tag!r} is protected.{hint}"
    return "" if list(tags) else "No tag was given; name at least one hierarchy, address or volume."


def _unknown_nodes(machine: Node, args: Mapping[str, Any]) -> str:
    nodes = [machine.node, *machine.membership.peers]
    for node in (args.get("node"), *(args.get("peers_off") or ())):
        if node is not None and node not in nodes:
            return f"{node!r} is no node of this cluster; its nodes are {', '.join(sorted(nodes))}."
    return ""


def _unchanged(group: Group, tags: tuple[str, ...], *, holder: str | None, epoch: int) -> dict[str, Any]:
    return {
        "group": group.name,
        "tags": list(tags),
        "from": holder,
        "to": holder,
        "epoch": epoch,
        "outcome": "unchanged",
        "outage_s": 0.0,
        "phases": [],
    }
