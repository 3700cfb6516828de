# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kit of web sites: started, stopped, drained, and asked with real requests through real sockets."""

from __future__ import annotations

import datetime as dt
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from holdfast.core.values.facts import WebFacts
from holdfast.core.values.model import Binding, Cluster, CommPath, Config, Hierarchy, Manual, Site, Volume
from holdfast.errors import NotThereError, SurfaceError
from holdfast.kits import Context, kit_of, web
from holdfast.kits.http_probe import ask
from holdfast.surface import Certificate, ServiceState
from holdfast.windows import iis
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

DISK = "HFLAB-DISK-0001"
VOLUME = Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk=DISK, priorities={"n1": 1, "n2": 2})
CLUSTER = Cluster(
    name="web",
    arbiter=Manual(),
    profile="normal",
    comm_port=7430,
    comm_paths=(CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"}),),
)
CONFIG = Config(cluster=CLUSTER, volumes=(VOLUME,))
LOCAL = Hierarchy(
    tag="docs", kind="web", site="docs", priorities={"n1": 1, "n2": 2}, drain_s=0.0, depends_on=("ip-docs",)
)
ON_DISK = replace(LOCAL, tag="shop", site="shop", depends_on=("ip-shop", "vol-shop"))


@dataclass
class Web:
    """A web server on loopback that answers with what the test asks for."""

    port: int = 0
    statuses: list[int] = field(default_factory=lambda: [200])
    seen: list[tuple[str, str]] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)


Serve = Callable[..., Web]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []
    webs: list[Web] = []

    def start(context: ssl.SSLContext | None = None, *, silent: bool = False, port: int = 0) -> Web:
        shown = Web()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shown.seen.append((self.headers["Host"], self.headers["User-Agent"]))
                if silent:
                    shown.hold.wait(20)
                    return
                self.send_response(shown.statuses.pop(0) if len(shown.statuses) > 1 else shown.statuses[0])
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_request(self, code: object = "-", size: object = "-") -> None:
                del code, size

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        shown.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        webs.append(shown)
        return shown

    yield start
    for shown in webs:
        shown.hold.set()
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def node(tmp_path: Path) -> MemorySurface:
    return MemoryWorld(tmp_path, disks=[DISK]).node("n1")


def _context(surface: MemorySurface) -> Context:
    return Context(surface=surface, node=surface.name, config=CONFIG)


def _write(node: MemorySurface, hierarchy: Hierarchy, *bindings: Binding, pool: str = "") -> None:
    content = r"X:\shop" if hierarchy is ON_DISK else r"C:\sites\docs"
    name = hierarchy.site
    iis.write_sites(node, [Site(name=name, kind="web", content=content, app_pool=pool or name, bindings=bindings)])
    node.changes()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    pem = serialization.Encoding.PEM
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context, made.fingerprint(hashes.SHA1()).hex().upper()


# -- state, start, stop ---------------------------------------------------------------------------
def test_a_site_goes_up_and_down_and_both_may_be_repeated(node: MemorySurface) -> None:
    _write(node, LOCAL)
    kit = kit_of(LOCAL)
    assert kit.state(LOCAL, _context(node)) == "down"
    for _ in range(2):
        kit.start(LOCAL, _context(node))
        assert kit.state(LOCAL, _context(node)) == "up"
    for _ in range(2):
        kit.stop(LOCAL, _context(node), 0.0)
        assert kit.state(LOCAL, _context(node)) == "down"


def test_a_site_that_is_not_configured_here_is_down_and_cannot_be_started(node: MemorySurface) -> None:
    kit = kit_of(LOCAL)
    assert kit.state(LOCAL, _context(node)) == "down"
    kit.stop(LOCAL, _context(node), 5.0)
    with pytest.raises(NotThereError, match="IIS has no site 'docs'"):
        kit.start(LOCAL, _context(node))
    with pytest.raises(NotThereError, match="IIS has no site 'docs' on this node"):
        kit.verify(LOCAL, _context(node))


