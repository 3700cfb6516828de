# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that renews at an etcd whose leader is cut off from the other members, and not from the node."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from holdfast.core.values.profiles import TIMERS
from holdfast_lab.world import launch
from holdfast_lab.world.places import Places
from holdfast_lab.world.preflight import NotPossibleError, check
from holdfast_lab.world.remote import Lab

VM = TIMERS["vm"]
MEMBERS = {"e1": 31, "e2": 32, "e3": 33}
BEFORE_S, CUT_S, SECONDS = 2.0, 6.0, 9.0
ASK_ALL = (
    "import json, sys; from holdfast_lab.etcd.gateway import call; "
    "print(json.dumps([call(url, '/v3/maintenance/status', {}) for url in sys.argv[1:]]))"
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two machines and an etcd of three members, which talk to each other over network a; no monitor."""
    try:
        check({"etcd": "etcd-server", "ip": "iproute2"})
    except NotPossibleError as error:
        pytest.skip(str(error))
    wish = launch.Wish(program="plain", etcd=True)
    with launch.running(Places(tmp_path_factory.mktemp("etcd-cut")), wish) as lab:
        yield lab


@pytest.mark.long
@pytest.mark.timeout(120)
def test_the_lease_outlasts_a_leader_that_only_the_other_members_have_lost(plain: Lab) -> None:
    """The node still reaches the old leader over network b. It answers, and nothing that it says may count."""
    leader = until_led(plain)
    endpoints = [f"http://10.77.2.{host}:2379" for host in MEMBERS.values()]
    command = [sys.executable, "-m", "holdfast_lab.etcd.renewing", str(SECONDS), str(VM.renew_s), *endpoints]

    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(plain.run, "n1", command, timeout_s=40.0)
        time.sleep(BEFORE_S)
        plain.fault("cut_path", node=leader, network="a")
        cut_s = time.monotonic()
        try:
            time.sleep(CUT_S)
        finally:
            plain.fault("heal", node=leader)
        done = renewing.result()

    assert done.code == 0, done.err
    renewals = [(float(asked), float(told)) for asked, told in json.loads(done.out.splitlines()[-1])]
    gap_s = max(told_s - before_s for (before_s, _told), (_asked, told_s) in pairwise(renewals))
    during = [asked_s for asked_s, _told in renewals if cut_s + 4.0 < asked_s < cut_s + CUT_S]
    print(f"longest gap between acknowledged renewals {gap_s:.2f} s")
    assert during, "no renewal was acknowledged while the old leader was cut off"
    assert gap_s < VM.own_s


def until_led(lab: Lab) -> str:
    """The member that leads, as all see it."""
    urls = [f"http://10.77.1.{host}:2379" for host in MEMBERS.values()]
    end_s = time.monotonic() + 20.0
    while time.monotonic() < end_s:
        done = lab.run("n1", [sys.executable, "-c", ASK_ALL, *urls], timeout_s=15.0)
        found = json.loads(done.out) if done.code == 0 else []
        ids = {each["header"]["member_id"]: name for each, name in zip(found, MEMBERS, strict=False)}
        leaders = {each.get("leader", "") for each in found}
        if len(leaders) == 1 and (name := ids.get(leaders.pop())):
            return name
        time.sleep(0.2)
    raise TimeoutError("the etcd of the lab has no leader")
