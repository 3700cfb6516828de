# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading switchable addresses and volumes."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import cast

from ..values.model import Ip, Volume, VolumeDriver
from ..values.problems import Problem
from . import rulebook as rule
from .fields import ip_list, ip_text, priorities_of, tag_of
from .reading import Located, Reader, each, shown

VOLUME_DRIVERS = ("shared_disk",)
_DRIVE = re.compile(r"[A-Z]:")


def draft_ips(data: object, path: str, problems: list[Problem]) -> list[Located[Ip]]:
    """Every described address with its place."""
    return each(data, path, problems, _ip)


def draft_volumes(data: object, path: str, problems: list[Problem]) -> list[Located[Volume]]:
    """Every described volume with its place."""
    return each(data, path, problems, _volume)


def _ip(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Ip]:
    known = ("tag", "address", "prefix_length", "interface", "priorities", "ping", "spare")
    reader = Reader(data, path=path, known=known, problems=problems)
    address = ip_text(reader, "address", rule.ADDRESS_IS_IP)
    high = 128 if ":" in str(reader.raw("address")) else 32
    prefix_length = reader.integer("prefix_length", low=1, high=high, rule=rule.PREFIX_LENGTH)
    if address and not _usable(reader, address, prefix_length):
        address = ""
    priorities = priorities_of(reader)
    interfaces = _interfaces(reader, priorities)
    ip = Ip(
        tag=tag_of(reader),
        address=address,
        prefix_length=prefix_length,
        interfaces=interfaces,
        priorities=priorities,
        ping=tuple(ip_list(reader, "ping", rule.PING_TARGET)),
        spare=_spare(reader, interfaces),
    )
    return Located(path=path, value=ip, sound=reader.sound)


def _volume(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Volume]:
    reader = Reader(data, path=path, known=("tag", "drive", "driver", "disk", "priorities"), problems=problems)
    disk_cure = "Write the unique id that 'Get-Disk | Select-Object UniqueId' shows on both nodes."
    volume = Volume(
        tag=tag_of(reader),
        drive=_drive(reader),
        driver=cast(
            VolumeDriver,
            reader.choice("driver", options=VOLUME_DRIVERS, rule=rule.DRIVER_KNOWN, default="shared_disk"),
        ),
        disk=reader.text("disk", missing=rule.DISK_NAMED, cure=disk_cure),
        priorities=priorities_of(reader),
    )
    return Located(path=path, value=volume, sound=reader.sound)


def _drive(reader: Reader) -> str:
    """The drive; after a problem the one that was probably meant, or ""."""
    drive = reader.text("drive", missing=rule.DRIVE_LETTER, cure="Write a capital letter and a colon, like 'X:'.")
    letter = drive[:1].upper()
    if drive and not _DRIVE.fullmatch(drive):
        plain = letter.isascii() and letter.isalpha() and len(drive) <= 3
        cure = f"Write '{letter}:'." if plain else "Write for example 'X:'."
        message = f"drive {shown(drive)} is not a capital letter and a colon."
        reader.report(rule.DRIVE_LETTER, "drive", drive, message, cure)
        return f"{letter}:" if plain else ""
    if letter and letter in "ABC":
        message = f"drive {shown(drive)} is a drive of the machine itself and cannot move to another node."
        cure = "Give the volume a letter from D: to Z: on every node."
        reader.report(rule.DRIVE_SYSTEM, "drive", drive, message, cure)
    return drive


def _usable(reader: Reader, text: str, prefix_length: int) -> bool:
    """Clients on the network can reach the address."""
    address = ipaddress.ip_address(text)
    kinds = ("loopback", "multicast", "link_local", "unspecified", "reserved")
    kind = next((kind for kind in kinds if getattr(address, f"is_{kind}")), None)
    if kind:
        message = f"address {text} is a {kind.replace('_', '-')} address, which clients cannot reach."
        reader.report(rule.ADDRESS_UNICAST, "address", text, message, "Write a free address of the clients' network.")
        return False
    network = ipaddress.ip_network(f"{text}/{prefix_length or address.max_prefixlen}", strict=False)
    if prefix_length < address.max_prefixlen - 1 and prefix_length:
        edges = {network.network_address: "network", network.broadcast_address: "broadcast"}
        if address in edges and not (address.version == 6 and edges[address] == "broadcast"):
            message = f"address {text} is the {edges[address]} address of {network}."
            first, last = network.network_address + 1, network.broadcast_address - 1
            cure = f"Write a free address from {first} to {last}."
            reader.report(rule.ADDRESS_OF_HOST, "address", text, message, cure)
            return False
    return True


def _interfaces(reader: Reader, priorities: Mapping[str, int]) -> dict[str, str]:
    """Each node's connection alias; one text stands for the same alias on every node."""
    value = reader.raw("interface")
    cure = "Write the connection alias, for example LAN, or one line per node: its name and its alias."
    if isinstance(value, str) and value.strip():
        return dict.fromkeys(priorities, reader.text("interface"))
    if not isinstance(value, Mapping) or not value:
        message = "interface is missing." if value in (None, "", {}) else f"interface is {shown(value)}."
        reader.report(rule.INTERFACE_PER_NODE, "interface", value, message, cure)
        return {}
    interfaces = {}
    for node, alias in value.items():
        if isinstance(alias, str) and alias.strip():
            interfaces[str(node)] = str(alias)
        else:
            reader.report(
                rule.INTERFACE_PER_NODE,
                f"interface.{node}",
                alias,
                f"the interface of {node} is {shown(alias)}.",
                cure,
            )
    for node in priorities:
        if node not in value:
            message = f"the interface of node {node} is missing."
            reader.report(
                rule.INTERFACE_PER_NODE,
                "interface",
                dict(value),
                message,
                f"Add {node}: and its connection alias.",
            )
    return interfaces


def _spare(reader: Reader, interfaces: Mapping[str, str]) -> dict[str, str]:
    """Each node's spare card; one text stands for every node, and a node that is not named has none."""
    value = reader.raw("spare")
    cure = "Write the alias of a second card on the same subnet, or one line per node that has one."
    if value is None:
        return {}
    if isinstance(value, str) and value.strip():
        value = dict.fromkeys(interfaces, value)
    if not isinstance(value, Mapping):
        reader.report(rule.SPARE_CARD, "spare", value, f"spare is {shown(value)}.", cure)
        return {}
    spare = {}
    for node, alias in value.items():
        if not isinstance(alias, str) or not alias.strip():
            reader.report(rule.SPARE_CARD, f"spare.{node}", alias, f"the spare card of {node} is {shown(alias)}.", cure)
        elif interfaces.get(str(node), "").lower() == alias.lower():
            message = f"the spare card of {node} is {shown(alias)}, which is its first card."
            reader.report(rule.SPARE_CARD, f"spare.{node}", alias, message, cure)
        else:
            spare[str(node)] = alias
    return spare