@pytest.mark.parametrize(("service", "state"), [("stopped", "down"), ("absent", "down"), ("start_pending", "unknown")])
def test_what_iis_cannot_tell_is_down_only_when_iis_is_off(
    node: MemorySurface, service: ServiceState, state: str
) -> None:
    _write(node, LOCAL)
    node.services["W3SVC"] = service
    assert kit_of(LOCAL).state(LOCAL, _context(node)) == state


def test_an_error_while_iis_is_off_is_down_and_any_other_error_is_raised(node: MemorySurface) -> None:
    _write(node, LOCAL)
    node.fail["iis_state"] = SurfaceError("iis_state", "W3SVC is not running", 0x80070426)
    with pytest.raises(SurfaceError, match="W3SVC is not running"):
        kit_of(LOCAL).state(LOCAL, _context(node))
    node.services["W3SVC"] = "stopped"
    assert kit_of(LOCAL).state(LOCAL, _context(node)) == "down"
    kit_of(LOCAL).stop(LOCAL, _context(node), 0.0)


class Booting(MemorySurface):
    """IIS is still on its way up: its service passes through these states, one each time it is looked at."""

    passing: list[ServiceState]

    def service_state(self, name: str) -> ServiceState:
        if name == "W3SVC" and self.passing:
            self.services[name] = self.passing.pop(0)
        return super().service_state(name)

    def iis_start(self, *, site: str) -> None:
        if self.services["W3SVC"] != "running":
            raise SurfaceError("iis_start", "W3SVC is not running", 0x80070426)
        super().iis_start(site=site)


def test_a_site_is_started_as_soon_as_iis_has_come_up_after_a_boot(node: MemorySurface) -> None:
    _write(node, LOCAL)
    booting = Booting(node.world, "n1", number=1)
    booting.iis, booting.passing = node.iis, ["stopped", "start_pending", "start_pending", "running"]
    kit_of(LOCAL).start(LOCAL, _context(booting))
    assert booting.iis_state(site="docs") == "started"


def test_a_site_is_not_stopped_before_iis_can_tell_whether_it_runs(node: MemorySurface) -> None:
    _write(node, LOCAL)
    booting = Booting(node.world, "n1", number=1)
    booting.iis, booting.passing = node.iis, ["start_pending", "start_pending", "running"]
    booting.sites["docs"] = "started"
    kit_of(LOCAL).stop(LOCAL, _context(booting), 0.0)
    assert booting.iis_state(site="docs") == "stopped"


def test_a_site_whose_iis_does_not_come_up_is_given_up(node: MemorySurface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "IIS_START_S", 0.05)
    _write(node, LOCAL)
    booting = Booting(node.world, "n1", number=1)
    booting.iis, booting.passing = node.iis, ["stopped"]
    with pytest.raises(SurfaceError, match="W3SVC is not running"):
        kit_of(LOCAL).start(LOCAL, _context(booting))


def test_with_iis_off_the_site_is_still_described(node: MemorySurface) -> None:
    secure = Binding(protocol="https", ip="127.0.0.1", port=443, host="docs.example.com")
    _write(node, LOCAL, secure)
    node.services["W3SVC"] = "stopped"
    facts = kit_of(LOCAL).inspect(LOCAL, _context(node))
    assert isinstance(facts, WebFacts)
    assert (facts.state, facts.services["W3SVC"]) == ("down", "stopped")
    assert facts.site is not None
    assert facts.site.bindings == (secure,)


def test_a_site_that_does_not_reach_its_state_is_an_error(node: MemorySurface) -> None:
    _write(node, LOCAL)
    kit = kit_of(LOCAL)

    class Lazy(MemorySurface):
        def iis_start(self, *, site: str) -> None:
            self.sites[site] = "starting"

        def iis_stop(self, *, site: str) -> None:
            self.sites[site] = "stopping"

    lazy = Lazy(node.world, "n1", number=1)
    lazy.iis = node.iis
    with pytest.raises(SurfaceError, match="site 'docs' was to be up and is partial"):
        kit.start(LOCAL, _context(lazy))
    with pytest.raises(SurfaceError, match="site 'docs' was to be down and is partial"):
        kit.stop(LOCAL, _context(lazy), 0.0)


