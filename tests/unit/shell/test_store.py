# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""State survives a crash at every step of every write; a file that is not ours, or not the latest, is refused."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest

from holdfast import paths
from holdfast.core.values.lineage import Lineage
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Cluster, CommPath, Config, Manual
from holdfast.errors import StateError
from holdfast.store.disk import RealDisk, put_durably
from holdfast.store.ledger import Ledger
from holdfast.store.state import REGISTERS, Store, set_aside
from holdfast.surface import Surface

CONFIG = Config(
    cluster=Cluster(
        name="web",
        arbiter=Manual(),
        profile="normal",
        comm_port=7430,
        comm_paths=(
            CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"}),
            CommPath(name="path-b", addresses={"n1": "10.77.2.11", "n2": "10.77.2.12"}),
        ),
    )
)
LINEAGE = Lineage(digest=CONFIG.digest, version=3, forebears=("b" * 16, "a" * 16))
OLD = {"shop": Register(epoch=6, holder="n2", promised_epoch=6)}
NEW = {"shop": Register(epoch=7, holder="n1", promised_epoch=8, promised_to="n2", out=frozenset({"docs"}))}


@dataclass
class Machine:
    """As much of the surface as the store asks for."""

    root: Path
    boot: str = "boot-1"

    def local_path(self, windows_path: str) -> Path:
        return self.root / windows_path.replace("C:\\", "").replace("\\", "/")

    def boot_id(self) -> str:
        return self.boot


def store(root: Path, disk: Any = None, boot: str = "boot-1") -> Store:
    return Store(cast(Surface, Machine(root, boot)), disk)


def state_file(root: Path, name: str) -> Path:
    return Machine(root).local_path(paths.STATE) / name


def written(root: Path, registers: Any = None) -> Store:
    """A node that has a configuration and registers."""
    made = store(root)
    made.save_config("n1", CONFIG, LINEAGE)
    made.save_registers(NEW if registers is None else registers, "manual")
    made.seal()
    return made


def test_what_was_saved_is_loaded_after_a_restart(tmp_path: Path) -> None:
    assert store(tmp_path).load().configured is None
    written(tmp_path)
    found = store(tmp_path, boot="boot-2").load()
    assert found.configured is not None
    assert (found.configured.node, found.configured.config) == ("n1", CONFIG)
    assert found.configured.lineage == LINEAGE
    assert (found.registers, found.boot_id) == (NEW, "boot-1")


def test_whom_an_operator_vouched_for_is_loaded_and_a_file_from_before_that_has_nobody(tmp_path: Path) -> None:
    made = written(tmp_path)
    made.save_registers(NEW, "manual", frozenset({"n2"}))
    made.seal()
    assert store(tmp_path).load().vouched == {"n2"}

    document = made._files.read(REGISTERS)
    assert document is not None
    earlier = {key: value for key, value in document.body.items() if key != "vouched"}
    made._files.write(REGISTERS, identity={"node": "n1", "cluster": "web"}, body=earlier)
    made.seal()
    found = store(tmp_path).load()
    assert (found.registers, found.vouched) == (NEW, frozenset())


# -- power cuts ---------------------------------------------------------------------------------------


class PowerCutError(Exception):
    pass


