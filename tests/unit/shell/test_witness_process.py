# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness as its own process: its command line, a kill at the worst moments, and files that are not its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from holdfast.arbiter import Surroundings
from holdfast.arbiter.witness import WitnessClient
from holdfast.core.values.arbitration import Claim, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Cluster, CommPath, Config, Witness
from holdfast.surface import Surface
from holdfast.transport.identity import Identity, Pki
from holdfast.witness.command import main as command
from holdfast.witness.machine import Machine as WitnessMachine
from holdfast.witness.memory import Memory, MemoryFile
from holdfast.witness.settings import PkiFiles, Settings, read_settings

T = TypeVar("T")
ADDRESS = "127.68.1.21"
LEASE = Lease(light_s=2.9, full_s=3.6)
KNOWN = Register(epoch=1, revision=1, promised_epoch=1)
PATIENCE_S = 20.0

# Ends the process at the very moment that is named, when the register that matters is being written.
DYING = """
import os, signal, sys
from holdfast.cli import main
from holdfast.witness import memory
save = memory.MemoryFile.save
def dying_save(self, known):
    if known.registers["shop"].epoch > 1 and sys.argv[1] == "before": os.kill(os.getpid(), signal.SIGKILL)
    save(self, known)
    if known.registers["shop"].epoch > 1: os.kill(os.getpid(), signal.SIGKILL)
memory.MemoryFile.save = dying_save
raise SystemExit(main(["witness", "run", "--config", sys.argv[2]]))
"""


