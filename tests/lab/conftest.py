# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the lab's tests: a running lab, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast_lab.demo.playbook import run_playbook
from holdfast_lab.scene import Scene, watched
from holdfast_lab.trials.proof import TOLD
from holdfast_lab.trials.stage import EVERY_MS, PATIENT, set_up
from holdfast_lab.world import launch
from holdfast_lab.world.places import Places
from holdfast_lab.world.preflight import PACKAGES, NotPossibleError, check
from holdfast_lab.world.remote import Lab


def namespaces_or_skip() -> None:
    """Skips, with the reason, where the kernel lets us make no namespaces."""
    try:
        check({**PACKAGES, "ip": "iproute2"})
    except NotPossibleError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two nodes with the stand-in for Windows, a client, three networks: up for the whole session.

    Its folder and management addresses are its own, so it runs beside any other lab. A test leaves it as it
    found it: every machine on, every cable good.
    """
    namespaces_or_skip()
    with launch.running(Places(tmp_path_factory.mktemp("lab")), launch.Wish(program="standin")) as running:
        yield running


@pytest.fixture(scope="session")
def cluster(lab: Lab) -> Lab:
    """The lab after playbooks/site.yml: shop in service on n1, docs on n2.

    The set-up takes longer than the usual limit of a test: the first test that uses this needs
    @pytest.mark.timeout(180), and so every one that may be run alone.
    """
    run_playbook("site.yml", inventory=lab.inventory)
    return lab


@pytest.fixture(scope="module")
def theatre(cluster: Lab) -> Iterator[Scene]:
    """The cluster with oracles and clients that watch it for the time of one test file."""
    with watched(cluster) as scene:
        yield scene


@pytest.fixture
def scene(theatre: Scene) -> Iterator[Scene]:
    """The cluster under watch, each site at home; afterwards again, and nothing was ever on two nodes at once."""
    assert not theatre.broken, f"an earlier test left the cluster beyond repair: {theatre.broken}"
    try:
        yield theatre
    finally:
        theatre.restore()
    assert theatre.new_faults() == []


@pytest.fixture(scope="session")
def guarded_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A cluster of two nodes and a witness, profile `normal`, after playbooks/site.yml.

    The first test that uses this pays for the set-up: @pytest.mark.timeout(180).
    """
    namespaces_or_skip()
    wish = launch.Wish(witness=True)
    with launch.running(Places(tmp_path_factory.mktemp("guarded")), wish) as running:
        set_up(running, recovery=PATIENT | {"quick_check_s": 2, "deep_check_s": 2})
        yield running


@pytest.fixture(scope="module")
def guarded(guarded_lab: Lab) -> Iterator[Scene]:
    """The guarded cluster with oracles and clients that watch it for the time of one test file of failures."""
    with watched(guarded_lab, every_ms=EVERY_MS) as scene:
        yield scene


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What clients lost in each trial, for people to read: times are printed and not judged."""
    if TOLD:
        terminalreporter.section("seconds without service, as clients saw it")
        for line in TOLD:
            terminalreporter.write_line(line)


@pytest.fixture(scope="module")
def plain_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab whose nodes are only web servers, for tests of the world itself; one per test file."""
    namespaces_or_skip()
    with launch.running(Places(tmp_path_factory.mktemp("plain")), launch.Wish(program="plain")) as running:
        yield running


@pytest.fixture
def lab_folder(tmp_path: Path) -> Places:
    """An empty folder for a lab that the test starts itself."""
    namespaces_or_skip()
    return Places(tmp_path / "lab")
