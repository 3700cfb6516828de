# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The IIS part of the Windows surface against an imitation of the configuration system's COM objects.

The imitation answers IDispatch calls (GetIDsOfNames, Invoke) for the object model that Microsoft documents for
scripts (native-code-api-reference). It shows that our walk through that model is right; whether Windows' own
objects answer the same is what ``holdfast selftest`` finds out.
"""

from __future__ import annotations

import sys
import threading
import types
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.values.model import Binding, Site
from holdfast.errors import NotThereError, SurfaceError
from holdfast.surface_win32 import Win32Surface, api, iis_com
from holdfast.surface_win32 import iis as surface_iis
from holdfast.surface_win32.iis import run_states
from holdfast.windows.iis_changes import removal, site_changes
from holdfast.windows.iis_config import parse_sites

FIXTURE = Path(__file__).parent / "fixtures" / "iis10-server2022.config"
NOT_FOUND, SHARING, DENIED = -2147020584, -2147024864, -2147024891  # 0x800710D8, 0x80070020, 0x80070005
GET, PUT = 3, 4
SINGLE = {"bindings", "logFile", "limits", "workerProcesses", "ftpServer", "hsts", "siteDefaults"}
TYPES = {"serverAutoStart": "bool", "id": "uint", "sslFlags": "uint", "timeElapsedFilter": "uint"}


class ComError(Exception):
    """pywintypes.com_error."""


@dataclass
class Iis:
    """The imitated IIS: file, run states, what HTTP.sys has, and what shall go wrong."""

    text: bytes
    states: dict[str, int] = field(default_factory=dict)
    pools: dict[str, int] = field(default_factory=dict)
    workers: dict[str, list[list[int]]] = field(default_factory=dict)
    certificates: dict[str, str] = field(default_factory=dict)
    failures: dict[str, list[int]] = field(default_factory=dict)
    commits: int = 0
    items_read: int = 0
    calls: list[str] = field(default_factory=list)

    def meet(self, what: str) -> None:
        if codes := self.failures.get(what):
            raise ComError(codes.pop(0), f"{what} failed", None, None)


class Com:
    """A COM object: members by name; a callable member is a method or an indexed property."""

    def __init__(self, members: dict[str, Any], puts: dict[str, Callable[[Any], None]] | None = None) -> None:
        self._members = members
        self._puts = puts or {}
        self._names = [*members, *self._puts]

    def GetIDsOfNames(self, lcid: int, name: str) -> int:  # noqa: N802 - COM's name
        assert lcid == 0
        if name not in self._names:
            raise ComError(-2147352570, f"unknown name {name}", None, None)
        return self._names.index(name)

    def Invoke(self, dispid: int, lcid: int, flags: int, wanted: int, *arguments: Any) -> Any:  # noqa: N802 - COM's name
        name = self._names[dispid]
        assert lcid == 0
        if flags == PUT:
            assert not wanted
            self._puts[name](*arguments)
            return None
        assert flags == GET
        member = self._members[name]
        return member(*arguments) if callable(member) else member


def _manager(iis: Iis) -> Com:
    root = ET.fromstring(iis.text)

    def section(name: str, path: str) -> Com:
        assert path == "MACHINE/WEBROOT/APPHOST"
        found = root.find(name)
        assert found is not None, name
        return _element(iis, found)

    def commit() -> None:
        iis.meet("CommitChanges")
        iis.commits += 1
        iis.text = ET.tostring(root)

    return Com({"GetAdminSection": section, "CommitChanges": commit}, {"CommitPath": lambda _path: None})


def _element(iis: Iis, element: ET.Element) -> Com:
    return Com(
        {
            "Name": element.tag,
            "Collection": lambda: _collection(iis, element),
            "ChildElements": Com({"Item": lambda name: _child(iis, element, name)}),
            "Properties": Com({"Item": lambda name: _property(iis, element, name)}),
            "Methods": Com({"Item": lambda name: _method(iis, element, name)}),
            "Clear": element.clear,
            "Element": lambda: element,
        }
    )


def _child(iis: Iis, element: ET.Element, name: str) -> Com:
    assert name in SINGLE, name
    if name == "workerProcesses":
        iis.meet("workerProcesses")
        pools = [element.get("name", "")] if element.tag == "add" else list(iis.workers)
        made = ET.Element(name)
        for pool in pools:
            for requests in iis.workers.get(pool, []):
                ET.SubElement(made, "workerProcess", requests=",".join(map(str, requests)))
        return _element(iis, made)
    found = element.find(name)
    return _element(iis, ET.SubElement(element, name) if found is None else found)


def _collection(iis: Iis, element: ET.Element) -> Com:
    def items() -> list[ET.Element]:
        return [child for child in element if child.tag not in SINGLE and not child.tag.endswith("Defaults")]

    def item(index: int) -> Com:
        iis.items_read += 1
        return _element(iis, items()[index])

    return Com(
        {
            "Count": lambda: len(items()),
            "Item": item,
            "CreateNewElement": lambda name: _element(iis, ET.Element(name)),
            "AddElement": lambda made: element.append(made.Invoke(made.GetIDsOfNames(0, "Element"), 0, GET, 1)),
            "DeleteElement": lambda index: element.remove(items()[index]),
        }
    )


def _property(iis: Iis, element: ET.Element, name: str) -> Com:
    def value() -> Any:
        if name == "state":
            states = iis.states if element.tag == "site" else iis.pools
            iis.meet("state")
            return states.get(element.get("name", ""), 3)
        if name == "certificateHash":
            return iis.certificates.get(element.get("bindingInformation", ""), "")
        return element.get(name, "")

    def put(given: Any) -> None:
        kind = TYPES.get(name, "string")
        expected = {"bool": bool, "uint": int, "string": str}[kind]
        if type(given) is not expected:
            raise ComError(-2147024883, f"{name} wants {kind}", None, None)
        element.set(name, str(given).lower() if kind == "bool" else str(given))

    schema = Com({"Type": TYPES.get(name, "string")})
    return Com({"Value": value, "Schema": schema}, {"Value": put})


def _method(iis: Iis, element: ET.Element, method: str) -> Com:
    inputs = ET.Element("input")
    name = str(element.get("name") or element.get("bindingInformation", ""))

    def execute() -> None:
        iis.calls.append(f"{method} {name}".strip())
        iis.meet(method)
        states = iis.states if element.tag == "site" else iis.pools
        match method:
            case "Start":
                states[name] = 1
            case "Stop":
                states[name] = 3
                iis.workers.pop(name, None) if element.tag == "add" else None
            case "AddSslCertificate":
                iis.certificates[name] = inputs.get("certificateHash", "")
            case "RemoveSslCertificate":
                del iis.certificates[name]

    def output() -> Com:
        made = ET.Element("output")
        for number in filter(None, element.get("requests", "").split(",")):
            ET.SubElement(made, "request", siteId=number)
        return _element(iis, made)

    instance = Com({"Input": _element(iis, inputs), "Execute": execute, "Output": output})
    return Com({"CreateInstance": lambda: instance})


@pytest.fixture
def iis(monkeypatch: pytest.MonkeyPatch) -> Iis:
    imitation = Iis(FIXTURE.read_bytes())
    initialised: list[int] = []

    def create(_clsid: object, _outer: object, _context: object, _iid: object) -> Com:
        assert initialised, "COM was not initialised in this thread"
        return _manager(imitation)

    pythoncom = types.SimpleNamespace(
        CoInitializeEx=initialised.append,
        CoCreateInstance=create,
        CLSCTX_INPROC_SERVER=1,
        IID_IDispatch="IDispatch",
    )
    monkeypatch.setitem(sys.modules, "pythoncom", pythoncom)
    pywintypes = types.SimpleNamespace(com_error=ComError, IID=lambda text: text)
    monkeypatch.setitem(sys.modules, "pywintypes", pywintypes)
    monkeypatch.setattr(surface_iis, "TRANSITION_S", 0.5)
    monkeypatch.setattr(api, "_THREAD", threading.local())
    monkeypatch.setattr(sys, "coinit_flags", 0, raising=False)
    return imitation


WANTED = Site(
    name="shop",
    kind="web",
    content=r"Y:\shop",
    app_pool="new-pool",
    bindings=(
        Binding(protocol="http", ip="10.77.0.113", port=80),
        Binding(protocol="https", ip="10.77.0.113", port=8443, host="shop.example.com", sni=True),
    ),
)


def _sites(iis: Iis) -> dict[str, Any]:
    return dict(parse_sites(iis.text, {"SystemDrive": "C:"}))


def _many(count: int) -> list[Site]:
    http = Binding(protocol="http", ip="10.78.0.1", port=80)
    return [
        Site(name=f"s{n}", kind="web", content=rf"C:\\s{n}", app_pool=f"s{n}", bindings=(replace(http, host=f"s{n}"),))
        for n in range(count)
    ]


def test_a_commit_lists_a_collection_once_however_many_sites_are_described(iis: Iis) -> None:
    Win32Surface().iis_commit([change for site in _many(100) for change in site_changes(None, site)])
    assert {f"s{n}" for n in range(100)} <= set(_sites(iis))
    assert iis.items_read < 100


def test_many_sites_that_are_removed_in_one_commit_are_the_right_ones(iis: Iis) -> None:
    before = set(_sites(iis))
    Win32Surface().iis_commit([change for site in _many(20) for change in site_changes(None, site)])
    Win32Surface().iis_commit([removal(f"s{n}") for n in range(0, 20, 2)])
    assert set(_sites(iis)) - before == {f"s{n}" for n in range(1, 20, 2)}


def test_the_states_of_some_sites_are_read_in_one_look(iis: Iis) -> None:
    Win32Surface().iis_commit([change for site in _many(50) for change in site_changes(None, site)])
    iis.states |= {"s3": 1, "s4": 1}
    iis.pools |= {f"s{n}": 1 for n in range(50)} | {"s4": 3}
    iis.items_read = 0
    states = Win32Surface().iis_states(sites={"s3", "s4", "s5", "nope"})
    assert states == {"s3": "started", "s4": "failed", "s5": "stopped"}
    assert iis.items_read < 150


def test_com_is_initialised_once_in_each_thread_and_free_threaded(iis: Iis) -> None:
    del iis
    modes = sys.modules["pythoncom"].CoInitializeEx.__self__
    for _ in range(2):
        Win32Surface().iis_state(site="shop")
    thread = threading.Thread(target=lambda: Win32Surface().iis_state(site="shop"))
    thread.start()
    thread.join(10)
    assert modes == [0, 0]


@pytest.mark.parametrize("name", ["shop", "fresh", "intranet"])
def test_all_edits_of_a_site_arrive_in_one_commit(iis: Iis, name: str) -> None:
    wanted = Site(name=name, kind="web", content=WANTED.content, app_pool="new-pool", bindings=WANTED.bindings)
    before = _sites(iis)
    Win32Surface().iis_commit(site_changes(before.get(name), wanted, taken_ids={1, 2, 3, 4, 5}))
    after = _sites(iis)
    assert iis.commits == 1
    assert after[name].site.content == wanted.content
    assert set(after[name].site.bindings) == set(wanted.bindings)
    assert (after[name].site.app_pool, after[name].pool_exists, after[name].autostart) == ("new-pool", True, False)
    assert {other for other in before if other != name} <= set(after)


def test_removing_a_site_removes_only_it_and_may_be_repeated(iis: Iis) -> None:
    before = set(_sites(iis))
    for _ in range(2):
        Win32Surface().iis_commit([removal("shop")])
    assert before - set(_sites(iis)) == {"shop"}


def test_a_commit_that_another_writer_spoiled_is_done_again_from_the_start(iis: Iis) -> None:
    iis.failures["CommitChanges"] = [SHARING, -2147023729]
    Win32Surface().iis_commit([removal("shop")])
    assert iis.commits == 1
    assert "shop" not in _sites(iis)


@pytest.mark.parametrize(("code", "tries"), [(DENIED, 1), (SHARING, surface_iis.COMMIT_TRIES)])
def test_a_commit_that_keeps_failing_is_an_error_and_a_denied_one_at_once(iis: Iis, code: int, tries: int) -> None:
    iis.failures["CommitChanges"] = [code] * 20
    with pytest.raises(SurfaceError, match="CommitChanges failed") as caught:
        Win32Surface().iis_commit([removal("shop")])
    assert caught.value.code == code & 0xFFFFFFFF
    assert 20 - len(iis.failures["CommitChanges"]) == tries
    assert "shop" in _sites(iis)


def test_starting_a_site_starts_its_pool_first(iis: Iis) -> None:
    Win32Surface().iis_start(site="shop")
    assert iis.calls == ["Start shop", "Start shop"]
    assert (iis.pools["shop"], iis.states["shop"]) == (1, 1)
    assert Win32Surface().iis_state(site="shop") == "started"


def test_a_start_that_meets_a_transition_is_tried_again(iis: Iis) -> None:
    iis.failures["Start"] = [NOT_FOUND, SHARING]
    Win32Surface().iis_start(site="shop")
    assert iis.states["shop"] == 1


def test_a_start_that_is_refused_is_an_error_with_the_code(iis: Iis) -> None:
    iis.failures["Start"] = [DENIED]
    with pytest.raises(SurfaceError, match="run as an administrator") as caught:
        Win32Surface().iis_start(site="shop")
    assert caught.value.code == 0x80070005


def test_a_transition_that_does_not_end_is_an_error(iis: Iis) -> None:
    iis.states["shop"] = 0
    iis.pools["shop"] = 1
    with pytest.raises(SurfaceError, match=r"'shop' is still starting, not started"):
        Win32Surface().iis_start(site="shop")


def test_stopping_twice_stops_once(iis: Iis) -> None:
    iis.states["shop"] = 1
    for _ in range(2):
        Win32Surface().iis_stop(site="shop")
    assert iis.calls == ["Stop shop"]


def test_without_a_run_time_object_the_state_is_unknown(iis: Iis) -> None:
    iis.failures["state"] = [NOT_FOUND]
    assert Win32Surface().iis_state(site="shop") == "unknown"


def test_what_iis_does_not_have_is_not_there(iis: Iis) -> None:
    del iis
    surface = Win32Surface()
    with pytest.raises(NotThereError, match="IIS has no site 'nope'"):
        surface.iis_state(site="nope")
    with pytest.raises(NotThereError, match="IIS has no application pool 'nope'"):
        surface.iis_stop_pool(pool="nope", timeout_s=1.0)
    with pytest.raises(NotThereError, match=r"site 'shop' has no https binding 10\.0\.0\.1:443:"):
        surface.bound_certificate(site="shop", information="10.0.0.1:443:")


def test_a_stopped_pool_has_no_worker_process_left(iis: Iis) -> None:
    iis.pools["shop"] = 1
    iis.workers["shop"] = [[2]]
    Win32Surface().iis_stop_pool(pool="shop", timeout_s=1.0)
    assert iis.pools["shop"] == 3


def test_a_started_site_with_a_pool_that_was_turned_off_has_failed(iis: Iis) -> None:
    Win32Surface().iis_start(site="shop")
    iis.pools["shop"] = 3
    assert Win32Surface().iis_state(site="shop") == "failed"
    Win32Surface().iis_start(site="shop")
    assert Win32Surface().iis_state(site="shop") == "started"


def test_a_pool_is_recycled_by_its_method(iis: Iis) -> None:
    iis.pools["shop"] = 1
    Win32Surface().iis_recycle_pool(pool="shop")
    assert iis.calls == ["Recycle shop"]
    assert iis.pools["shop"] == 1
    with pytest.raises(NotThereError, match="IIS has no application pool 'nope'"):
        Win32Surface().iis_recycle_pool(pool="nope")


def test_all_run_states_are_read_in_one_session(iis: Iis) -> None:
    iis.states["shop"], iis.pools["shop"] = 1, 3
    with iis_com.session("watch") as manager:
        states = run_states(manager)
    assert (states["site shop"], states["pool shop"]) == ("started", "stopped")


def test_a_worker_process_that_stays_is_an_error(iis: Iis) -> None:
    iis.workers["shop"] = [[2]]
    with pytest.raises(SurfaceError, match=r"pool 'shop' still has worker processes after 0\.2 s"):
        Win32Surface().iis_stop_pool(pool="shop", timeout_s=0.2)


def test_requests_are_counted_over_all_workers_and_only_of_the_site(iis: Iis) -> None:
    iis.workers = {"shop": [[2, 2], [2, 1]], "DefaultAppPool": [[1]]}
    assert Win32Surface().iis_requests(site="shop") == 3
    iis.workers = {}
    assert Win32Surface().iis_requests(site="shop") == 0


def test_with_iis_off_there_are_no_requests(iis: Iis) -> None:
    iis.failures["workerProcesses"] = [NOT_FOUND]
    assert Win32Surface().iis_requests(site="shop") == 0


def test_a_certificate_is_bound_in_place_of_the_one_before(iis: Iis) -> None:
    surface, place = Win32Surface(), "10.77.0.113:443:shop.example.com"
    assert surface.bound_certificate(site="shop", information=place) is None
    iis.failures["RemoveSslCertificate"] = [NOT_FOUND]
    for thumbprint in ("AA" * 20, "BB" * 20):
        surface.bind_certificate(site="shop", information=place, thumbprint=thumbprint, store="MY")
        assert surface.bound_certificate(site="shop", information=place) == thumbprint
    assert iis.calls == [f"{method} {place}" for method in ("RemoveSslCertificate", "AddSslCertificate")] * 2


def test_a_certificate_that_cannot_be_bound_is_named(iis: Iis) -> None:
    iis.certificates["10.77.0.113:443:shop.example.com"] = "CC" * 20
    iis.failures["AddSslCertificate"] = [-2147023584]
    with pytest.raises(SurfaceError, match=f"certificate {'AA' * 20} of store MY cannot be bound") as caught:
        Win32Surface().bind_certificate(
            site="shop", information="10.77.0.113:443:shop.example.com", thumbprint="AA" * 20, store="MY"
        )
    assert caught.value.code == 0x80070520


# -- the file -------------------------------------------------------------------------------------
@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    folder = tmp_path / surface_iis.CONFIG_FOLDER
    folder.mkdir(parents=True)
    (folder / "applicationHost.config").write_bytes(b"<own/>")
    return folder


def test_the_configuration_is_read_from_its_file(config: Path) -> None:
    assert Win32Surface().iis_configuration() == b"<own/>"
    (config / "redirection.config").write_bytes(
        b'<configuration><configurationRedirection enabled="false" path="D:\\x"/></configuration>'
    )
    assert Win32Surface().iis_configuration() == b"<own/>"


def test_a_redirected_configuration_is_read_where_it_is(config: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "applicationHost.config").write_bytes(b"<shared/>")
    text = f'<configuration><configurationRedirection enabled="true" path="{elsewhere}"/></configuration>'
    (config / "redirection.config").write_bytes(text.encode())
    assert Win32Surface().iis_configuration() == b"<shared/>"


def test_without_iis_there_is_no_configuration(config: Path) -> None:
    (config / "applicationHost.config").unlink()
    with pytest.raises(SurfaceError, match=r"applicationHost\.config cannot be read"):
        Win32Surface().iis_configuration()
