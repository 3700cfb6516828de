# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Fields that several kinds of elements have: names, tags, IP addresses, priorities."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, cast

from ..values.problems import Rule
from . import rulebook as rule
from .reading import Reader, shown

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
NODE_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
"""Names of nodes and of a witness: the DNS names in their certificates."""
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def name_of(reader: Reader, key: str, *, pattern: re.Pattern[str], rule: Rule, cure: str) -> str:
    """The name when it matches; "" after a problem."""
    return reader.matching(key, reader.text(key, cure=cure), pattern=pattern, rule=rule, cure=cure)


def tag_of(reader: Reader, *, default: str | None = None) -> str:
    """The tag of the element; a site's tag is its name when none is written."""
    if default is not None and not reader.has("tag"):
        return default
    return name_of(reader, "tag", pattern=_TAG, rule=rule.TAG, cure="Write for example ip-shop.")


def priorities_of(reader: Reader) -> dict[str, int]:
    """The priorities when they are a row 1, 2, 3...; {} after a problem."""
    cure = "Write one line per node, 1 for the preferred one: {n1: 1, n2: 2}."
    written = reader.mapping("priorities", cure=cure)
    if not written and reader.has("priorities") and isinstance(reader.raw("priorities"), Mapping):
        reader.report(rule.PRIORITY_EVERY_NODE, "priorities", {}, "priorities are empty.", cure)
    by_number: dict[int, str] = {}
    broken = False
    for node, number in written.items():
        here = f"priorities.{node}"
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            message = f"the priority of {node} is {shown(number)}, not a whole number from 1."
            reader.report(rule.PRIORITY_NUMBER, here, number, message, cure)
            broken = True
        elif number in by_number:
            message = f"{node} has priority {number}, as has {by_number[number]}."
            reader.report(rule.PRIORITY_ONCE, here, number, message, "Give each node a number of its own.")
            broken = True
        else:
            by_number[number] = node
    if not broken and written and sorted(by_number) != list(range(1, len(by_number) + 1)):
        numbers = ", ".join(str(number) for number in sorted(by_number))
        message = f"the priorities are {numbers}."
        reader.report(rule.PRIORITY_ROW, "priorities", written, message, f"Number the nodes 1 to {len(by_number)}.")
        broken = True
    return {} if broken else {node: int(cast(Any, number)) for node, number in written.items()}


def ip_text(reader: Reader, key: str, broken: Rule) -> str:
    """The address in its canonical form; "" after a problem."""
    text = reader.text(key, cure="Write an IP address, for example 10.77.0.113.")
    if not text:
        return ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        cure = _address_cure(text)
        reader.report(broken, key, text, f"{key} {shown(text)} is not an IP address.", cure)
        return ""
    if str(address) != text or "%" in text:
        cure = f"Write {str(address).partition('%')[0]}."
        reader.report(rule.ADDRESS_CANONICAL, key, text, f"{key} {shown(text)} is not the canonical form.", cure)
        return ""
    return text


def ip_list(reader: Reader, key: str, broken: Rule) -> list[str]:
    """The addresses of the list, each once; those that broke a rule are left out."""
    written = reader.sequence(key, cure="Write a list of IP addresses, for example [10.77.0.1].")
    places = {f"{key}[{index}]": element for index, element in enumerate(written)}
    inner = reader.beside(places)
    addresses: list[str] = []
    for place in places:
        address = ip_text(inner, place, broken)
        if address in addresses:
            reader.report(broken, place, address, f"{address} stands here twice.", "Write it once.")
        elif address:
            addresses.append(address)
    return addresses


def _address_cure(text: str) -> str:
    host, slash, length = text.partition("/")
    if slash:
        return f"Write {host}, and the prefix length {length} on its own where one is asked for."
    return "Write four numbers from 0 to 255 with dots, or an IPv6 address; names are not looked up."
