# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The contract of the surface against the lab's: the very checks of ``holdfast selftest``, run on a node."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast.selftest.catalogue import CHECKS
from holdfast_lab.world import launch
from holdfast_lab.world.places import Places
from holdfast_lab.world.preflight import NotPossibleError, check
from holdfast_lab.world.remote import Lab

PROGRAM = (
    "import argparse, sys; from holdfast import selftest; parser = argparse.ArgumentParser(); "
    "selftest.add_arguments(parser); sys.exit(selftest.main(parser.parse_args()))"
)
FREE_ADDRESS = "10.77.0.200"


@pytest.fixture(scope="module")
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab of its own: the checks want a disk that nobody uses."""
    try:
        check()
    except NotPossibleError as error:
        pytest.skip(f"no lab on this machine: {error}")
    with launch.running(Places(tmp_path_factory.mktemp("contract")), launch.Wish(program="standin")) as lab:
        yield lab


@pytest.fixture(scope="module")
def results(own_lab: Lab) -> dict[str, Any]:
    """What each check found, by its primitives."""
    generated = own_lab.generated()
    options = [
        *("--interface", "LAN", "--address", f"{FREE_ADDRESS}/24", "--neighbour", "10.77.0.12"),
        *("--disk", generated["lab_disk_id"], "--letter", "T:"),
        *("--certificate", generated["lab_https_thumbprint"], "--json"),
    ]
    done = own_lab.run("n1", [sys.executable, "-c", PROGRAM, *options], timeout_s=55.0)
    assert done.code in (0, 1), done.err
    return {row["primitives"]: row for row in json.loads(done.out)}


@pytest.mark.parametrize("primitives", [each.primitives for each in CHECKS])
def test_the_labs_surface_keeps_the_promise_of(results: dict[str, Any], primitives: str) -> None:
    found = results[primitives]
    assert found["outcome"] == "proved", found["told"]


def test_nothing_is_left_on_the_node(own_lab: Lab, results: dict[str, Any]) -> None:
    del results
    node = own_lab.places.node("n1")
    shown = own_lab.run("n1", ["ip", "-o", "address"], timeout_s=10.0).out
    config = (node / "C/Windows/System32/inetsrv/config/applicationHost.config").read_text(encoding="utf-8")
    assert FREE_ADDRESS not in shown
    assert "selftest" not in config
    assert not (node / "T").is_symlink()
    assert not list(node.glob("C/inetpub/*selftest*")) + list(node.glob("C/ProgramData/Holdfast/selftest"))