@dataclass
class PaperDisk:
    """A disk that remembers what is durable. ``left`` operations go well; the next one is cut in the middle.

    ``files`` is what readers see, ``synced`` the contents that were flushed, ``durable`` the names that were, with
    the contents they then lead to.
    """

    left: int = 10**6
    files: dict[Path, bytes] = field(default_factory=dict)
    durable: dict[Path, bytes] = field(default_factory=dict)
    synced: dict[Path, bytes] = field(default_factory=dict)
    renamed: set[Path] = field(default_factory=set)
    operations: list[str] = field(default_factory=list)

    def _count(self, what: str) -> None:
        self.operations.append(what)
        self.left -= 1
        if self.left < 0:
            raise PowerCutError(what)

    def read(self, path: Path) -> bytes | None:
        return self.files.get(path)

    def write(self, path: Path, data: bytes) -> None:
        self.files[path] = data[: len(data) // 2]
        self.synced.pop(path, None)
        self._count(f"write {path.name}")
        self.files[path] = data

    def overwrite(self, path: Path, offset: int, data: bytes) -> None:
        if path not in self.files:
            raise FileNotFoundError(path)
        assert offset + len(data) <= len(self.files[path]), "the file must not grow: one flush would not do"
        half = len(data) // 2
        self.files[path] = _put(self.files[path], offset, data[:half])
        self._count(f"overwrite {path.name} at {offset}")
        self.files[path] = _put(self.files[path], offset, data)

    def sync(self, path: Path) -> None:
        self._count(f"sync {path.name}")
        self.synced[path] = self.files[path]
        if path in self.durable and path not in self.renamed:
            self.durable[path] = self.synced[path]

    def replace(self, source: Path, target: Path) -> None:
        self._count(f"replace {target.name}")
        self.files[target] = self.files.pop(source)
        self.synced.pop(target, None)
        self.renamed.add(target)
        if source in self.synced:
            self.synced[target] = self.synced.pop(source)

    def sync_folder(self, folder: Path) -> None:
        self._count("sync folder")
        for path in self.files:
            if path.parent == folder:
                self.durable[path] = self.synced.get(path, b"")
                self.renamed.discard(path)

    def outcomes(self) -> Iterator[tuple[str, dict[Path, bytes]]]:
        """What the disk may hold after the cut: names old or new, contents that were not synced whole or torn."""
        yield "everything got through", dict(self.files)
        yield "only what was synced", dict(self.durable)
        for tear in (0, 1, 2):
            torn = {path: self._torn(path, tear, last_part_first=False) for path in self.files}
            yield f"only the first {tear}/3 of what was not synced", torn
            torn = {path: self._torn(path, tear, last_part_first=True) for path in self.files}
            yield f"only the last {tear}/3 of what was not synced", torn

    def _torn(self, path: Path, tear: int, *, last_part_first: bool) -> bytes:
        new, old = self.files[path], self.synced.get(path, b"")
        if old == new:
            return new
        if len(old) != len(new):
            return new[: len(new) * tear // 3]
        differing = [index for index in range(len(new)) if old[index] != new[index]]
        start, end = differing[0], differing[-1] + 1
        cut = start + (end - start) * tear // 3
        if last_part_first:
            cut = end - (end - start) * tear // 3
            return new[:start] + old[start:cut] + new[cut:]
        return new[:cut] + old[cut:]


def _put(content: bytes, offset: int, data: bytes) -> bytes:
    return content[:offset] + data + content[offset + len(data) :]


def interrupted(root: Path, work: Callable[[Store], None], check: Callable[[str, Store, bool], None]) -> int:
    """Cuts the power in every operation of the work in turn and looks at every outcome; how many there were."""
    seen = 0
    for left in range(100):
        disk = PaperDisk()
        before = store(root, disk)
        before.save_config("n1", CONFIG, LINEAGE)
        before.save_registers(OLD, "manual")
        before.seal()
        disk.left = left
        finished = False
        try:
            work(before)
            finished = True
        except PowerCutError:
            pass
        for outcome, files in disk.outcomes():
            after = PaperDisk(files=dict(files), durable=dict(files), synced=dict(files))
            check(f"cut in {disk.operations[-1]!r}, {outcome}", store(root, after), finished)
            seen += 1
        if finished:
            return seen
    raise AssertionError("the work never ends")


def test_registers_are_the_old_or_the_new_ones_wherever_the_power_is_cut(tmp_path: Path) -> None:
    def work(node: Store) -> None:
        node.save_registers(NEW, "manual")

    def check(cut: str, node: Store, finished: bool) -> None:
        registers = node.load().registers
        assert registers == NEW if finished else registers in (OLD, NEW), cut

    assert interrupted(tmp_path, work, check) == 8 * 3, "an overwrite and a flush, and nothing else"


def test_a_cut_while_the_seal_is_written_costs_nothing(tmp_path: Path) -> None:
    def work(node: Store) -> None:
        node.save_registers(OLD, "manual")
        node.save_registers(NEW, "manual")
        node.seal()
        node.save_registers(NEW, "manual")
        node.seal()

    def check(cut: str, node: Store, finished: bool) -> None:
        registers = node.load().registers
        assert registers == NEW if finished else registers in (OLD, NEW), cut
        node.save_registers(NEW, "manual")
        node.seal()
        assert node.load().registers == NEW, cut

    assert interrupted(tmp_path, work, check) == 8 * 15


def test_the_configuration_is_the_old_or_the_new_one_wherever_the_power_is_cut(tmp_path: Path) -> None:
    changed = replace(CONFIG, cluster=replace(CONFIG.cluster, comm_port=7431))

    def work(node: Store) -> None:
        node.save_config("n1", changed, LINEAGE.followed_by(changed.digest))

    def check(cut: str, node: Store, finished: bool) -> None:
        configured = node.load().configured
        assert configured is not None, cut
        assert configured.config == changed if finished else configured.config in (CONFIG, changed), cut
        assert configured.lineage.digest == configured.config.digest, cut

    assert interrupted(tmp_path, work, check) == 8 * 9


def test_the_very_first_write_can_be_cut_anywhere(tmp_path: Path) -> None:
    for left in range(9):
        disk = PaperDisk(left=left)
        try:
            store(tmp_path, disk).save_config("n1", CONFIG, LINEAGE)
        except PowerCutError:
            pass
        for outcome, files in disk.outcomes():
            after = PaperDisk(files=dict(files), durable=dict(files), synced=dict(files))
            configured = store(tmp_path, after).load().configured
            assert configured is None or configured.config == CONFIG, f"{left} {outcome}"


@pytest.mark.parametrize("forgotten", ["sync", "sync_folder"])
def test_the_paper_disk_finds_a_forgotten_sync(tmp_path: Path, forgotten: str) -> None:
    """The check of the checker: without either sync, some outcome is wrong."""

    class ForgetfulDisk(PaperDisk):
        def sync(self, path: Path) -> None:
            if forgotten != "sync":
                super().sync(path)

        def sync_folder(self, folder: Path) -> None:
            if forgotten != "sync_folder":
                super().sync_folder(folder)

    disk = ForgetfulDisk()
    path = tmp_path / "file"
    put_durably(disk, path, b"new content")
    assert any(files.get(path) != b"new content" for _, files in disk.outcomes())


def test_the_real_disk_does_the_same(tmp_path: Path) -> None:
    disk = RealDisk()
    path = tmp_path / "file.json"
    assert disk.read(path) is None
    for content in (b"one", b"two"):
        put_durably(disk, path, content)
        assert disk.read(path) == content
    assert [found.name for found in tmp_path.iterdir()] == ["file.json"]


# -- files that are refused ---------------------------------------------------------------------------


def refused(root: Path) -> str:
    with pytest.raises(StateError) as error:
        store(root).load()
    said = str(error.value)
    assert str(state_file(root, "")) in said, "the file is named"
    return said


@pytest.mark.parametrize("name", ["registers.slots", "config.json"])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda content: content[:100], "torn or not a state file"),
        (lambda content: content[:0], "torn or not a state file"),
        (lambda content: b"\0" * len(content), "torn or not a state file"),
        (lambda content: content.replace(b'"serial":1', b'"serial":9'), "its checksum does not fit"),
        (lambda content: content[:0] + b"[]", "torn or not a state file"),
        (lambda content: content[:0] + b"[" * 100_000, "torn or not a state file"),
    ],
)
def test_a_damaged_file_is_refused_with_what_to_do(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes], said: str
) -> None:
    written(tmp_path)
    path = state_file(tmp_path, name)
    path.write_bytes(damage(path.read_bytes()))
    message = refused(tmp_path)
    assert said in message
    assert name in message
    assert "run 'holdfast forget-state' here" in message


