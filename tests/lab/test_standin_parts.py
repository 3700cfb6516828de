# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in's parts by themselves: what it recognises, what it refuses, its paths and its services."""

from __future__ import annotations

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings

from holdfast_lab.standin import tls
from holdfast_lab.standin.config import ConfigError, parse
from holdfast_lab.standin.job import Chunk, Job
from holdfast_lab.standin.modules import MODULES
from holdfast_lab.standin.modules.spec import documented
from holdfast_lab.standin.node import Node, open_node, windows_variables
from holdfast_lab.standin.paths import Drives, PathError
from holdfast_lab.standin.powershell import core_scripts
from holdfast_lab.standin.powershell.call import piped_text
from holdfast_lab.standin.powershell.scripts import recognise_command, recognise_script
from holdfast_lab.standin.programs import split_command_line
from holdfast_lab.standin.scm.manager import ServiceError
from holdfast_lab.standin.scm.service import FailureAction, Service
from holdfast_lab.standin.scm.socket import ControlSocket
from holdfast_lab.standin.winrm.auth import Authentication, channel_bindings, write_ntlm_users

WAIT_S = 30.0
SCRIPTS = {
    "run.exe": '#!/bin/sh\necho $$ >> "$1"; exec sleep 600\n',
    "moving.exe": "#!/bin/sh\ntrap 'sleep 0.3; echo moved >> \"$1\"; exit 0' USR1\n"
    'echo $$ >> "$1"; while :; do sleep 0.05; done\n',
    "stubborn.exe": '#!/bin/sh\ntrap "" TERM USR1; echo $$ > "$1"; while :; do sleep 0.05; done\n',
    "fail.exe": "#!/bin/sh\nexit 7\n",
    "done.exe": '#!/bin/sh\necho x >> "$1"; sleep 1; exit 0\n',
}


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    opened = make_node(tmp_path)
    try:
        yield opened
    finally:
        opened.services.stop_all()


# -- what is recognised -------------------------------------------------------------------------------


def test_the_installed_ansible_core_is_the_one_that_the_stand_in_was_written_for() -> None:
    core_scripts.check_installed()


def test_a_changed_script_of_core_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(core_scripts.KNOWN, "exec_wrapper", "0" * 64)
    with pytest.raises(core_scripts.CoreUnknownError, match=r"'exec_wrapper\.ps1' of this ansible-core is not the one"):
        core_scripts.check_installed()


@pytest.mark.parametrize("name", sorted(MODULES))
def test_every_option_that_is_implemented_is_one_that_is_documented(name: str) -> None:
    assert MODULES[name].options <= set(documented(name).options)


@pytest.mark.parametrize(
    "script",
    [
        "Get-Process",
        r"& 'C:\x.exe' 'a'; Remove-Item 'C:\' -Recurse",
        r"$input | & 'C:\x.exe' 'a' | Out-Null; exit $LASTEXITCODE",
        r"Remove-Item 'C:\work' -Force -Recurse; Get-Date",
        "",
    ],
)
def test_an_unknown_script_fails_and_says_so(node: Node, script: str) -> None:
    chunk = run(recognise_script(script, node))
    assert (chunk.code, chunk.out) == (1, b"")
    assert b"the stand-in does not know the PowerShell script" in chunk.err


@pytest.mark.parametrize("line", ["dir", "cmd /c dir", "PowerShell -NoProfile -Command Get-Date", "type C:\\x"])
def test_an_unknown_command_line_fails_and_says_so(node: Node, line: str) -> None:
    chunk = run(recognise_command(line, node))
    assert chunk.code == 1
    assert b"the stand-in does not know the command line" in chunk.err


