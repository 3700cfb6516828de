# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_service and win_service_info, over the node's service control manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..scm.service import FailureAction, Service
from .base import Invocation, Module, ModuleError, options

ACCOUNTS = {
    "localsystem": "LocalSystem",
    "system": "LocalSystem",
    r"nt authority\system": "LocalSystem",
    "localservice": r"NT AUTHORITY\LocalService",
    r"nt authority\localservice": r"NT AUTHORITY\LocalService",
    "networkservice": r"NT AUTHORITY\NetworkService",
    r"nt authority\networkservice": r"NT AUTHORITY\NetworkService",
}
# options that are copied to the field of the same name when given
PLAIN = (
    "description",
    "display_name",
    "error_control",
    "failure_actions_on_non_crash_failure",
    "failure_command",
    "failure_reboot_msg",
    "failure_reset_period_sec",
    "load_order_group",
    "path",
    "pre_shutdown_timeout_ms",
    "service_type",
    "sid_info",
    "start_mode",
)


def win_service(call: Invocation) -> dict[str, Any]:
    """The service is as described, and in the state asked for."""
    services, params = call.node.services, call.params
    before = services.find(params["name"])
    if params["state"] == "absent":
        return _absent(call, before)
    if before is None and not _describes(params):
        return {"exists": False}
    wanted = _wanted(call, before)
    changed = wanted != before
    if changed and not call.check:
        services.install(wanted)
    changed |= _follow_state(call, wanted, new=before is None)
    result = {"changed": changed, "exists": True, **_brief(call, wanted)}
    if call.diff:
        old = _diff_side(before, _shown_state(call, before)) if before else ""
        result["diff"] = {"before": old, "after": _diff_side(wanted, _future_state(call, wanted))}
    return result


def win_service_info(call: Invocation) -> dict[str, Any]:
    """What is known of the named service, or of all."""
    services, name = call.node.services, call.params["name"]
    found = services.find(name) if name else None
    chosen = services.all() if not name else [found] if found else []
    return {"exists": bool(chosen), "services": [_full(call, service) for service in chosen]}


def _absent(call: Invocation, before: Service | None) -> dict[str, Any]:
    if before is not None and not call.check:
        if call.params["force_dependent_services"]:
            call.node.services.stop(before.name, force=True)
        call.node.services.remove(before.name)
    result: dict[str, Any] = {"changed": before is not None, "exists": False}
    if call.diff and before is not None:
        result["diff"] = {"before": _diff_side(before, "started"), "after": ""}
    return result


def _describes(params: Mapping[str, Any]) -> bool:
    names = (*PLAIN, "dependencies", "failure_actions", "required_privileges", "state", "username", "password")
    return any(params[name] is not None for name in names)


def _wanted(call: Invocation, before: Service | None) -> Service:
    params = call.params
    if before is None:
        if params["path"] is None:
            raise ModuleError(
                f"Service '{params['name']}' is not installed, need to set 'path' to create a new service"
            )
        before = Service(name=params["name"], path="", display_name=params["name"])
    if before.host and params["path"] not in (None, before.path):
        raise ModuleError(f"Service '{before.name}': the lab does not change the path of a built-in service")
    settings = {name: params[name] for name in PLAIN if params[name] is not None}
    for name in ("description", "failure_command", "failure_reboot_msg"):
        if settings.get(name) == "":
            settings[name] = None
    if params["dependencies"] is not None:
        settings["dependencies"] = _dependencies(before, params["dependencies"], params["dependency_action"])
    if params["failure_actions"] is not None:
        settings["failure_actions"] = tuple(_failure_action(action) for action in params["failure_actions"])
    if params["required_privileges"] is not None:
        settings["required_privileges"] = tuple(params["required_privileges"])
    if params["username"] is not None:
        settings["username"] = _account(call, params["username"])
    return before.changed(settings)


