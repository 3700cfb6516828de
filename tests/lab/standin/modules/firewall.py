# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_firewall_rule, recorded in ``firewall.json``. The lab does not filter traffic by it."""

from __future__ import annotations

from typing import Any

from .base import Invocation, Module, ModuleError, options

FILE = "firewall.json"
SETTINGS = (
    "description",
    "direction",
    "action",
    "program",
    "group",
    "service",
    "enabled",
    "profiles",
    "localip",
    "remoteip",
    "localport",
    "remoteport",
    "protocol",
    "icmp_type_code",
)
# What a rule has for a setting that was not given when it was made.
BLANK: dict[str, Any] = {
    "description": None,
    "direction": "in",
    "action": "block",
    "program": "any",
    "group": None,
    "service": "any",
    "enabled": True,
    "profiles": ["domain", "private", "public"],
    "localip": "any",
    "remoteip": "any",
    "localport": "any",
    "remoteport": "any",
    "protocol": "any",
    "icmp_type_code": None,
}
PROTOCOLS = ("any", "tcp", "udp", "icmpv4", "icmpv6")


def win_firewall_rule(call: Invocation) -> dict[str, Any]:
    """The rule, or the rules of the group, are as described, or gone."""
    params = call.params
    if not params["name"] and not params["group"]:
        raise ModuleError("Either name or group must be specified")
    _check(params)
    with call.node.records.change(FILE) as record:
        existing = [name for name, rule in record.items() if _matches(params, name, rule)]
        before = {name: dict(record[name]) for name in existing}
        if params["state"] == "absent":
            after: dict[str, Any] = {}
        elif existing:
            after = {name: {**record[name], **_given(params)} for name in existing}
        else:
            after = {params["name"]: {**BLANK, **_given(params)}} if params["name"] else {}
        if not call.check:
            for name in before:
                del record[name]
            record.update(after)
    result: dict[str, Any] = {"changed": before != after, "msg": _message(params, before, after)}
    return result | ({"diff": {"prepared": _prepared(before, after)}} if call.diff else {})


def _matches(params: Any, name: str, rule: dict[str, Any]) -> bool:
    if params["name"]:
        return bool(name.lower() == str(params["name"]).lower())
    return bool(rule["group"] == params["group"])


def _given(params: Any) -> dict[str, Any]:
    return {name: params[name] for name in SETTINGS if params[name] is not None}


def _check(params: Any) -> None:
    protocol = params["protocol"]
    if protocol is not None and str(protocol).lower() not in PROTOCOLS and not str(protocol).isdigit():
        raise ModuleError(f"Unknown protocol '{protocol}'.")
    ports = any(params[name] not in (None, "any") for name in ("localport", "remoteport"))
    if params["state"] == "present" and ports and str(protocol).lower() not in ("tcp", "udp", "6", "17", "none"):
        raise ModuleError("Value does not fall within the expected range. (Ports need protocol tcp or udp.)")


def _message(params: Any, before: dict[str, Any], after: dict[str, Any]) -> str:
    if params["state"] == "absent":
        what = f"Firewall rule '{params['name']}'" if params["name"] else f"Firewall rules in group '{params['group']}'"
        return f"Firewall rule(s) '{', '.join(before)}' removed." if before else f"{what} does not exist."
    if not before:
        return f"Firewall rule '{params['name']}' created."
    changed = [name for name in after if after[name] != before.get(name)]
    unchanged = [name for name in after if name not in changed]
    return f"Firewall rule(s) changed '{', '.join(changed)}' - unchanged '{', '.join(unchanged)}'"


def _prepared(before: dict[str, Any], after: dict[str, Any]) -> str:
    lines: list[str] = []
    for name in sorted({*before, *after}):
        if before.get(name) == after.get(name):
            continue
        lines += [
            f"-{key}='{value}'" for key, value in before.get(name, {}).items() if value != after.get(name, {}).get(key)
        ]
        lines += [
            f"+{key}='{value}'" for key, value in after.get(name, {}).items() if value != before.get(name, {}).get(key)
        ]
    return "".join(line + "\n" for line in lines)


MODULES = {
    "community.windows.win_firewall_rule": Module(
        run=win_firewall_rule, options=options("name state " + " ".join(SETTINGS))
    ),
}