def test_all_five_kinds_of_quotes_are_taken_as_powershell_takes_them(node: Node) -> None:
    program(node, "args.exe", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    script = "& 'C:\\args.exe' 'it''s' 'a\u2019\u2019b' \u201ac d\u201b; exit $LASTEXITCODE"
    assert run(recognise_script(script, node)).out.decode().splitlines() == ["it's", "a\u2019b", "c d"]


@pytest.mark.parametrize("argument", ['say "hi"', ""])
def test_an_argument_that_windows_powershell_would_mangle_is_refused(node: Node, argument: str) -> None:
    chunk = run(recognise_script(rf"& 'C:\x.exe' '{argument}'; exit $LASTEXITCODE", node))
    assert b"does not pass the argument" in chunk.err


def test_paths_among_the_arguments_lead_into_the_nodes_folder(node: Node) -> None:
    program(node, "args.exe", '#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (node.config.node / "C" / "ProgramData" / "Holdfast").mkdir()
    chunk = run(recognise_script(r"& 'c:\ARGS.exe' 'C:\programdata\HOLDFAST\new' 'C:'; exit $LASTEXITCODE", node))
    assert chunk.out.decode().splitlines() == [str(node.config.node / "C/ProgramData/Holdfast/new"), "C:"]


@pytest.mark.parametrize(
    "text", ["@echo off\r\nC:\\x.exe\r\n", '@rem x\n@"%~dp0x.exe"\n', '@rem x\n@"a.exe" %*\n@exit\n']
)
def test_a_cmd_file_of_another_form_is_refused(node: Node, text: str) -> None:
    (node.config.node / "C" / "x.cmd").write_text(text, newline="")
    chunk = run(recognise_script(r"& 'C:\x.cmd' 'a'; exit $LASTEXITCODE", node))
    assert chunk.code == 1
    assert b"it is not a remark and one quoted call" in chunk.err


def test_a_pointer_to_a_program_that_is_not_there_fails(node: Node) -> None:
    (node.config.node / "C" / "x.cmd").write_text('@rem x\r\n@"%~dp0none.exe" "%~dp0y" %*\r\n', newline="")
    chunk = run(recognise_script(r"$input | & 'C:\x.cmd' 'call'; exit $LASTEXITCODE", node))
    assert chunk.code == 1
    assert b"The system cannot find the path specified." in chunk.err


def test_programs_on_a_node_can_use_the_paths_without_the_rest_of_the_stand_in() -> None:
    code = (
        "import sys; import holdfast_lab.standin.paths; sys.exit('spnego' in sys.modules or 'ansible' in sys.modules)"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_input_reaches_a_program_in_ascii_lines_behind_a_byte_order_mark() -> None:
    assert piped_text("{}\nä\r\nb".encode()) == b"\xef\xbb\xbf{}\r\n?\r\nb\r\n"
    assert piped_text(b"") == b""


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r'"C:\Program Files\x.exe" service', [r"C:\Program Files\x.exe", "service"]),
        (r'a "b \"c\" d" e', ["a", 'b "c" d', "e"]),
        (r'"C:\dir\\" x', ["C:\\dir\\", "x"]),
        (r'C:\a\b.exe ""', [r"C:\a\b.exe", ""]),
        ("", []),
    ],
)
def test_a_command_line_is_split_as_the_c_runtime_does(line: str, words: list[str]) -> None:
    assert split_command_line(line) == words


# -- paths --------------------------------------------------------------------------------------------


def test_paths_match_without_regard_to_case_and_keep_the_case_they_have(tmp_path: Path) -> None:
    drives = Drives(root=tmp_path, variables=windows_variables("n1"))
    (tmp_path / "C" / "Program Files" / "App").mkdir(parents=True)
    assert drives.local(r"c:/program files\APP\New.txt") == tmp_path / "C" / "Program Files" / "App" / "New.txt"
    assert drives.local(r"\\?\C:\Program Files\.\x\..\App") == tmp_path / "C" / "Program Files" / "App"
    assert drives.windows(tmp_path / "C" / "Program Files" / "App") == r"C:\Program Files\App"
    assert drives.expand(r"%PROGRAMDATA%\x %unknown%") == r"C:\ProgramData\x %unknown%"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (r"\\server\share\x", "no network shares"),
        (r"folder\x", "not an absolute path"),
        (r"C:x", "not an absolute path"),
        (r"C:\a*b", "not allowed"),
        (r"X:\shop", "A drive with the name 'X' does not exist"),
    ],
)
def test_a_path_that_cannot_be_is_refused(tmp_path: Path, path: str, text: str) -> None:
    with pytest.raises(PathError, match=text):
        Drives(root=tmp_path, variables={}).creatable(path)


def test_a_path_cannot_leave_its_drive(tmp_path: Path) -> None:
    assert Drives(root=tmp_path, variables={}).local(r"C:\..\..\etc\passwd") == tmp_path / "C" / "etc" / "passwd"


# -- services -----------------------------------------------------------------------------------------


