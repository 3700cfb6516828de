# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Argument specs made from the documentation of the installed collections, and the checking of arguments by them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..job import CommandError
from ..node import Node
from .base import Module, ModuleError

_KEPT = ("default", "choices", "elements", "aliases", "required")
_MAGIC = "_ansible_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """A module's documented options, and the validator made of them."""

    name: str
    options: Mapping[str, Any]
    validator: ArgumentSpecValidator

    def validate(self, given: Mapping[str, Any], module: Module, node: Node) -> dict[str, Any]:
        """The parameters, checked, converted, with defaults; paths with their variables expanded.

        Raises ModuleError as the module itself would, and for options that the stand-in does not implement.
        """
        internal = {key: value for key, value in given.items() if key in module.internal}
        own = {key: value for key, value in given.items() if not key.startswith(_MAGIC) and key not in internal}
        result = self.validator.validate(own)
        if result.error_messages:
            unsupported = "Unsupported parameters: " if result.unsupported_parameters else ""
            raise ModuleError(f"{self.name}: {unsupported}{'; '.join(result.error_messages)}")
        params: dict[str, Any] = dict(result.validated_parameters)
        self._refuse_unimplemented(params, module)
        for option, value in params.items():
            if isinstance(value, str) and self.options.get(option, {}).get("type") == "path":
                params[option] = node.drives.expand(value)
        return {**dict.fromkeys(self.options), **params, **internal}

    def _refuse_unimplemented(self, params: Mapping[str, Any], module: Module) -> None:
        for option, value in params.items():
            known = self.options.get(option)
            if known is None or option in module.options or value is None or value == known.get("default"):
                continue
            raise ModuleError(f"the stand-in does not implement the option '{option}' of {self.name}")


@cache
def documented(name: str) -> Documented:
    """The documentation of ``namespace.collection.module`` as installed. Raises CommandError when it cannot be used."""
    document = _document(name)
    fragments = document.get("extends_documentation_fragment") or []
    for fragment in [fragments] if isinstance(fragments, str) else fragments:
        if "action_common_attributes" in fragment:  # attributes only, no options
            continue
        raise CommandError(f"{name}: its documentation uses fragments, which the stand-in does not read")
    raw = document.get("options") or {}
    spec = {option: _option(value) for option, value in raw.items()}
    defaults = {option: {**value, "default": spec[option].get("default")} for option, value in raw.items()}
    return Documented(name=name, options=defaults, validator=ArgumentSpecValidator(spec))


def _option(value: Mapping[str, Any]) -> dict[str, Any]:
    kind = value.get("type", "str")
    # A Windows path must not be expanded with the variables of the machine that plays Windows.
    spec: dict[str, Any] = {"type": "str" if kind == "path" else kind}
    spec |= {key: value[key] for key in _KEPT if key in value}
    if spec.get("elements") == "path":
        spec["elements"] = "str"
    if spec["type"] == "bool" and "default" in spec:
        spec["default"] = bool(spec["default"])
    if spec["type"] == "list" and isinstance(spec.get("default"), str):
        spec["default"] = [spec["default"]]
    if "suboptions" in value:
        spec["options"] = {name: _option(sub) for name, sub in value["suboptions"].items()}
    return spec


def _document(name: str) -> dict[str, Any]:
    namespace, collection, module = name.split(".")
    folder = _collections() / namespace / collection / "plugins" / "modules"
    sidecar, source = folder / f"{module}.yml", folder / f"{module}.py"
    if sidecar.is_file():
        return dict(yaml.safe_load(sidecar.read_text(encoding="utf-8"))["DOCUMENTATION"])
    if not source.is_file():
        raise CommandError(f"{name}: the collection has no such module")
    for node in ast.parse(source.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            return dict(yaml.safe_load(ast.literal_eval(node.value)))
    raise CommandError(f"{name}: {source} has no DOCUMENTATION")


@cache
def _collections() -> Path:
    spec = find_spec("ansible_collections")
    for location in spec.submodule_search_locations if spec and spec.submodule_search_locations else ():
        if (Path(location) / "ansible" / "windows").is_dir():
            return Path(location)
    raise CommandError("the collection ansible.windows is not installed beside the stand-in")