def test_only_a_site_without_a_volume_is_started_ahead(node: MemorySurface) -> None:
    _write(node, LOCAL)
    _write(node, ON_DISK)
    kit_of(ON_DISK).prepare(ON_DISK, _context(node))
    assert node.changes() == []
    kit_of(LOCAL).prepare(LOCAL, _context(node))
    assert node.changes() == ["iis_recycle_pool docs", "iis_start docs"]


def test_a_site_with_a_volume_leaves_no_worker_process_behind(node: MemorySurface) -> None:
    _write(node, ON_DISK)
    _write(node, LOCAL)
    for hierarchy in (ON_DISK, LOCAL):
        kit_of(hierarchy).start(hierarchy, _context(node))
        kit_of(hierarchy).stop(hierarchy, _context(node), 0.0)
    assert node.pools_stopped == {"shop"}


def test_a_pool_that_serves_another_site_too_goes_on(node: MemorySurface) -> None:
    _write(node, ON_DISK, pool="common")
    _write(node, LOCAL, pool="Common")
    kit_of(ON_DISK).start(ON_DISK, _context(node))
    kit_of(ON_DISK).stop(ON_DISK, _context(node), 0.0)
    assert node.pools_stopped == set()


def test_a_worker_process_that_does_not_end_does_not_keep_the_site_from_being_stopped(
    node: MemorySurface,
) -> None:
    _write(node, ON_DISK)
    kit_of(ON_DISK).start(ON_DISK, _context(node))
    node.fail["iis_stop_pool"] = SurfaceError("iis_stop_pool", "a worker process has not ended after 5 s")
    kit_of(ON_DISK).stop(ON_DISK, _context(node), 0.0)
    assert kit_of(ON_DISK).state(ON_DISK, _context(node)) == "down"


def test_a_site_that_hangs_gets_new_worker_processes_by_stopping_and_starting(node: MemorySurface) -> None:
    for hierarchy in (LOCAL, ON_DISK):
        _write(node, hierarchy)
        kit_of(hierarchy).start(hierarchy, _context(node))
    node.changes()
    kit_of(LOCAL).start(LOCAL, _context(node))
    assert node.changes() == ["iis_start docs"], "one that is up keeps its workers"
    for hierarchy in (LOCAL, ON_DISK):
        kit_of(hierarchy).stop(hierarchy, _context(node), 0.0)
        kit_of(hierarchy).start(hierarchy, _context(node))
    assert node.changes() == [
        "iis_stop docs", "iis_recycle_pool docs", "iis_start docs",
        "iis_stop shop", "iis_stop_pool shop", "iis_start shop",
    ]  # fmt: skip


def test_a_site_with_a_pool_that_was_turned_off_is_partial_and_mended_by_a_start(node: MemorySurface) -> None:
    _write(node, LOCAL)
    kit_of(LOCAL).start(LOCAL, _context(node))
    node.pools_stopped.add("docs")
    assert kit_of(LOCAL).state(LOCAL, _context(node)) == "partial"
    kit_of(LOCAL).stop(LOCAL, _context(node), 0.0)
    assert kit_of(LOCAL).state(LOCAL, _context(node)) == "down"
    kit_of(LOCAL).start(LOCAL, _context(node))
    assert kit_of(LOCAL).state(LOCAL, _context(node)) == "up"


def test_a_fenced_site_is_down_at_once_and_its_requests_are_not_asked_for(node: MemorySurface) -> None:
    _write(node, ON_DISK)
    kit_of(ON_DISK).start(ON_DISK, _context(node))
    node.requests["shop"] = 5
    node.changes()
    for _ in range(2):
        kit_of(ON_DISK).fence(ON_DISK, _context(node))
    assert node.changes() == ["iis_stop shop"]


