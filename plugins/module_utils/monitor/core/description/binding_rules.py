# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which bindings of several sites cannot be served side by side by HTTP.sys."""

from __future__ import annotations

from collections.abc import Iterable

from ..values.model import Binding, Site
from ..values.problems import Problem, Rule, found
from . import rulebook as rule
from .reading import Located


def check_bindings(sites: Iterable[Located[Site]]) -> list[Problem]:
    """No binding is written twice; a port has one protocol and, without SNI, one certificate."""
    problems: list[Problem] = []
    seen: dict[tuple[str, int], list[Located[Binding]]] = {}
    for site in sites:
        for index, binding in enumerate(site.value.bindings):
            here = Located(path=f"{site.path}.bindings[{index}]", value=binding)
            if binding.ip and binding.port:
                earlier = seen.setdefault((binding.ip, binding.port), [])
                problems += _against(here, earlier)
                earlier.append(here)
    return problems


def _against(here: Located[Binding], earlier: list[Located[Binding]]) -> list[Problem]:
    """The problem that this binding has with one that was written before it at the same place; the first counts."""
    binding = here.value
    for other in earlier:
        place = f"{binding.ip} port {binding.port}"
        if other.value.protocol != binding.protocol:
            message = f"{place} speaks {binding.protocol} here and {other.value.protocol} at {other.path}."
            cure = "Use port 80 for http and port 443 for https, or another pair of ports."
            return [_problem(rule.ONE_PROTOCOL_PER_PORT, f"{here.path}.port", binding.port, message, cure)]
        if other.value.host.lower() == binding.host.lower():
            name = f"host header '{binding.host}'" if binding.host else "no host header"
            message = f"{place} with {name} is the binding {other.path} already."
            cure = "Give one of the two another address, port or host header."
            return [_problem(rule.BINDING_ONCE, here.path, binding.information, message, cure)]
        one_key = binding.protocol == "https" and not binding.sni and not other.value.sni
        if one_key and binding.certificate and other.value.certificate not in (None, binding.certificate):
            message = f"{place} has another certificate than {other.path}, and neither is chosen by SNI."
            cure = "Write sni: true on the bindings with a host header, or use one certificate for both."
            return [_problem(rule.ONE_CERTIFICATE, f"{here.path}.certificate", binding.certificate, message, cure)]
    return []


def _problem(broken: Rule, path: str, value: object, message: str, cure: str) -> Problem:
    return found(broken, path=path, value=value, message=message, cure=cure)