@pytest.mark.parametrize("name", ["registers.slots", "config.json"])
def test_a_file_of_a_newer_version_asks_for_that_version(tmp_path: Path, name: str) -> None:
    written(tmp_path)
    path = state_file(tmp_path, name)
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2'))
    assert "written by a newer Holdfast (format 2; this one knows 1)" in refused(tmp_path)


def test_an_older_copy_of_the_registers_is_refused(tmp_path: Path) -> None:
    node = written(tmp_path, OLD)
    path = state_file(tmp_path, "registers.slots")
    backup = path.read_bytes()
    node.save_registers(NEW, "manual")
    node.seal()
    path.write_bytes(backup)
    assert "it is an older copy: number 1, while this node wrote number 2 last" in refused(tmp_path)


def test_damage_to_the_latest_slot_is_not_passed_over_for_the_one_before(tmp_path: Path) -> None:
    """Without the seal the slot before would count, and the epoch would go back."""
    node = written(tmp_path, OLD)
    node.save_registers(NEW, "manual")
    path = state_file(tmp_path, "registers.slots")
    content = path.read_bytes()
    start = len(content) // 2
    damaged = content[: start + 20] + b"?" + content[start + 21 :]
    path.write_bytes(damaged)
    assert store(tmp_path).load().registers == OLD, "not sealed yet: the power may have gone in the middle"
    path.write_bytes(content)
    node.seal()
    path.write_bytes(damaged)
    assert "it is an older copy: number 1, while this node wrote number 2 last" in refused(tmp_path)