def test_a_check_asks_every_binding_within_its_own_time(
    node: MemorySurface, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "CHECK_S", 0.3)
    monkeypatch.setattr(web, "ANSWER_S", 60.0)
    good, bad = serve(), serve()
    _write(node, LOCAL, _http(good.port))
    kit_of(LOCAL).check(LOCAL, _context(node))
    bad.statuses = [503]
    _write(node, LOCAL, _http(good.port), _http(bad.port))
    with pytest.raises(SurfaceError, match="does not serve: HTTP status 503"):
        kit_of(LOCAL).check(LOCAL, _context(node))


# -- draining -------------------------------------------------------------------------------------
def _stop_took_s(node: MemorySurface, drain_s: float) -> float:
    _write(node, LOCAL)
    kit_of(LOCAL).start(LOCAL, _context(node))
    began_s = time.monotonic()
    kit_of(LOCAL).stop(LOCAL, _context(node), drain_s)
    assert node.iis_state(site="docs") == "stopped"
    return time.monotonic() - began_s


def test_draining_ends_as_soon_as_no_request_is_in_flight(node: MemorySurface) -> None:
    node.requests["docs"] = 3
    threading.Timer(0.3, node.requests.clear).start()
    assert 0.25 < _stop_took_s(node, 10.0) < 5.0


def test_draining_ends_when_its_time_is_over(node: MemorySurface) -> None:
    node.requests["docs"] = 1
    assert 0.3 <= _stop_took_s(node, 0.3) < 5.0


def test_without_work_there_is_no_waiting(node: MemorySurface) -> None:
    assert _stop_took_s(node, 10.0) < 5.0


def test_when_requests_cannot_be_counted_the_whole_time_is_given(node: MemorySurface) -> None:
    node.fail["iis_requests"] = SurfaceError("iis_requests", "Request Monitor is not installed")
    assert 0.3 <= _stop_took_s(node, 0.3) < 5.0


# -- verifying ------------------------------------------------------------------------------------
def _http(port: int, host: str = "") -> Binding:
    return Binding(protocol="http", ip="127.0.0.1", port=port, host=host)


def test_every_binding_is_asked_with_its_host_header(node: MemorySurface, serve: Serve) -> None:
    one, two = serve(), serve()
    _write(node, LOCAL, _http(one.port, "docs.example.com"), _http(two.port))
    kit_of(LOCAL).verify(LOCAL, _context(node))
    assert one.seen == [(f"docs.example.com:{one.port}", "Holdfast")]
    assert two.seen == [(f"127.0.0.1:{two.port}", "Holdfast")]


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404])
def test_any_answer_below_500_counts(node: MemorySurface, serve: Serve, status: int) -> None:
    web = serve()
    web.statuses = [status]
    _write(node, LOCAL, _http(web.port))
    kit_of(LOCAL).verify(LOCAL, _context(node))


def test_a_site_that_is_still_warming_up_is_asked_again(node: MemorySurface, serve: Serve) -> None:
    web = serve()
    web.statuses = [503, 503, 200]
    _write(node, LOCAL, _http(web.port))
    kit_of(LOCAL).verify(LOCAL, _context(node))
    assert len(web.seen) == 3


def test_a_site_that_keeps_failing_is_reported_with_its_status(
    node: MemorySurface, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "ANSWER_S", 0.3)
    shown = serve()
    shown.statuses = [500]
    _write(node, LOCAL, _http(shown.port))
    with pytest.raises(SurfaceError, match=rf"http binding 127\.0\.0\.1:{shown.port}: does not serve: HTTP status 500"):
        kit_of(LOCAL).verify(LOCAL, _context(node))


def test_a_site_that_accepts_and_says_nothing_does_not_hold_the_move_up(
    node: MemorySurface, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "ANSWER_S", 0.4)
    shown = serve(silent=True)
    _write(node, LOCAL, _http(shown.port))
    began_s = time.monotonic()
    with pytest.raises(SurfaceError, match="does not serve: TimeoutError"):
        kit_of(LOCAL).verify(LOCAL, _context(node))
    assert time.monotonic() - began_s < 5.0


