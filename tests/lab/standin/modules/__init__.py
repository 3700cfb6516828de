# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The upstream modules that our roles use, re-implemented: one file per family, listed here.

What a module was given is checked against the documentation of the installed collection; an option that is
documented but not implemented here is a failure as soon as a task sets it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from itertools import chain
from typing import Any

from ..job import CommandError, Streams
from ..node import Node
from ..paths import PathError
from ..scm.manager import ServiceError
from . import access, archive, connection, copying, facts, features, files, firewall, services, waiting
from .base import Invocation, Module, ModuleError
from .spec import documented

LOG = logging.getLogger(__name__)
_PREFIX, _SUFFIX = "ansible_collections.", ".ps1"
_FAMILIES = (access, archive, connection, copying, facts, features, files, firewall, services, waiting)
MODULES: Mapping[str, Module] = dict(chain.from_iterable(family.MODULES.items() for family in _FAMILIES))


def run_module(params: Mapping[str, Any], streams: Streams, node: Node) -> int:
    """The module named in the wrapper's parameters has run; its result is one line of JSON. Raises CommandError."""
    name = _name(str(params["Script"]))
    module = MODULES.get(name)
    if module is None:
        text = f"the stand-in does not know the module '{name}'; known are {', '.join(sorted(MODULES))}"
        streams.out(json.dumps({"failed": True, "msg": text}).encode() + b"\r\n")
        return 1
    given = next((item["Value"] for item in params["Variables"] if item["Name"] == "complex_args"), None)
    if given is None:
        raise CommandError(f"module '{name}': its wrapper carries no arguments")
    result = _result(name, module, given, params.get("Environment") or {}, streams, node)
    streams.out(json.dumps(result).encode() + b"\r\n")
    return 1 if result.get("failed") else 0


def _result(
    name: str,
    module: Module,
    given: Mapping[str, Any],
    environment: Mapping[str, str],
    streams: Streams,
    node: Node,
) -> dict[str, Any]:
    check = bool(given.get("_ansible_check_mode", False))
    if check and not module.check_mode:
        return {"changed": False, "skipped": True, "msg": "remote module does not support check mode"}
    try:
        invocation = Invocation(
            params=documented(name).validate(given, module, node),
            check=check,
            diff=bool(given.get("_ansible_diff", False)),
            environment=environment,
            streams=streams,
            node=node,
        )
        return {"changed": False, **module.run(invocation)}
    except ModuleError as failure:
        return {"changed": False, **failure.result, "failed": True, "msg": str(failure)}
    except (PathError, ServiceError) as error:
        return {"changed": False, "failed": True, "msg": str(error)}
    except OSError as error:
        LOG.exception("module %s", name)
        where = f" {error.filename}" if error.filename else ""
        return {"changed": False, "failed": True, "msg": f"{name}: {error.strerror}{where}"}


def _name(script: str) -> str:
    if not (script.startswith(_PREFIX) and script.endswith(_SUFFIX)):
        raise CommandError(f"the stand-in does not run the script '{script}'; it knows modules of collections only")
    namespace, collection, _, _, module = script[len(_PREFIX) : -len(_SUFFIX)].split(".", 4)
    return f"{namespace}.{collection}.{module}"
