# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on demand: which primitive they hit, how long they hang, what they refuse."""

from __future__ import annotations

import inspect
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from holdfast.surface import Surface
from holdfast_lab.surface import faults
from holdfast_lab.surface.faults import FaultFileError, Faults


@pytest.fixture
def node(tmp_path: Path) -> Path:
    (tmp_path / "standin").mkdir()
    return tmp_path


def test_without_a_file_nothing_fails(node: Path) -> None:
    assert Faults(node).meet("iis_start", "shop") is None


def test_a_fault_hits_its_argument_only(node: Path) -> None:
    faults.inject(node, {"iis_start:shop": {"fail": "crashed", "code": 5}})
    fault = Faults(node).meet("iis_start", "shop")
    assert fault is not None
    assert (fault.fail, fault.code) == ("crashed", 5)
    assert Faults(node).meet("iis_start", "docs") is None
    assert Faults(node).meet("iis_stop", "shop") is None


def test_a_fault_without_an_argument_hits_all(node: Path) -> None:
    faults.inject(node, {"announce": {"fail": "no wire"}})
    assert Faults(node).meet("announce", "10.0.0.1") is not None
    assert Faults(node).meet("announce") is not None


def test_a_hang_ends_after_its_time_and_the_call_goes_on(node: Path) -> None:
    faults.inject(node, {"remove_address:10.77.0.113": {"hang_s": 0.1}})
    began_s = time.monotonic()
    assert Faults(node).meet("remove_address", "10.77.0.113") is None
    assert time.monotonic() - began_s >= 0.1


def test_a_hang_ends_when_its_entry_is_taken_away(node: Path) -> None:
    faults.inject(node, {"unmount:X:": {"hang_s": 60, "fail": "never seen"}})
    timer = threading.Timer(0.1, lambda: faults.clear(node))
    timer.start()
    try:
        assert Faults(node).meet("unmount", "X:") is None
    finally:
        timer.join()


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"iis_restart": {"fail": "x"}}, "'iis_restart' is no primitive that can fail"),
        ({"disks:DISK-1": {"fail": "x"}}, "disks has no argument"),
        ({"iis_stop": {}}, "must be an object with fail, code or hang_s"),
        ({"iis_stop": {"delay": 1}}, "must be an object with fail, code or hang_s"),
        ({"iis_stop": {"fail": 1}}, "wrong type"),
        ({"iis_stop": {"hang_s": 10_000}}, "more than 600"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_and_not_written(node: Path, wrong: dict[str, Any], text: str) -> None:
    with pytest.raises(FaultFileError, match=text):
        faults.inject(node, wrong)
    assert not (node / "standin" / "faults.json").exists()


def test_every_primitive_that_can_fail_in_windows_can_fail_here() -> None:
    primitives = {name for name, _ in inspect.getmembers(Surface, inspect.isfunction) if not name.startswith("_")}
    without_failure = {"monotonic_s", "local_path", "run_service"}
    assert set(faults.ARGUMENTS) == primitives - without_failure