def test_a_crash_is_answered_by_a_restart_and_a_clean_end_is_not(node: Node, tmp_path: Path) -> None:
    actions = (FailureAction(type="restart", delay_ms=50),)
    install(node, "run.exe", tmp_path / "crash", failure_actions=actions, failure_reset_period_sec=60)
    node.services.start("run")
    os.kill(node.services.process_id("run"), signal.SIGKILL)
    until(lambda: len(lines(tmp_path / "crash")) == 2)
    until(lambda: node.services.state("run") == "running")
    install(node, "done.exe", tmp_path / "ends", failure_actions=actions)
    node.services.start("done")
    until(lambda: node.services.state("done") == "stopped")
    time.sleep(0.2)
    assert len(lines(tmp_path / "ends")) == 1


def test_without_failure_actions_a_crashed_service_stays_stopped(node: Node, tmp_path: Path) -> None:
    install(node, "run.exe", tmp_path / "pid")
    node.services.start("run")
    os.kill(node.services.process_id("run"), signal.SIGKILL)
    until(lambda: node.services.state("run") == "stopped")
    assert node.services.exit_code("run") == -signal.SIGKILL


def test_a_service_that_ignores_the_stop_request_is_killed(node: Node, tmp_path: Path) -> None:
    install(node, "stubborn.exe", tmp_path / "pid")
    node.services.start("stubborn")
    pid = node.services.process_id("stubborn")
    node.services.stop("stubborn", force=False)
    assert not Path(f"/proc/{pid}").exists()
    assert node.services.state("stubborn") == "stopped"


def test_a_service_whose_process_ends_at_once_has_not_started(tmp_path: Path) -> None:
    node = make_node(tmp_path, service_settle_s=WAIT_S)
    install(node, "fail.exe", tmp_path / "pid")
    with pytest.raises(ServiceError, match="its process ended at once with exit code 7"):
        node.services.start("fail")


def test_dependencies_start_first_and_hold_back_a_stop(node: Node, tmp_path: Path) -> None:
    install(node, "run.exe", tmp_path / "one")
    node.services.install(Service(name="two", display_name="two", path=r"C:\run.exe C:\two", dependencies=("run",)))
    node.services.start("two")
    assert node.services.state("run") == "running"
    with pytest.raises(ServiceError, match="it has dependent services"):
        node.services.stop("run", force=False)
    node.services.stop("run", force=True)
    assert node.services.state("two") == "stopped"


def test_services_are_still_there_after_a_restart_and_the_automatic_ones_run(node: Node, tmp_path: Path) -> None:
    install(node, "run.exe", tmp_path / "pid")
    again = make_node(tmp_path)
    assert again.services.find("RUN") == node.services.find("run")
    again.services.start_automatic()
    try:
        assert again.services.state("run") == "running"
        assert again.services.state("winrm") == "running"
    finally:
        again.services.stop_all()


def test_the_socket_answers_questions_and_tells_of_changes(node: Node, tmp_path: Path) -> None:
    install(node, "run.exe", tmp_path / "pid")
    server = ControlSocket(tmp_path / "scm.sock", node.services)
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(WAIT_S)
            client.connect(str(tmp_path / "scm.sock"))
            stream = client.makefile("rw")
            for request, answer in (
                ('{"op": "state", "name": "nothing"}', '"state": "absent"'),
                ('{"op": "dance"}', "unknown op"),
                ('{"op": "start", "name": "run"}', '"state": "running"'),
                ('{"op": "watch"}', '"ok": true'),
            ):
                stream.write(request + "\n")
                stream.flush()
                assert answer in stream.readline()
            node.services.stop("run", force=False)
            assert [stream.readline(), stream.readline()] == [
                '{"name": "run", "state": "stop_pending"}\n',
                '{"name": "run", "state": "stopped"}\n',
            ]
    finally:
        server.shutdown()
        server.server_close()


def test_a_service_that_reports_is_running_at_once(tmp_path: Path) -> None:
    node = make_node(tmp_path, service_settle_s=30)
    install(node, "run.exe", tmp_path / "pid")
    starting = threading.Thread(target=node.services.start, args=("run",))
    starting.start()
    try:
        until((tmp_path / "pid").exists)
        assert node.services.state("run") == "start_pending"
        node.services.report("run", "running")
        starting.join(WAIT_S)
        assert node.services.state("run") == "running"
    finally:
        node.services.stop_all()