def test_the_slots_grow_with_what_is_in_them(tmp_path: Path) -> None:
    node = written(tmp_path)
    sizes = []
    for count in (10, 100, 1000, 10):
        registers = {f"group-{number}": NEW["shop"] for number in range(count)}
        for _ in range(3):
            node.save_registers(registers, "manual")
            assert store(tmp_path).load().registers == registers
        sizes.append(state_file(tmp_path, "registers.slots").stat().st_size)
    assert sizes[0] < sizes[1] < sizes[2] == sizes[3]


def test_a_file_that_was_deleted_while_the_monitor_runs_is_written_anew(tmp_path: Path) -> None:
    node = written(tmp_path, OLD)
    state_file(tmp_path, "registers.slots").unlink()
    node.save_registers(NEW, "manual")
    node.seal()
    assert store(tmp_path).load().registers == NEW


def test_an_older_copy_of_the_configuration_is_refused(tmp_path: Path) -> None:
    node = written(tmp_path)
    path = state_file(tmp_path, "config.json")
    backup = path.read_bytes()
    changed = replace(CONFIG, cluster=replace(CONFIG.cluster, comm_port=7431))
    node.save_config("n1", changed, LINEAGE.followed_by(changed.digest))
    path.write_bytes(backup)
    assert "it is an older copy" in refused(tmp_path)


def test_a_file_of_another_machine_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "n1")
    written(tmp_path / "n2", OLD)
    for name in ("registers.slots", "config.json"):
        ours = state_file(tmp_path / "n1", name)
        kept = ours.read_bytes()
        shutil.copy(state_file(tmp_path / "n2", name), ours)
        assert "it is of another machine (cluster web, node n1)" in refused(tmp_path / "n1")
        ours.write_bytes(kept)
    assert store(tmp_path / "n1").load().registers == NEW


def test_registers_of_another_node_are_refused_even_without_a_seal(tmp_path: Path) -> None:
    written(tmp_path / "n1")
    other = store(tmp_path / "n2")
    other.save_config("n2", CONFIG, LINEAGE)
    other.save_registers(NEW, "manual")
    for found in ("registers.slots", "config.json"):
        document = json.loads(state_file(tmp_path / "n2", found).read_bytes())
        assert document["identity"] == {"node": "n2", "cluster": "web"}
    shutil.copy(state_file(tmp_path / "n2", "registers.slots"), state_file(tmp_path / "n1", "registers.slots"))
    shutil.rmtree(Machine(tmp_path / "n1").local_path(paths.DATA + r"\run"))
    assert "is refused" in refused(tmp_path / "n1")


