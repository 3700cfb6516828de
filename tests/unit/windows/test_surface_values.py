# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pure values of the Windows surface: error codes of COM, certificates as DER, stop requests, registrations."""

from __future__ import annotations

import datetime as dt
import inspect
import subprocess
import sys
import threading
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from holdfast.errors import SurfaceError
from holdfast.surface import Listen, Surface
from holdfast.surface_win32 import Win32Surface, der, iis_codes
from holdfast.surface_win32.service_host import Body, Request, report_until


def test_the_surface_for_windows_is_a_whole_surface() -> None:
    """The type checker compares the signatures; this one shows that it was asked to."""
    surface: Surface = Win32Surface()
    missing = [name for name in vars(Surface) if not name.startswith("_") and not hasattr(surface, name)]
    assert missing == []


def test_every_primitive_names_its_source_or_says_what_is_unconfirmed() -> None:
    the_identity = {"local_path"}
    primitives = {name for name in vars(Surface) if not name.startswith("_")} - the_identity
    texts = {name: inspect.getdoc(getattr(Win32Surface, name)) or "" for name in primitives}
    assert [name for name, text in texts.items() if "Source" not in text and "nconfirmed" not in text] == []


def test_the_surface_for_windows_can_be_imported_without_windows() -> None:
    code = "import sys, holdfast.surface_win32; print([n for n in sys.modules if n.startswith(('win32', 'pythoncom'))])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30, env=_environment()
    )
    assert done.stdout.strip() == "[]"


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": ":".join(sys.path)}


# -- COM codes ------------------------------------------------------------------------------------
def test_the_code_hidden_in_an_exception_is_the_one_that_counts() -> None:
    plain = (-2147024864, "sharing violation", None, None)
    hidden = (-2147352567, "Exception occurred.", (0, "src", "already exists", None, 0, -2147024713), None)
    bare = (-2147352567, "Exception occurred.", (0, None, None, None, 0, 0), None)
    assert iis_codes.hresult_of(plain) == 0x80070020 == iis_codes.SHARING_VIOLATION
    assert iis_codes.hresult_of(hidden) == 0x800700B7
    assert iis_codes.hresult_of(bare) == iis_codes.DISP_E_EXCEPTION
    assert [iis_codes.text_of(each) for each in (plain, hidden, bare)] == [
        "sharing violation", "already exists", "Exception occurred.",
    ]  # fmt: skip


def test_run_states_are_those_of_iis_and_others_are_unknown() -> None:
    numbers = [iis_codes.run_state(number) for number in range(6)]
    assert numbers == ["starting", "started", "stopping", "stopped", "unknown", "unknown"]


@pytest.mark.parametrize(
    ("schema_type", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "false", False),
        ("uint", "33", 33),
        ("uint", "4294967295", "4294967295"),
        ("string", "123", "123"),
        ("string", "true", "true"),
        ("timeSpan", "00:02:00", "00:02:00"),
        ("enum", "AlwaysRunning", "AlwaysRunning"),
    ],
)
def test_an_attribute_is_written_as_its_schema_type_wants(schema_type: str, text: str, value: object) -> None:
    made = iis_codes.com_value(schema_type, text)
    assert made == value
    assert type(made) is type(value)


@pytest.mark.parametrize(
    ("attributes", "folder"),
    [
        (r'enabled="true" path="\\filer\iis" userName="u" password="[enc:x:enc]"', r"\\filer\iis"),
        (r'enabled="True" path="D:\iis"', r"D:\iis"),
        (r'enabled="false" path="D:\iis"', None),
        ("", None),
    ],
)
def test_redirection_is_followed_only_when_it_is_on(attributes: str, folder: str | None) -> None:
    text = f"<configuration><configurationRedirection {attributes}/></configuration>".encode()
    assert iis_codes.redirected_to(text) == folder


def test_a_redirection_file_without_the_element_redirects_nothing() -> None:
    assert iis_codes.redirected_to(b"<configuration><configSections/></configuration>") is None


def test_a_broken_redirection_file_is_an_error() -> None:
    with pytest.raises(SurfaceError, match=r"redirection\.config is not well-formed XML"):
        iis_codes.redirected_to(b"<configuration>")


# -- certificates ---------------------------------------------------------------------------------
def _made(names: list[tuple[Any, str]], end: dt.datetime) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(oid, text) for oid, text in names])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Some CA")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )


@pytest.mark.parametrize("end", ["2026-11-22T12:13:14Z", "2049-12-31T23:59:59Z", "2099-06-01T00:00:00Z"])
def test_subject_end_and_thumbprint_are_read_from_a_real_certificate(end: str) -> None:
    names = [
        (NameOID.COUNTRY_NAME, "DE"),
        (NameOID.ORGANIZATION_NAME, "Büro & Söhne " + "x" * 40),
        (NameOID.COMMON_NAME, "shop.example.com"),
    ]
    made = _made(names, dt.datetime.fromisoformat(end))
    raw = made.public_bytes(serialization.Encoding.DER)
    subject = "C=DE, O=Büro & Söhne " + "x" * 40 + ", CN=shop.example.com"
    assert der.subject_and_end(raw) == (subject, end)
    assert der.thumbprint_of(raw) == made.fingerprint(hashes.SHA1()).hex().upper()


@pytest.mark.parametrize("raw", [b"", b"\x30", b"\x30\x82\xff\xff", b"garbage of some length", b"\x30\x03\x02\x01\x00"])
def test_what_is_no_certificate_is_an_error(raw: bytes) -> None:
    with pytest.raises(SurfaceError, match="a certificate of the store cannot be read"):
        der.subject_and_end(raw)


# -- our own service ------------------------------------------------------------------------------
def test_a_stop_request_reaches_who_listens_before_and_after_it_and_only_once() -> None:
    heard: list[str] = []
    request = Request()
    request.listen(lambda: heard.append("before"))
    request.ask()
    request.ask()
    request.listen(lambda: heard.append("after"))
    assert heard == ["before", "after"]


def test_the_control_manager_hears_of_us_until_the_body_is_done() -> None:
    done = threading.Event()
    reports: list[int] = []

    def report() -> None:
        reports.append(1)
        if len(reports) == 3:
            done.set()

    report_until(done, report, every_s=0.001)
    assert len(reports) == 3


def test_what_the_body_raised_is_kept_for_the_exit_code_and_ends_the_reports() -> None:
    def failing(on_stop: object, on_shutdown: object) -> None:
        del on_stop, on_shutdown
        raise ValueError("torn state file")

    body = Body(failing)
    with pytest.raises(ValueError, match="torn state file"):
        body.run()
    assert body.done.is_set()
    assert isinstance(body.failure, ValueError)


def test_a_body_that_is_asked_to_stop_returns_and_is_done() -> None:
    asked = threading.Event()

    def waiting(on_stop: Listen, on_shutdown: object) -> None:
        del on_shutdown
        on_stop(asked.set)
        assert asked.wait(10)

    body = Body(waiting)
    threading.Timer(0.05, body.stop.ask).start()
    body.run()
    assert body.done.is_set()
    assert body.failure is None