def _dependencies(before: Service, named: list[str], action: str) -> tuple[str, ...]:
    existing = before.dependencies
    if action == "set":
        return existing if set(existing) == set(named) else tuple(named)
    if action == "remove":
        return tuple(name for name in existing if name not in named)
    return (*existing, *(name for name in named if name not in existing))


def _failure_action(raw: Mapping[str, Any]) -> FailureAction:
    if raw["type"] not in ("none", "restart"):
        raise ModuleError(
            f"failure_actions: the lab does not implement the type '{raw['type']}'; write none or restart"
        )
    return FailureAction(type=raw["type"], delay_ms=raw["delay_ms"])


def _account(call: Invocation, name: str) -> str:
    if known := ACCOUNTS.get(name.lower()):
        return known
    short = name.rpartition("\\")[2]
    if short.lower() not in (user.lower() for user in call.node.users):
        raise ModuleError(
            f"Some or all identity references could not be translated: the account '{name}' does not exist"
        )
    return f"{call.node.name.upper()}\\{short}"


def _follow_state(call: Invocation, service: Service, *, new: bool) -> bool:
    services, state = call.node.services, call.params["state"]
    running = not new and services.state(service.name) == "running"
    if state == "paused":
        raise ModuleError(f"failed to pause service {service.name}: The service does not support pausing")
    if state is None or (state == "started" and running) or (state == "stopped" and not running):
        return False
    if call.check:
        return True
    if state in ("stopped", "restarted"):
        services.stop(service.name, force=call.params["force_dependent_services"])
    if state in ("started", "restarted"):
        services.start(service.name)
    return True


def _shown_state(call: Invocation, service: Service) -> str:
    state = call.node.services.state(service.name)
    return "started" if state == "running" else state


def _future_state(call: Invocation, service: Service) -> str:
    wanted = call.params["state"]
    if call.check and wanted in ("started", "restarted", "stopped"):
        return "stopped" if wanted == "stopped" else "started"
    return _shown_state(call, service)


def _brief(call: Invocation, service: Service) -> dict[str, Any]:
    state = _future_state(call, service)
    return {
        "name": service.name,
        "display_name": service.display_name,
        "description": service.description,
        "path": service.path,
        "start_mode": service.start_mode,
        "username": service.username,
        "dependencies": list(service.dependencies),
        "depended_by": [item.name for item in call.node.services.dependents(service.name)],
        "desktop_interact": service.desktop_interact,
        "can_pause_and_continue": False,
        "state": "running" if state == "started" else state.replace("_", ""),
    }


def _diff_side(service: Service, state: str) -> dict[str, Any]:
    return {**_settings(service), "state": state, "password": "REDACTED"}


def _settings(service: Service) -> dict[str, Any]:
    settings = {name: getattr(service, name) for name in ("name", "username", "desktop_interact", *PLAIN)}
    return {
        **settings,
        "dependencies": list(service.dependencies),
        "required_privileges": list(service.required_privileges),
        "failure_actions": [{"type": item.type, "delay_ms": item.delay_ms} for item in service.failure_actions],
    }


def _full(call: Invocation, service: Service) -> dict[str, Any]:
    services = call.node.services
    return {
        **_settings(service),
        "checkpoint": 0,
        "controls_accepted": ["stop"] if services.state(service.name) == "running" else [],
        "dependency_of": [item.name for item in services.dependents(service.name)],
        "launch_protection": "none",
        "preferred_node": None,
        "process_id": services.process_id(service.name),
        "service_exit_code": 0,
        "service_flags": [],
        "state": _shown_state(call, service),
        "triggers": [],
        "wait_hint_ms": 0,
        "win32_exit_code": services.exit_code(service.name),
    }


MODULES = {
    "ansible.windows.win_service": Module(
        run=win_service,
        options=options(
            "name state dependencies dependency_action failure_actions required_privileges username update_password "
            "force_dependent_services " + " ".join(PLAIN)
        ),
    ),
    "ansible.windows.win_service_info": Module(run=win_service_info, options=options("name")),
}
