# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running one of the project's playbooks on the lab and following it task by task."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..world.places import REPOSITORY

CALLBACKS = Path(__file__).resolve().parent / "callback"
Event = Mapping[str, Any]


class PlaybookError(Exception):
    """A playbook failed; the text says where and why."""


@dataclass(slots=True)
class Part:
    """A role of the playbook, or its tasks outside of roles, and how it went."""

    name: str
    tasks: int = 0
    changed: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Run:
    """A playbook that has run."""

    name: str
    seconds: float = 0.0
    parts: list[Part] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    """What its debug tasks said, in order, each once."""

    troubles: list[str] = field(default_factory=list)
    hosts: dict[str, dict[str, int]] = field(default_factory=dict)


def run_playbook(
    name: str,
    *,
    variables: Mapping[str, str] | None = None,
    inventory: Sequence[str] = ("-i", "inventory/lab"),
    told: Callable[[Event], None] = lambda _event: None,
) -> Run:
    """The playbook has run without a failure; told is called with every event while it runs.

    Raises:
        PlaybookError: it failed on a host, or ansible-playbook did not start.
    """
    ansible = Path(sys.executable).parent / "ansible-playbook"
    command = [str(ansible), *inventory, f"playbooks/{name}"]
    command += ["-e", json.dumps(dict(variables))] if variables else []
    start_s = time.monotonic()
    run = Run(name=name)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY, env=environment()
    ) as process:
        try:
            follow(run, process, told)
        finally:
            if process.poll() is None:
                process.terminate()
        errors = process.stderr.read() if process.stderr else ""
    run.seconds = time.monotonic() - start_s
    if process.returncode != 0:
        trouble = "\n".join(run.troubles) or errors.strip() or f"exit code {process.returncode}"
        raise PlaybookError(f"playbooks/{name} failed: {trouble}")
    return run


def follow(run: Run, process: subprocess.Popen[str], told: Callable[[Event], None]) -> None:
    """Every line that the playbook wrote is in the run."""
    task_start_s = time.monotonic()
    for line in process.stdout or ():
        if not line.startswith("{"):
            continue
        event = json.loads(line)
        now_s = time.monotonic()
        if event["event"] in ("task", "end") and run.parts:
            run.parts[-1].seconds += now_s - task_start_s
        if event["event"] in ("task", "end"):
            task_start_s = now_s
        note(run, event)
        told(event)


def note(run: Run, event: Event) -> None:
    """The event is counted in the run."""
    if event["event"] == "task":
        role = str(event["role"]).rpartition(".")[2] or "playbook"
        if not run.parts or run.parts[-1].name != role:
            run.parts.append(Part(role))
        run.parts[-1].tasks += 1
    elif event["event"] == "result":
        data = event["data"]
        if event["status"] == "changed" and run.parts:
            run.parts[-1].changed += 1
        if event["status"] in ("failed", "unreachable"):
            run.troubles.append(f"{event['host']}: {data.get('msg', data)}")
        else:
            note_message(run, data.get("msg"))
        run.moves.extend(data.get("moves", []))
    elif event["event"] == "end":
        run.hosts = event["hosts"]


def note_message(run: Run, message: object) -> None:
    """A task's message is kept once, whichever hosts said it."""
    lines = message if isinstance(message, list) else [message]
    text = "\n".join(str(line) for line in lines if line)
    if text and text not in run.messages:
        run.messages.append(text)


def environment() -> dict[str, str]:
    """The environment of ansible-playbook: the project's settings and our callback."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_STDOUT_CALLBACK": "holdfast_events",
        "ANSIBLE_NOCOLOR": "1",
    }