def test_one_kind_of_file_in_the_place_of_another_is_refused(tmp_path: Path) -> None:
    written(tmp_path)
    config = state_file(tmp_path, "config.json").read_bytes()
    state_file(tmp_path, "registers.slots").write_bytes(config[:-1].ljust(4000) + b"\n" + b" " * 4001)
    assert "it is a file of kind 'config'" in refused(tmp_path)


def test_a_file_that_disappeared_is_missed(tmp_path: Path) -> None:
    written(tmp_path)
    state_file(tmp_path, "registers.slots").unlink()
    assert "it is missing, although this node wrote number 1 of it" in refused(tmp_path)


def test_a_lost_seal_is_made_anew_and_the_files_speak_for_themselves(tmp_path: Path) -> None:
    written(tmp_path)
    seal = Machine(tmp_path).local_path(paths.DATA + r"\run\seal.json")
    seal.write_bytes(b"garbage")
    assert store(tmp_path).load().registers == NEW
    seal.write_bytes(b"")
    node = store(tmp_path)
    assert node.load().registers == NEW
    node.save_registers(OLD, "manual")
    node.seal()
    assert json.loads(seal.read_bytes())["marks"]["registers"]["serial"] == 2
    assert store(tmp_path).load().registers == OLD


def test_forgetting_sets_the_files_aside_and_the_node_starts_as_a_new_one(tmp_path: Path) -> None:
    written(tmp_path)
    state_file(tmp_path, "registers.slots").write_bytes(b"torn")
    machine = cast(Surface, Machine(tmp_path))
    aside = set_aside(machine, datetime.datetime(2026, 11, 22, 3, 4, 5, tzinfo=datetime.UTC))
    assert aside is not None
    assert aside.name == "set-aside-20261122T030405Z"
    assert sorted(path.name for path in aside.iterdir()) == ["config.json", "registers.slots", "seal.json"]
    assert store(tmp_path).load().configured is None
    assert set_aside(machine, datetime.datetime.now(datetime.UTC)) is None


def test_incarnations_grow_even_when_the_clock_is_set_back_or_the_file_is_lost(tmp_path: Path) -> None:
    assert store(tmp_path).next_incarnation(1_000_000) == 1_000_000
    assert store(tmp_path).next_incarnation(5) == 1_000_001
    assert store(tmp_path).next_incarnation(2_000_000) == 2_000_000
    state_file(tmp_path, "incarnation").write_bytes(b"torn")
    assert store(tmp_path).next_incarnation(3_000_000) == 3_000_000


# -- the ledger ---------------------------------------------------------------------------------------


def test_the_ledger_gives_the_latest_records_oldest_first(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state" / "history.jsonl")
    assert ledger.last(5) == []
    for number in range(4):
        ledger.append({"number": number, "text": "\u00e4\ud800"})
    assert [record["number"] for record in Ledger(tmp_path / "state" / "history.jsonl").last(3)] == [1, 2, 3]
    assert ledger.last(0) == []


def test_a_torn_last_line_costs_that_line_only(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "history.jsonl")
    ledger.append({"number": 1})
    with (tmp_path / "history.jsonl").open("ab") as file:
        file.write(b'{"number": 2, "te')
    ledger.append({"number": 3})
    assert [record["number"] for record in ledger.last(10)] == [1, 3]


def test_the_ledger_is_bounded_and_reads_across_its_rotation(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "history.jsonl", bytes_max=2000)
    for number in range(500):
        ledger.append({"number": number})
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert sum(sizes) < 4100
    latest = [record["number"] for record in ledger.last(100)]
    assert latest == list(range(400, 500))