def test_nobody_listening_is_reported(node: MemorySurface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "ANSWER_S", 0.2)
    _write(node, LOCAL, _http(1))
    with pytest.raises(SurfaceError, match="does not serve: ConnectionRefusedError"):
        kit_of(LOCAL).verify(LOCAL, _context(node))


def test_https_is_asked_with_tls_and_the_shown_certificate_is_compared(
    node: MemorySurface, serve: Serve, tmp_path: Path
) -> None:
    context, thumbprint = _certificate(tmp_path)
    shown = serve(context)
    binding = Binding(
        protocol="https", ip="127.0.0.1", port=shown.port, host="shop.example.com", certificate=thumbprint, sni=True
    )
    node.store = [
        Certificate(thumbprint=thumbprint, subject="CN=x", not_after="2036-01-01T00:00:00Z", has_private_key=True)
    ]
    _write(node, LOCAL, binding)
    kit_of(LOCAL).verify(LOCAL, _context(node))

    node.bound[("docs", binding.information)] = "AB" * 20
    with pytest.raises(SurfaceError, match=f"shows certificate {thumbprint}, not {'AB' * 20} which is bound to it"):
        kit_of(LOCAL).verify(LOCAL, _context(node))


def test_the_name_asked_for_in_tls_is_the_host_header(serve: Serve, tmp_path: Path) -> None:
    context, thumbprint = _certificate(tmp_path)
    names: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    shown = serve(context)
    answer = ask(Binding(protocol="https", ip="127.0.0.1", port=shown.port, host="shop.example.com"), timeout_s=5.0)
    assert (answer.status, answer.thumbprint, names) == (200, thumbprint, ["shop.example.com"])


def test_https_at_a_plain_port_is_an_answer_with_the_error(serve: Serve) -> None:
    answer = ask(Binding(protocol="https", ip="127.0.0.1", port=serve().port), timeout_s=5.0)
    assert answer.status is None
    assert "SSL" in answer.error


# -- facts ----------------------------------------------------------------------------------------
def test_facts_tell_the_site_its_services_and_its_content(node: MemorySurface) -> None:
    _write(node, LOCAL, _http(80))
    before = kit_of(LOCAL).inspect(LOCAL, _context(node))
    assert isinstance(before, WebFacts)
    assert before.content_present is False
    node.put_file(r"C:\sites\docs\index.html")
    facts = kit_of(LOCAL).inspect(LOCAL, _context(node))
    assert facts == WebFacts(
        state="down",
        site=Site(name="docs", kind="web", content=r"C:\sites\docs", app_pool="docs", bindings=(_http(80),)),
        autostart=False,
        services={"W3SVC": "running", "WAS": "running"},
        certificates={},
        content_present=True,
    )


def test_content_on_a_volume_that_is_not_here_cannot_be_judged(node: MemorySurface) -> None:
    _write(node, ON_DISK)
    facts = kit_of(ON_DISK).inspect(ON_DISK, _context(node))
    assert isinstance(facts, WebFacts)
    assert facts.content_present is None
    kit_of(VOLUME).start(VOLUME, _context(node))
    node.put_file(r"X:\shop\index.html")
    mounted = kit_of(ON_DISK).inspect(ON_DISK, _context(node))
    assert isinstance(mounted, WebFacts)
    assert mounted.content_present is True


def test_content_on_a_drive_that_does_not_exist_is_absent(node: MemorySurface) -> None:
    iis.write_sites(node, [Site(name="docs", kind="web", content=r"Q:\docs", app_pool="docs", bindings=())])
    facts = kit_of(LOCAL).inspect(LOCAL, _context(node))
    assert isinstance(facts, WebFacts)
    assert facts.content_present is False


def test_facts_of_a_missing_site_say_so(node: MemorySurface) -> None:
    facts = kit_of(LOCAL).inspect(LOCAL, _context(node))
    assert isinstance(facts, WebFacts)
    assert (facts.site, facts.detail) == (None, "IIS has no site 'docs' on this node")
