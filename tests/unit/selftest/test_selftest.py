# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The self-test itself: it covers every primitive, it notices what is wrong, it leaves nothing behind."""

from __future__ import annotations

import argparse
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.values.model import Binding
from holdfast.errors import NotThereError, SurfaceError
from holdfast.selftest import add_arguments, main
from holdfast.selftest import iis as iis_checks
from holdfast.selftest import machine as machine_checks
from holdfast.selftest import network as network_checks
from holdfast.selftest import storage as storage_checks
from holdfast.selftest.catalogue import CHECKS, ELSEWHERE
from holdfast.selftest.check import Check, Scratch, ScratchAddress, ScratchDisk, run_check
from holdfast.selftest.command import scratch_of
from holdfast.surface import Address, SiteState, Surface
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

DISK = "HFLAB-DISK-0001"
ADDRESS = ScratchAddress(interface="LAN", address="127.0.0.77", prefix_length=8)
SCRATCH = Scratch(port=0, address=ADDRESS, disk=ScratchDisk(disk=DISK, letter="T:"))


class Answering(BaseHTTPRequestHandler):
    """Every request is answered with 204."""

    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        del code, size


class Strict(MemorySurface):
    """The memory surface with what the checks ask for beyond it: a refusal, and a site that really listens."""

    def __init__(self, world: MemoryWorld, name: str, number: int) -> None:
        super().__init__(world, name, number)
        self.listener: ThreadingHTTPServer | None = None
        self.port = 0
        self.entries.append(
            Address(
                interface="LAN",
                address="10.77.0.11",
                prefix_length=24,
                usable=True,
                skip_as_source=False,
                lifetime_s=0xFFFFFFFF,
            )
        )

    def restrict_to_administrators(self, windows_path: str) -> None:
        if not self.local_path(windows_path).exists():
            raise NotThereError("restrict_to_administrators", "there is no such file")

    def iis_start(self, *, site: str) -> None:
        super().iis_start(site=site)
        if self.listener is None:
            self.listener = ThreadingHTTPServer(("127.0.0.1", self.port), Answering)
            threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def iis_stop(self, *, site: str) -> None:
        super().iis_stop(site=site)
        self.close()

    def close(self) -> None:
        if self.listener is not None:
            self.listener.shutdown()
            self.listener.server_close()
            self.listener = None


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Strict]:
    made = Strict(MemoryWorld(tmp_path, disks=[DISK]), "n1", number=1)
    yield made
    made.close()


@pytest.fixture
def free_port(node: Strict) -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as probe:
        node.port = probe.server_address[1]
    return node.port


def _check(*names: str) -> Check:
    return next(check for check in CHECKS if check.primitives.startswith(names))


def test_every_primitive_is_in_a_check_or_proved_elsewhere() -> None:
    primitives = {name for name in vars(Surface) if not name.startswith("_")}
    checked = {name.strip() for check in CHECKS for name in check.primitives.split("(")[0].split(",")}
    assert checked | set(ELSEWHERE) == primitives


def test_a_site_that_keeps_its_promise_is_proved_and_gone(node: Strict, free_port: int) -> None:
    result = run_check(_check("iis_commit"), node, Scratch(port=free_port))
    assert result.outcome == "proved", result.told
    assert "start" in result.told
    assert iis_checks.NAME not in node.iis.decode()
    assert not node.local_path(iis_checks.CONTENT).exists()


def test_a_site_that_starts_by_itself_is_noticed_and_still_removed(node: Strict, free_port: int) -> None:
    class Eager(Strict):
        def iis_start(self, *, site: str) -> None:
            super().iis_start(site=site)
            self.iis = self.iis.replace(b'serverAutoStart="false"', b'serverAutoStart="true"')

    eager = Eager(node.world, "n1", number=1)
    eager.port = free_port
    result = run_check(_check("iis_commit"), eager, Scratch(port=free_port))
    eager.close()
    assert (result.outcome, result.told) == ("failed", "starting the site turned serverAutoStart on")
    assert iis_checks.NAME not in eager.iis.decode()