def test_before_a_shutdown_a_service_that_asked_for_it_is_told_and_waited_for_and_the_others_run_on(
    node: Node, tmp_path: Path
) -> None:
    install(node, "moving.exe", tmp_path / "told")
    install(node, "run.exe", tmp_path / "pid")
    try:
        for name in ("moving", "run"):
            node.services.start(name)
        with pytest.raises(ServiceError, match="cannot tell a service of 'lowmemory'"):
            node.services.accept("moving", "lowmemory")
        node.services.accept("moving", "preshutdown")
        node.services.announce_shutdown()
        assert lines(tmp_path / "told")[1:] == ["moved"]
        assert node.services.state("run") == "running"
        node.services.stop_all()
        assert [node.services.state(name) for name in ("moving", "run")] == ["stopped", "stopped"]
    finally:
        node.services.stop_all()


def test_a_service_that_is_not_ready_for_the_shutdown_in_its_time_is_not_waited_for(node: Node, tmp_path: Path) -> None:
    install(node, "stubborn.exe", tmp_path / "pid", pre_shutdown_timeout_ms=200)
    node.services.start("stubborn")
    node.services.accept("stubborn", "preshutdown")
    began_s = time.monotonic()
    node.services.announce_shutdown()
    assert 0.2 <= time.monotonic() - began_s < 30
    node.services.stop_all()


# -- logging on and configuration ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "password", "allowed"), [(True, "right", True), (False, "right", False), (True, "wrong", False)]
)
def test_ntlm_is_bound_to_the_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: bool, password: str, allowed: bool
) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", "replaced below, and put back after the test")
    authority = tls.make_authority("test")
    tls.issue(authority, name="n1", addresses=[], certificate=tmp_path / "crt", key=tmp_path / "key")
    write_ntlm_users(tmp_path / "users", {"Administrator": "right"}, computer="n1")
    bindings = channel_bindings((tmp_path / "crt").read_bytes())
    server = Authentication({"Administrator": "right"}, bindings)
    other = GssChannelBindings(application_data=b"tls-server-end-point:" + bytes(32))
    client = spnego.client("Administrator", password, protocol="ntlm", channel_bindings=bindings if bound else other)
    assert log_on(client, server) is allowed
    assert server.check(None)[0] is allowed


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ({"winrm_fd": 3}, "the key 'node' is required"),
        ({"node": "n1", "winrm_fd": 3}, "write an absolute path"),
        ({"node": "/n1", "winrm_fd": 3, "colour": 1}, "unknown key 'colour'"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(raw: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        parse(raw)


# -- helpers of these tests ---------------------------------------------------------------------------


def make_node(folder: Path, **settings: object) -> Node:
    (folder / "n1" / "standin").mkdir(parents=True, exist_ok=True)
    (folder / "n1" / "standin" / "users.json").write_text('{"Administrator": "right"}', encoding="utf-8")
    raw = {"node": str(folder / "n1"), "winrm_fd": 0, "service_settle_s": 0.2, "service_stop_s": 0.5}
    return open_node(parse({**raw, "environment": {"PATH": os.defpath}, **settings}))


def program(node: Node, name: str, text: str) -> None:
    (node.config.node / "C" / name).write_text(text)


def install(node: Node, file: str, written: Path, **settings: object) -> None:
    """The service named as the program, which writes its process id into the file."""
    program(node, file, SCRIPTS[file])
    name = file.removesuffix(".exe")
    service = Service(name=name, display_name=name, path=rf'"C:\{file}" "{written}"')
    node.services.install(service.changed(settings))


def run(body: Callable[..., int]) -> Chunk:
    """All the output of a job without input, once it is over."""
    job = Job(body)
    job.feed(b"", last=True)
    job.wait()
    chunk = job.read(limit=1_000_000, wait_s=WAIT_S)
    assert chunk is not None
    return chunk


def log_on(client: spnego.ContextProxy, server: Authentication) -> bool:
    """Whether the server lets the client in, after as many rounds as NTLM has."""
    token = client.step()
    for _ in range(3):
        allowed, headers = server.check(f"Negotiate {base64.b64encode(token or b'').decode()}")
        answer = next((header.partition(" ")[2] for header in headers if header.startswith("Negotiate ")), "")
        if allowed or not answer:
            return allowed
        token = client.step(base64.b64decode(answer))
    return False


def lines(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)