class Machine:
    """The witness's machine: its configuration file, its state, and its process when it runs."""

    def __init__(self, root: Path, pki: Pki) -> None:
        with socket.socket() as one:
            one.bind((ADDRESS, 0))
            port = int(one.getsockname()[1])
        files = PkiFiles(authority=str(pki.authority), certificate=str(pki.certificate), key=str(pki.key))
        self.settings = Settings(
            cluster="web",
            name="w1",
            nodes=("n1", "n2"),
            listen=(ADDRESS,),
            port=port,
            pki=files,
            state=str(root / "state"),
        )
        self.state = root / "state"
        self.file = root / "witness.json"
        self.file.write_text(json.dumps(asdict(self.settings)))
        self.process: subprocess.Popen[str] | None = None

    def remember(self, **changes: Any) -> None:
        """Its memory before the test: it votes, and knows one group that nobody holds."""
        known = {"instance": "i" * 32, "confirmed_by": frozenset(("n1", "n2")), "voting": True}
        memory = Memory(**{**known, "registers": {"shop": KNOWN}, **changes})
        self.memory_file().save(memory)

    def memory_file(self) -> MemoryFile:
        return MemoryFile(folder=self.state, cluster="web", name="w1")

    def start(self, *, dying: str = "") -> subprocess.Popen[str]:
        words = ["-m", "holdfast", "witness", "run", "--config", str(self.file)]
        if dying:
            words = ["-c", DYING, dying, str(self.file)]
        env = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
        self.process = subprocess.Popen([sys.executable, *words], stderr=subprocess.PIPE, text=True, env=env)
        return self.process

    def stop(self) -> int:
        """As systemd does it; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(PATIENCE_S)
            assert self.process.stderr is not None
            self.process.stderr.close()


@pytest.fixture
def machine(tmp_path: Path, node_pki: Callable[..., Pki]) -> Iterator[Machine]:
    made = Machine(tmp_path, node_pki("w1"))
    yield made
    made.close()


class Folder:
    def __init__(self, root: Path) -> None:
        self.root = root

    def local_path(self, path: str) -> Path:
        return self.root / path.replace("\\", "/").replace(":", "")


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


def asked(machine: Machine, pki: Pki, root: Path, claim: Claim, patience_s: float = PATIENCE_S) -> Verdict | None:
    """The verdict on a claim that is repeated as the core repeats it; None when there is none in time."""

    async def ask() -> Verdict | None:
        answers: list[Consulted] = []
        paths = tuple(CommPath(name=path, addresses={"n1": "127.68.1.1", "n2": "127.68.1.2"}) for path in ("a", "b"))
        arbiter = Witness(name="w1", addresses={"a": ADDRESS}, port=machine.settings.port)
        around = Surroundings(
            node=claim.node,
            config=Config(
                cluster=Cluster(name="web", arbiter=arbiter, profile="normal", comm_port=1, comm_paths=paths)
            ),
            surface=cast(Surface, Folder(root / f"state-{claim.node}")),
            identity=Identity(pki=pki, in_thread=in_thread),
            in_thread=in_thread,
            on_answer=answers.append,
        )
        client = WitnessClient(arbiter, around)
        with contextlib.closing(client), contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                for number in range(1, 1000):
                    client.consult(number, claim)
                    await asyncio.sleep(0.05)
                    verdicts = [answer.verdict for answer in answers if answer.verdict is not None]
                    if verdicts:
                        return verdicts[0]
        return None

    return asyncio.run(ask())


def claim(node: str, epoch: int) -> Claim:
    return Claim(node=node, incarnation=1, lease=LEASE, group="shop", epoch=epoch, volume=False)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_the_write_forgets_nothing_that_was_answered(
    machine: Machine, node_pki: Callable[..., Pki], tmp_path: Path, moment: str
) -> None:
    machine.remember()
    dying = machine.start(dying=moment)
    first = asked(machine, node_pki("n1"), tmp_path, claim("n1", 2), patience_s=3.0)
    assert first is None, "what is not on the disk is not answered"
    assert dying.wait(PATIENCE_S) == -signal.SIGKILL
    machine.close()

    machine.start()
    second = asked(machine, node_pki("n2"), tmp_path, claim("n2", 2))
    assert second is not None
    # Written before the kill: the vote is given. Not written: it never was, and another may have it.
    assert second.granted == (moment == "before")
    if moment == "after":
        assert second.registers["shop"].holder == "n1"
        third = asked(machine, node_pki("n1"), tmp_path, claim("n1", 2))
        assert third is not None
        assert third.granted, "who was given the vote has it still"


def test_status_confirm_and_stop(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.start()
    words = ["--config", str(machine.file)]
    for _attempt in range(200):
        with contextlib.suppress(Exception):
            assert command(["status", *words], "1") == 0
            break
        assert machine.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            machine.process.wait(0.05)
    page = capsys.readouterr().out
    assert "does not vote" in page
    assert "not confirmed yet by n1, n2" in page

    assert command(["confirm", *words], "1") == 0
    assert "votes from now on" in capsys.readouterr().out
    assert command(["confirm", *words], "1") == 0
    assert "nothing was done" in capsys.readouterr().out
    assert command(["status", "--json", *words], "1") == 0
    assert json.loads(capsys.readouterr().out)["why_not_voting"] == ""

    assert machine.stop() == 0
    remembered = machine.memory_file().load()
    assert remembered is not None
    assert remembered.voting


def refusal(machine: Machine, capsys: pytest.CaptureFixture[str]) -> str:
    assert command(["run", "--console", "--config", str(machine.file)], "1") == 78
    return capsys.readouterr().err


def test_a_torn_memory_is_refused_with_what_to_do(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.remember()
    slots = machine.state / "registers.slots"
    slots.write_bytes(b"x" * slots.stat().st_size)

    told = refusal(machine, capsys)

    assert "torn" in told
    assert "move the folder" in told
    assert "accept-witness" in told


def test_the_memory_of_another_witness_is_refused(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    MemoryFile(folder=machine.state, cluster="web", name="w2").save(Memory(instance="i" * 32, registers={}))

    assert "it is of witness w2 of cluster web" in refusal(machine, capsys)


def test_an_older_copy_of_the_memory_is_refused(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    file = machine.memory_file()
    slots = machine.state / "registers.slots"
    copies = []
    for serial in (1, 2, 3):
        file.save(Memory(instance="i" * 32, serial=serial, registers={}))
        file.seal()
        copies.append(slots.read_bytes())
    slots.write_bytes(copies[0])

    assert "it is an older copy" in refusal(machine, capsys)


def test_a_memory_that_is_gone_is_refused_while_its_seal_is_there(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.remember()
    file = machine.memory_file()
    file.load()
    file.save(Memory(instance="i" * 32, registers={}))
    file.seal()
    (machine.state / "registers.slots").unlink()

    assert "it is missing" in refusal(machine, capsys)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nodes": ["n1"]}, "nodes must name the two or more nodes"),
        ({"nodes": ["n1", "w1"]}, "and not w1 itself"),
        ({"listen": []}, "listen names no address"),
        ({"listen": ["w1.example.com"]}, "no IP address"),
        ({"port": 0}, "port 0 is no TCP port"),
        ({"port": "7431"}, "port"),
        ({"cluster": ""}, "must not be empty"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    machine: Machine, capsys: pytest.CaptureFixture[str], change: dict[str, Any], words: str
) -> None:
    machine.file.write_text(json.dumps({**asdict(machine.settings), **change}))

    assert words in refusal(machine, capsys)


def test_settings_are_read_as_they_are_written(machine: Machine) -> None:
    assert read_settings(WitnessMachine(), str(machine.file)) == machine.settings


def test_without_settings_it_says_where_they_belong(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.file.unlink()

    assert "Role witness writes it" in refusal(machine, capsys)