def test_a_site_that_listens_after_its_stop_is_noticed(
    node: Strict, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf(Strict):
        def iis_stop(self, *, site: str) -> None:
            MemorySurface.iis_stop(self, site=site)

    monkeypatch.setattr(iis_checks, "STATE_S", 0.3)
    deaf = Deaf(node.world, "n1", number=1)
    deaf.port = free_port
    result = run_check(_check("iis_commit"), deaf, Scratch(port=free_port))
    deaf.close()
    assert (result.outcome, result.told) == ("failed", "the stopped site still listens")


def test_a_site_left_by_a_killed_self_test_is_no_obstacle(node: Strict, free_port: int) -> None:
    iis_checks._write(node, iis_checks._site(Binding(protocol="http", ip="127.0.0.1", port=1)))
    assert run_check(_check("iis_commit"), node, Scratch(port=free_port)).outcome == "proved"


def test_an_address_that_comes_and_goes_is_proved(node: Strict) -> None:
    result = run_check(_check("add_address, remove"), node, SCRATCH)
    assert result.outcome == "proved", result.told
    assert ADDRESS.address not in [entry.address for entry in node.entries]


def test_an_address_that_is_in_use_is_not_touched(node: Strict) -> None:
    network_checks._add(node, ADDRESS, 60)
    node.changes()
    result = run_check(_check("add_address, remove"), node, SCRATCH)
    assert (result.outcome, result.told) == ("failed", "127.0.0.77 is on this machine; give one that is free")
    assert node.changes() == []


def test_an_address_that_outlives_its_lifetime_is_noticed_and_removed(
    node: Strict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network_checks, "LIFETIME_S", 0.1)
    monkeypatch.setattr(network_checks, "LATE_S", 0.1)
    result = run_check(_check("add_address (life"), node, SCRATCH)
    assert result.outcome == "failed"
    assert "the address is still there" in result.told
    assert ADDRESS.address not in [entry.address for entry in node.entries]


def test_an_address_that_another_machine_answers_for_is_refused(node: Strict) -> None:
    other = node.world.node("n2")
    network_checks._add(other, ADDRESS, 60)
    result = run_check(_check("neighbour"), node, SCRATCH)
    assert result.outcome == "failed"
    assert "is not free: 02:48:46:00:00:01 answers for it" in result.told


def test_a_disk_in_use_is_not_touched(node: Strict) -> None:
    node.world.disks[DISK].holder = "00000000000000ff"
    result = run_check(_check("reserve_disk"), node, SCRATCH)
    assert result.outcome == "failed"
    assert "the disk is in use" in result.told
    assert node.changes() == []


def test_a_volume_that_goes_while_a_file_is_open_is_noticed_and_given_up(node: Strict) -> None:
    result = run_check(_check("reserve_disk"), node, SCRATCH)
    assert (result.outcome, result.told) == ("failed", "a volume with an open file was dismounted without force")
    disk = node.world.disks[DISK]
    assert (disk.holder, disk.online, disk.letters) == (None, set(), {})


def test_a_boot_id_that_changes_within_a_boot_is_noticed(node: Strict) -> None:
    numbers = iter(range(9))
    node.boot_id = lambda: f"boot-{next(numbers)}"  # type: ignore[method-assign] # the fault of this test
    result = run_check(_check("boot_id"), node, SCRATCH)
    assert (result.outcome, result.told) == ("failed", "the boot id was boot-0 and is now boot-1")


def test_a_clock_that_stands_still_is_noticed(node: Strict) -> None:
    node.monotonic_s = lambda: 7.0  # type: ignore[method-assign] # the fault of this test
    assert run_check(_check("monotonic_s"), node, SCRATCH).told == "half a second was 0.000 s on this clock"


def test_the_scratch_folder_goes_even_when_restricting_fails(node: Strict, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(windows_path: str) -> None:
        raise SurfaceError("restrict_to_administrators", f"{windows_path}: access denied", 5)

    monkeypatch.setattr(node, "restrict_to_administrators", denied)
    assert run_check(_check("local_path"), node, SCRATCH).outcome == "failed"
    assert not node.local_path(machine_checks.FOLDER).exists()


def test_a_failing_primitive_is_told_with_its_code(node: Strict) -> None:
    node.fail["disks"] = SurfaceError("disks", "access denied", 5)
    assert run_check(storage_checks.CHECKS[0], node, SCRATCH).told == "disks: access denied (code 0x00000005)"


# -- the command ----------------------------------------------------------------------------------
def _options(*texts: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(texts)


def test_without_options_nothing_of_the_users_is_touched(
    node: Strict, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(_options("--port", str(free_port), "--json"), node)
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    asked = {row["primitives"] for row in rows if row["outcome"] != "not asked"}
    assert not any(name in primitives for primitives in asked for name in ("add_address", "reserve", "bind_"))
    failed = [row["primitives"] for row in rows if row["outcome"] == "failed"]
    assert (failed, code) == (["disks"], 1)  # the memory surface has no drive C:


def test_the_table_tells_outcome_measurement_source_and_sum(node: Strict, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(_options("--without-iis"), node)
    shown = capsys.readouterr().out
    assert "proved" in shown
    assert "finest step" in shown
    assert "source: KUSER_SHARED_DATA.BootId" in shown
    assert "give --interface and --address" in shown
    assert shown.rstrip().endswith("8 proved, 1 failed, 10 not asked")
    assert code == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--interface", "LAN"), "--interface needs --address beside it"),
        (("--disk", "D"), "--disk needs --letter beside it"),
        (("--letter", "T:"), "--letter needs --disk beside it"),
        (("--neighbour", "10.0.0.1"), "--neighbour needs --interface and --address beside it"),
        (("--interface", "LAN", "--address", "10.0.0.1"), "write it like 10.0.0.250/24"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_tried(
    node: Strict, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert main(_options(*options), node) == 2
    assert said in capsys.readouterr().out
    assert node.changes() == []


def test_options_become_scratch_objects() -> None:
    given = _options(
        *("--interface", "LAN", "--address", "10.0.0.250/24", "--neighbour", "10.0.0.1"),
        *("--disk", "D", "--letter", "T:", "--certificate", "ab", "--port", "99"),
    )
    assert scratch_of(given) == Scratch(
        port=99,
        address=ScratchAddress(interface="LAN", address="10.0.0.250", prefix_length=24),
        neighbour="10.0.0.1",
        disk=ScratchDisk(disk="D", letter="T:"),
        certificate="ab",
    )


def test_an_unknown_run_state_is_not_taken_for_stopped(
    node: Strict, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent(Strict):
        def iis_state(self, *, site: str) -> SiteState:
            super().iis_state(site=site)
            return "unknown"

    monkeypatch.setattr(iis_checks, "STATE_S", 0.2)
    silent = Silent(node.world, "n1", number=1)
    assert run_check(_check("iis_commit"), silent, Scratch(port=free_port)).told == "a new site is unknown"
