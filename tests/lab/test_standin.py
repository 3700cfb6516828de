# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in for Windows as ansible-core sees it: one real playbook over WinRM, PSRP and SSH at once.

It runs on a loopback address, without namespaces and without root. The playbook only acts; what came of it is
judged here, host by host, from the results that Ansible reports and from the node's folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT
from holdfast_lab.standin import tls

# The first test pays for the whole playbook: 15 s alone, several times that on a busy machine.
pytestmark = pytest.mark.timeout(180)
TRANSPORTS = ("winrm", "psrp", "ssh")
ADDRESS = "127.44.250.1"
PLAY_S = 170.0
LARGE = 3_000_000
PROGRAMS = {
    "answer.exe": '#!/bin/sh\nprintf "noise\\r\\n"; printf "%s|" "$@"; cat; exit 3\n',
    "hang.exe": '#!/bin/sh\necho $$ > "$1"; exec sleep 60\n',
    "serve.exe": '#!/bin/sh\necho $$ > "$1"; exec sleep 600\n',
}
POINTER = '@rem Holdfast 0.1.0 0123\r\n@"%~dp0runtimes\\r1\\python.exe" "%~dp0versions\\0123\\holdfast.pyz" %*\r\n'
ACTION = """
import base64
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        script = base64.b64encode(self._task.args["script"].encode("utf-16-le")).decode()
        prefix = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
        return self._low_level_execute_command(prefix + script, in_data=self._task.args["stdin"].encode())
"""
PLAY = r"""
- hosts: good
  gather_facts: false
  vars:
    work: C:\work\{{ inventory_hostname }}
  tasks:
    - {name: ping, ansible.windows.win_ping: {}}
    - {name: facts, ansible.builtin.setup: {gather_subset: ['!all', '!min', distribution, platform]}}
    - {name: check folder, ansible.windows.win_file: {path: '{{ work }}', state: directory}, check_mode: true}
    - {name: folder, ansible.windows.win_file: {path: '{{ work }}', state: directory}}
    - {name: folder again, ansible.windows.win_file: {path: '{{ work | upper }}', state: directory}}
    - {name: text, ansible.windows.win_copy: {content: "Grüße\r\n", dest: '{{ work }}\text.txt'}, diff: true}
    - {name: text again, ansible.windows.win_copy: {content: "Grüße\r\n", dest: '{{ work }}\text.txt'}}
    - {name: large, ansible.windows.win_copy: {src: large.bin, dest: '{{ work }}\'}}
    - {name: empty, ansible.windows.win_copy: {src: empty.bin, dest: '{{ work }}\empty.bin'}}
    - {name: tree, ansible.windows.win_copy: {src: tree/, dest: '{{ work }}\tree'}}
    - {name: tree again, ansible.windows.win_copy: {src: tree/, dest: '{{ work }}\tree'}}
    - {name: template, ansible.windows.win_template: {src: hello.j2, dest: '{{ work }}\hello.txt'}}
    - {name: no parent, ansible.windows.win_copy: {content: x, dest: '{{ work }}\none\x'}, ignore_errors: true}
    - {name: stat, ansible.windows.win_stat: {path: '{{ work }}\LARGE.BIN'}}
    - name: fetch
      ansible.builtin.fetch: {src: '{{ work }}\large.bin', dest: 'fetched/{{ inventory_hostname }}', flat: true}
    - {name: slurp, ansible.builtin.slurp: {src: '{{ work }}\text.txt'}}
    - {name: archive, ansible.windows.win_copy: {src: a.zip, dest: '{{ work }}\a.zip'}}
    - &unzip
      name: unzip
      community.windows.win_unzip: {src: '{{ work }}\a.zip', dest: '{{ work }}\a', creates: '{{ work }}\a\in'}
    - {<<: *unzip, name: unzip again}
    - {name: gone, ansible.windows.win_file: {path: '{{ work }}\a', state: absent}}
    - &feature
      name: feature
      ansible.windows.win_feature: {name: ['Web-Server', 'web-http-redirect'], include_management_tools: true}
    - {<<: *feature, name: feature again}
    - {name: no feature, ansible.windows.win_feature: {name: Web-Nonsense}, ignore_errors: true}
    - &service
      name: service
      ansible.windows.win_service:
        name: Test-{{ inventory_hostname }}
        path: '"C:\Program Files\Test\serve.exe" "{{ work }}\pid file"'
        display_name: Test of {{ inventory_hostname }}
        description: does nothing
        start_mode: auto
        state: started
        dependencies: [EventLog]
        failure_actions: [{type: restart, delay_ms: 100}]
        failure_reset_period_sec: 3600
    - {<<: *service, name: service again}
    - {name: service info, ansible.windows.win_service_info: {name: 'Test-{{ inventory_hostname }}'}}
    - &acl
      name: acl
      ansible.windows.win_acl: {path: '{{ work }}', user: S-1-5-32-544, rights: FullControl, type: allow}
    - {<<: *acl, name: acl again}
    - &inheritance
      name: inheritance
      ansible.windows.win_acl_inheritance: {path: '{{ work }}', state: absent}
    - {<<: *inheritance, name: inheritance again}
    - &rule
      name: firewall
      community.windows.win_firewall_rule:
        {name: 'Test {{ inventory_hostname }}', localport: 7430, protocol: tcp, direction: in, action: allow}
    - {<<: *rule, name: firewall again}
    - name: program
      call_program:
        script: $input | & 'C:\Program Files\Test\answer.exe' 'one two' 'it''s'; exit $LASTEXITCODE
        stdin: '{"text": "Grüße"}'
      ignore_errors: true
    - name: pointer
      call_program:
        script: $input | & 'C:\Program Files\Holdfast\holdfast.cmd' 'call'; exit $LASTEXITCODE
        stdin: '{}'
    - name: no program
      call_program:
        script: $input | & 'C:\Program Files\Nothing\holdfast.cmd' 'call'; exit $LASTEXITCODE
        stdin: '{}'
    - {name: unknown script, call_program: {script: Get-Process, stdin: x}, ignore_errors: true}
    - name: raw
      ansible.builtin.raw: "& 'C:\\Program Files\\Test\\answer.exe' 'x'; exit $LASTEXITCODE"
      ignore_errors: true
    - {name: command, ansible.windows.win_command: {argv: ['C:\Program Files\Test\answer.exe', x]}, ignore_errors: true}
    - {name: in background, ansible.windows.win_ping: {}, async: 20, poll: 1}
    - {name: unknown module, ansible.windows.win_regedit: {path: 'HKLM:\Software\X'}, ignore_errors: true}
    - name: unknown option
      ansible.windows.win_service: {name: X, path: x, password: p, username: u}
      ignore_errors: true
    - {name: wrong argument, ansible.windows.win_stat: {pfad: x}, ignore_errors: true}
- hosts: bad
  gather_facts: false
  tasks:
    - {name: wrong password, ansible.windows.win_ping: {}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standin:
    """A running stand-in: its folder, how to reach it, and a folder for what Ansible needs."""

    node: Path
    site: Path
    password: str
    ports: dict[str, int]

    def host(self, transport: str, *, password: str) -> dict[str, Any]:
        """The host variables of the node over this transport."""
        common = {"ansible_host": ADDRESS, "ansible_user": "Administrator", "ansible_password": password}
        ca = str(self.site / "ca.crt")
        match transport:
            case "winrm":
                special = {"ansible_winrm_transport": "ntlm", "ansible_winrm_ca_trust_path": ca}
            case "psrp":
                special = {"ansible_psrp_auth": "negotiate", "ansible_psrp_ca_cert": ca}
            case _:
                options = f"-o UserKnownHostsFile={self.site / 'known_hosts'} -o StrictHostKeyChecking=accept-new"
                special = {"ansible_shell_type": "powershell", "ansible_ssh_common_args": options}
        port = self.ports["ssh" if transport == "ssh" else "winrm"]
        return {**common, **special, "ansible_connection": transport, "ansible_port": port}

    def command(self, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """An Ansible command line with its environment."""
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "HOME": str(self.site),
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_CONFIG": str(self.site / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.site / "ansible"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.site / "cp"),
            "ANSIBLE_FORKS": "6",
        }
        return [str(Path(sys.executable).parent / arguments[0]), *arguments[1:]], environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What the playbook reported: task name to host to result."""

    tasks: dict[str, dict[str, dict[str, Any]]]

    def of(self, task: str, host: str) -> dict[str, Any]:
        """The result of a task on a host."""
        return self.tasks[task][host]


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    site = tmp_path_factory.mktemp("standin")
    node = site / "n1"
    write_node(node)
    password = secrets.token_urlsafe(12)
    (node / "standin" / "users.json").write_text(json.dumps({"Administrator": password}), encoding="utf-8")
    (site / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    authority = tls.make_authority("test")
    (site / "ca.crt").write_bytes(authority.pem())
    private = node / "standin"
    tls.issue(authority, name="n1", addresses=[ADDRESS], certificate=private / "winrm.crt", key=private / "winrm.key")
    sockets = {name: listening() for name in ("winrm", "ssh")}
    ready, told = os.pipe()
    process = start(site, node, {"winrm_fd": sockets["winrm"], "ssh_fd": sockets["ssh"]}, told)
    try:
        await_ready(ready, process)
        ports = {name: item.getsockname()[1] for name, item in sockets.items()}
        yield Standin(node=node, site=site, password=password, ports=ports)
    finally:
        process.terminate()
        for item in sockets.values():
            item.close()
        assert process.wait(20) == 0


@pytest.fixture(scope="module")
def results(standin: Standin) -> Results:
    write_site(standin.site)
    good = {name: standin.host(name, password=standin.password) for name in TRANSPORTS}
    bad = {f"bad_{name}": standin.host(name, password="wrong") for name in TRANSPORTS}
    bad["bad_ssh"]["ansible_ssh_args"] = "-o ControlMaster=no -o ControlPath=none"  # not over the good one's connection
    inventory = {"good": {"hosts": good}, "bad": {"hosts": bad}}
    (standin.site / "inventory.yml").write_text(json.dumps(inventory), encoding="utf-8")
    argv, environment = standin.command("ansible-playbook", "-i", "inventory.yml", "play.yml")
    done = subprocess.run(
        argv, cwd=standin.site, env=environment, capture_output=True, text=True, timeout=PLAY_S, check=False
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    report = json.loads(done.stdout)
    tasks = {task["task"]["name"]: task["hosts"] for play in report["plays"] for task in play["tasks"]}
    return Results(tasks=tasks)


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_answers_a_ping_and_says_that_it_is_windows(results: Results, transport: str) -> None:
    assert results.of("ping", transport)["ping"] == "pong"
    facts = results.of("facts", transport)["ansible_facts"]
    assert facts["ansible_os_family"] == "Windows"
    assert facts["ansible_distribution"] == "Microsoft Windows Server 2022 Standard"
    assert facts["ansible_hostname"] == "N1"
    assert "ansible_memtotal_mb" not in facts


def test_folders_are_made_once_and_only_outside_check_mode(results: Results, transport: str) -> None:
    changed = [results.of(task, transport)["changed"] for task in ("check folder", "folder", "folder again")]
    assert changed == [True, True, False]


def test_files_of_all_sizes_arrive_unharmed(standin: Standin, results: Results, transport: str) -> None:
    work = standin.node / "C" / "work" / transport
    assert (work / "text.txt").read_bytes() == "Grüße\r\n".encode()
    assert (work / "large.bin").read_bytes() == (standin.site / "large.bin").read_bytes()
    assert (work / "empty.bin").read_bytes() == b""
    assert (work / "hello.txt").read_text() == f"hello {transport}\r\n".replace("\r\n", "\n")
    assert not results.of("text again", transport)["changed"]


def test_a_tree_arrives_with_all_its_names_and_a_second_copy_changes_nothing(
    standin: Standin, results: Results, transport: str
) -> None:
    tree = standin.node / "C" / "work" / transport / "tree"
    assert {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()} == {"a.txt", "b/zwölf.txt"}
    assert results.of("tree", transport)["changed"]
    assert not results.of("tree again", transport)["changed"]


@pytest.mark.usefixtures("results")
def test_no_temporary_file_of_ansible_is_left(standin: Standin) -> None:
    """win_template leaves an empty folder, on Windows too; all else is removed by the command that asks for it."""
    temporary = standin.node / "C" / "Users" / "Administrator" / "AppData" / "Local" / "Temp"
    assert [path for path in temporary.rglob("*") if path.is_file()] == []
    assert len(list(temporary.iterdir())) == len(TRANSPORTS)


def test_a_copy_into_a_folder_that_is_not_there_fails(results: Results, transport: str) -> None:
    assert "does not exist" in results.of("no parent", transport)["msg"]


def test_stat_finds_a_file_in_any_letter_case(standin: Standin, results: Results, transport: str) -> None:
    stat = results.of("stat", transport)["stat"]
    content = (standin.site / "large.bin").read_bytes()
    assert (stat["exists"], stat["size"], stat["isdir"]) == (True, LARGE, False)
    assert stat["checksum"] == hashlib.sha1(content, usedforsecurity=False).hexdigest()
    assert stat["filename"] == "large.bin"


def test_files_come_back_unharmed(standin: Standin, results: Results, transport: str) -> None:
    assert (standin.site / "fetched" / transport).read_bytes() == (standin.site / "large.bin").read_bytes()
    assert results.of("slurp", transport)["content"] == "R3LDvMOfZQ0K"


def test_an_archive_is_unpacked_once_and_its_folder_removed(standin: Standin, results: Results, transport: str) -> None:
    changed = [results.of(task, transport)["changed"] for task in ("unzip", "unzip again", "gone")]
    assert changed == [True, False, True]
    assert not (standin.node / "C" / "work" / transport / "a").exists()


def test_features_are_installed_with_what_is_above_them_and_unknown_ones_refused(
    standin: Standin, results: Results, transport: str
) -> None:
    installed = json.loads((standin.node / "standin" / "features.json").read_text())["installed"]
    assert {"Web-Server", "Web-Common-Http", "Web-Http-Redirect", "Web-Mgmt-Console"} <= set(installed)
    assert not results.of("feature again", transport)["changed"]
    assert "'Web-Nonsense'" in results.of("no feature", transport)["msg"]


def test_a_service_is_a_real_process_that_is_restarted_after_a_crash(
    standin: Standin, results: Results, transport: str
) -> None:
    assert results.of("service", transport)["changed"]
    assert not results.of("service again", transport)["changed"]
    info = results.of("service info", transport)["services"][0]
    assert (info["state"], info["start_mode"], info["dependencies"]) == ("started", "auto", ["EventLog"])
    written = int((standin.node / "C" / "work" / transport / "pid file").read_text())
    assert written == info["process_id"]
    os.kill(written, signal.SIGKILL)
    name = f"Test-{transport}"
    until(lambda: (now := ask(standin, {"op": "state", "name": name}))["state"] == "running" and now["pid"] != written)
    assert alive(ask(standin, {"op": "state", "name": name})["pid"])


def test_rights_and_firewall_rules_are_set_once(results: Results, transport: str) -> None:
    for task in ("acl", "inheritance", "firewall"):
        assert results.of(task, transport)["changed"], task
        assert not results.of(f"{task} again", transport)["changed"], task


def test_a_program_gets_its_arguments_and_its_input_as_windows_powershell_gives_them(
    results: Results, transport: str
) -> None:
    result = results.of("program", transport)
    lines = result["stdout"].splitlines()
    assert lines == ["noise", 'one two|it\'s|\ufeff{"text": "Gr??e"}']
    assert result["rc"] == 3


def test_the_pointer_leads_to_the_program_beside_it(results: Results, transport: str) -> None:
    result = results.of("pointer", transport)
    assert result["stdout"].splitlines()[0].endswith("/versions/0123/holdfast.pyz call")
    assert result["rc"] == 0


def test_a_program_that_is_not_there_gives_an_error_text_and_exit_code_0(results: Results, transport: str) -> None:
    result = results.of("no program", transport)
    assert (result["rc"], result["stdout"]) == (0, "")
    assert "The term 'C:\\Program Files\\Nothing\\holdfast.cmd' is not recognized" in result["stderr"]


def test_raw_and_win_command_run_programs_too(results: Results, transport: str) -> None:
    assert results.of("raw", transport)["rc"] == 3
    assert results.of("raw", transport)["stdout"].splitlines() == ["noise", "x|"]
    assert results.of("command", transport)["rc"] == 3
    assert results.of("command", transport)["msg"] == "non-zero return code"


def test_a_task_can_run_in_the_background(results: Results, transport: str) -> None:
    result = results.of("in background", transport)
    assert (result["ping"], bool(result["finished"])) == ("pong", True)


def test_what_is_unknown_fails_and_says_so(results: Results, transport: str) -> None:
    script = results.of("unknown script", transport)
    assert script["rc"] == 1
    assert "does not know the PowerShell script: 'Get-Process'" in script["stderr"]
    assert "does not know the module 'ansible.windows.win_regedit'" in results.of("unknown module", transport)["msg"]
    assert "does not implement the option 'password'" in results.of("unknown option", transport)["msg"]
    assert "Unsupported parameters" in results.of("wrong argument", transport)["msg"]


def test_a_wrong_password_is_refused(results: Results, transport: str) -> None:
    assert results.of("wrong password", f"bad_{transport}")["unreachable"]


def test_basic_authentication_over_tls_works(standin: Standin) -> None:
    host = standin.host("winrm", password=standin.password) | {"ansible_winrm_transport": "basic"}
    (standin.site / "basic.yml").write_text(json.dumps({"all": {"hosts": {"n1": host}}}), encoding="utf-8")
    argv, environment = standin.command("ansible", "-i", "basic.yml", "n1", "-m", "ansible.windows.win_ping")
    done = subprocess.run(argv, cwd=standin.site, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_ends_when_the_client_is_killed(standin: Standin) -> None:
    """The client is gone without a word; Windows would wait for the shell's idle timeout, the lab does so briefly."""
    hosts = {name: standin.host(name, password=standin.password) for name in TRANSPORTS}
    hosts["ssh"]["ansible_ssh_args"] = "-o ControlMaster=no"
    (standin.site / "hang.yml").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    script = r"& 'C:\Program Files\Test\hang.exe' 'C:\work\{{ inventory_hostname }}.pid'; exit $LASTEXITCODE"
    argv, environment = standin.command("ansible", "-i", "hang.yml", "all", "-m", "raw", "-a", script)
    client = subprocess.Popen(
        argv, cwd=standin.site, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
    )
    files = [standin.node / "C" / "work" / f"{name}.pid" for name in TRANSPORTS]
    try:
        until(lambda: all(file.exists() and file.read_text().strip() for file in files))
        pids = [int(file.read_text()) for file in files]
        assert all(alive(pid) for pid in pids)
    finally:
        for pid in [client.pid, *descendants(client.pid)]:  # Ansible's workers are sessions of their own
            os.kill(pid, signal.SIGKILL)
        client.wait(5)
    until(lambda: not any(alive(pid) for pid in pids))


def write_node(node: Path) -> None:
    """The node's folder with the programs that the playbook calls."""
    (node / "standin").mkdir(parents=True)
    test = node / "C" / "Program Files" / "Test"
    test.mkdir(parents=True)
    for name, text in PROGRAMS.items():
        (test / name).write_text(text)
    holdfast = node / "C" / "Program Files" / "Holdfast"
    for folder in ("runtimes/r1", "versions/0123"):
        (holdfast / folder).mkdir(parents=True)
    (holdfast / "holdfast.cmd").write_text(POINTER, newline="")
    (holdfast / "runtimes" / "r1" / "python.exe").write_text('#!/bin/sh\necho "$@"\n')
    (holdfast / "versions" / "0123" / "holdfast.pyz").write_bytes(b"")


def write_site(site: Path) -> None:
    """What lies beside the playbook."""
    (site / "play.yml").write_text(PLAY, encoding="utf-8")
    (site / "action_plugins").mkdir()
    (site / "action_plugins" / "call_program.py").write_text(ACTION)
    (site / "large.bin").write_bytes(os.urandom(LARGE))
    (site / "empty.bin").write_bytes(b"")
    (site / "hello.j2").write_text("hello {{ inventory_hostname }}\n")
    (site / "tree" / "b").mkdir(parents=True)
    (site / "tree" / "a.txt").write_text("a")
    (site / "tree" / "b" / "zwölf.txt").write_text("12")
    with zipfile.ZipFile(site / "a.zip", "w") as archive:
        archive.writestr("in/side.txt", "x")


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind((ADDRESS, 0))
    listener.listen(64)
    return listener


def start(site: Path, node: Path, sockets: dict[str, socket.socket], ready: int) -> subprocess.Popen[bytes]:
    descriptors = {key: item.fileno() for key, item in sockets.items()}
    config = {"node": str(node), "ready_fd": ready, "shell_idle_s": 0.5, "service_settle_s": 0.3, **descriptors}
    (site / "config.json").write_text(json.dumps(config), encoding="utf-8")
    log = (site / "log").open("wb")
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast_lab.standin", str(site / "config.json")],
            pass_fds=[*descriptors.values(), ready],
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT / ".build" / "python")},
            stdout=log,
            stderr=log,
        )
    os.close(ready)
    return process


def await_ready(descriptor: int, process: subprocess.Popen[bytes]) -> None:
    with os.fdopen(descriptor, "rb") as pipe:
        assert pipe.readline() == b"ready\n", f"process {process.pid} did not start"


def ask(standin: Standin, request: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(standin.node / "standin" / "scm.sock"))
        client.sendall(json.dumps(request).encode() + b"\n")
        return dict(json.loads(client.makefile().readline()))


def until(condition: Callable[[], bool], *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
