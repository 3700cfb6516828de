# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""``holdfast witness run | status | confirm``."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import StateError, SurfaceError
from ..surface import Surface
from .control import ask
from .machine import Machine
from .settings import read_settings

DONE = 0
NOT_CONFIGURED = 78
"""systemd does not start us again after it (EX_CONFIG of sysexits.h): a person has to do something first."""


def main(words: Sequence[str], version: str) -> int:
    """The command was carried out; the exit code. Words that make no sense end the program with 2.

    Raises:
        RequestError: the witness does not run, or refuses.
    """
    machine = Machine()
    given = _parser(machine.settings).parse_args(words)
    service = machine.surface if given.command == "run" and not given.console else None
    try:
        settings = read_settings(machine, given.config)
        if given.command == "run":
            if service:
                with contextlib.suppress(SurfaceError):
                    service.raise_priority(highest=False)
            # Late: a look at the status needs no TLS and no event loop.
            from .host import run

            run(settings, version, surface=service)
            return DONE
    except StateError as error:
        return _refused(str(error), service)
    data = ask(Path(settings.state), given.command)
    if given.command == "confirm":
        lines = _confirmed(data)
    else:
        lines = [json.dumps(data, indent=2)] if given.json else status_lines(data)
    sys.stdout.write("\n".join(lines) + "\n")
    return DONE


def _refused(text: str, surface: Surface | None) -> int:
    if surface:
        surface.log_event(event_id=1098, level="error", text=f"The witness does not run: {text}")
    else:
        sys.stderr.write(f"holdfast witness: {text}\n")
    return NOT_CONFIGURED


def _parser(settings: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="holdfast witness", description="A third voter that serves nothing.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    texts = {
        "run": "vote until stopped; started by systemd or Windows",
        "status": "which nodes it hears, what it has granted, what it refused",
        "confirm": "let a new instance vote although not every node has confirmed it; first see that no node serves "
        "by the word of the old one",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument("--config", default=settings, metavar="FILE", help=f"{settings} when not given")
        if name == "status":
            command.add_argument("--json", action="store_true", help="everything, as JSON")
        if name == "run":
            command.add_argument("--console", action="store_true", help="not as a Windows service")
    return parser


def _confirmed(data: Mapping[str, Any]) -> list[str]:
    if not data["changed"]:
        return [f"Instance {data['instance']} votes already; nothing was done."]
    return [
        f"Instance {data['instance']} votes from now on; groups that it does not know yet are granted after 8 s.",
        "Nodes that know another instance refuse it until 'holdfast accept-witness' was run on them.",
    ]


def status_lines(data: Mapping[str, Any]) -> list[str]:
    """The status for people."""
    votes = f"does not vote: {data['why_not_voting']}" if data["why_not_voting"] else "votes"
    lines = [f"witness {data['witness']} of cluster {data['cluster']}, instance {data['instance']}: {votes}", ""]
    for node in data["nodes"]:
        where = ", ".join(f"{path['path']} ({path['address']})" for path in node["paths"]) or "on no path"
        lease = f"lease {node['lease_full_s']:g} s" if node["lease_full_s"] else "no lease"
        lines.append(f"node {node['name']}: {where}; {lease}{'' if node['confirmed'] else '; has not confirmed it'}")
    lines.append("")
    for group in data["groups"]:
        promised = f", {group['promised_epoch']} promised to {group['promised_to']}" if group["promised_to"] else ""
        lines.append(f"group {group['name']}: {group['holder'] or 'nobody'} at epoch {group['epoch']}{promised}")
    refused = ", ".join(f"{kind} {count}" for kind, count in data["refused"].items())
    lines += ["", f"refused: {refused or 'nothing'}; writes: {data['writes']}, longest {data['write_ms_max']:g} ms"]
    return lines + [f"warning: {warning}" for warning in data["warnings"]]
