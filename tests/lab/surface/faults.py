# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes primitives of one node fail or hang on demand: ``<node>/standin/faults.json``, read at each of them.

    {"iis_start:shop": {"fail": "the worker process crashed", "code": 2147942432},
     "remove_address:10.77.0.113": {"hang_s": 30}}

A key is the name of a primitive, alone or with the thing it acts on (ARGUMENTS). With both hang_s and fail it hangs,
then fails. A hang ends at once when its entry is taken away.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARGUMENTS: Mapping[str, str] = {
    "boot_id": "",
    "restrict_to_administrators": "Windows path",
    "exclusive_file": "Windows path",
    "log_event": "event id",
    "raise_priority": "",
    "reset_machine": "",
    "watch": "",
    "interfaces": "",
    "addresses": "",
    "add_address": "address",
    "renew_addresses": "",
    "remove_address": "address",
    "neighbour": "address",
    "ping": "address",
    "announce": "address",
    "disks": "",
    "set_disk_online": "disk id",
    "reserve_disk": "disk id",
    "release_disk": "disk id",
    "mount": "disk id",
    "unmount": "drive letter with colon",
    "service_state": "service name",
    "iis_configuration": "",
    "iis_commit": "",
    "iis_start": "site",
    "iis_stop": "site",
    "iis_stop_pool": "pool",
    "iis_recycle_pool": "pool",
    "iis_state": "site",
    "iis_states": "",
    "iis_requests": "site",
    "certificates": "store",
    "bound_certificate": "site",
    "bind_certificate": "site",
}
"""Each primitive that can be made to fail, and what may follow its name after a colon."""

MAX_HANG_S = 600.0
_LOOK_AGAIN_S = 0.02


class FaultFileError(Exception):
    """faults.json is not what its description allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to a primitive: first it hangs, then it fails with ``fail`` unless that is None."""

    fail: str | None = None
    code: int = 0
    hang_s: float = 0.0


class Faults:
    """The faults of one node as they are on disk at the moment of asking."""

    def __init__(self, node: Path) -> None:
        self._file = _file(node)

    def meet(self, primitive: str, argument: str = "") -> Fault | None:
        """The fault that failed this call, after its hang; None when the call may go on.

        Raises FaultFileError.
        """
        began_s = time.monotonic()
        while fault := self._find(primitive, argument):
            if time.monotonic() - began_s >= fault.hang_s:
                return fault if fault.fail is not None else None
            time.sleep(_LOOK_AGAIN_S)
        return None

    def _find(self, primitive: str, argument: str) -> Fault | None:
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        faults = parse(text)
        return faults.get(f"{primitive}:{argument}") or faults.get(primitive)


def parse(text: str) -> dict[str, Fault]:
    """The faults by key. Raises FaultFileError for unknown primitives, unknown members and wrong types."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise FaultFileError(f"faults.json is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise FaultFileError("faults.json must be an object of primitives")
    return {key: _fault(key, value) for key, value in data.items()}


def inject(node: Path, faults: Mapping[str, Mapping[str, Any]]) -> None:
    """These faults, and no others, are in force on the node. Raises FaultFileError before anything is written."""
    text = json.dumps(faults)
    parse(text)
    target = _file(node)
    temporary = target.with_suffix(f".{os.getpid()}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)


def clear(node: Path) -> None:
    """No fault is in force on the node."""
    _file(node).unlink(missing_ok=True)


def _file(node: Path) -> Path:
    return node / "standin" / "faults.json"


def _fault(key: str, value: Any) -> Fault:
    primitive, colon, argument = key.partition(":")
    if primitive not in ARGUMENTS:
        raise FaultFileError(f"faults.json: {primitive!r} is no primitive that can fail; see ARGUMENTS in faults.py")
    if colon and not ARGUMENTS[primitive]:
        raise FaultFileError(f"faults.json: {primitive} has no argument, so {argument!r} cannot follow it")
    if not isinstance(value, dict) or not value or not set(value) <= {"fail", "code", "hang_s"}:
        raise FaultFileError(f"faults.json: {key!r} must be an object with fail, code or hang_s, not {value!r}")
    fail, code, hang_s = value.get("fail"), value.get("code", 0), value.get("hang_s", 0.0)
    if not isinstance(fail, str | None) or not isinstance(code, int) or not isinstance(hang_s, int | float):
        raise FaultFileError(f"faults.json: {key!r} has a value of the wrong type: {value!r}")
    if not 0 <= hang_s <= MAX_HANG_S:
        raise FaultFileError(f"faults.json: {key!r} hangs for {hang_s} s, more than {MAX_HANG_S:g}")
    return Fault(fail=fail, code=code, hang_s=hang_s)
