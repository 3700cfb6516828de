# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a running lab from outside: the Lab class, used by the commands, the demo, the benchmark and the tests."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .jobs import Outcome
from .places import Places

FAULT_TIMEOUT_S = 150.0
"""An orderly shutdown (60 s) and a start (60 s) at most."""


class LabError(Exception):
    """The lab is not there, or refused; the text says why."""


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that runs; each call is one request on its control socket."""

    places: Places

    def ask(self, verb: str, *, patience_s: float = 60.0, **request: Any) -> Any:
        """The data of the answer.

        Raises:
            LabError: no lab runs here, it did not answer in time, or it refused.
        """
        line = json.dumps({"do": verb, **request}).encode() + b"\n"
        try:
            with socket.socket(socket.AF_UNIX) as link:
                link.settimeout(patience_s)
                link.connect(str(self.places.control))
                link.sendall(line)
                answer = json.loads(link.makefile("rb").readline() or b"null")
        except (FileNotFoundError, ConnectionError) as error:
            raise LabError(f"no lab runs in {self.places.root} ({error}); start one with: make lab-up") from error
        except TimeoutError as error:
            raise LabError(f"the lab did not answer {verb!r} within {patience_s} s") from error
        if answer is None:
            raise LabError(f"the lab ended while it did {verb!r}; see {self.places.logs / 'supervisor.log'}")
        if not answer["ok"]:
            raise LabError(str(answer["error"]))
        return answer["data"]

    @property
    def inventory(self) -> tuple[str, ...]:
        """The options of ansible and ansible-playbook that mean this lab, whichever others run."""
        return ("-i", "inventory/lab", "-i", str(self.places.hosts), "-e", f"@{self.places.generated}")

    def status(self) -> dict[str, Any]:
        """Machines with their state, cables and boot ids."""
        return dict(self.ask("status"))

    def run(
        self,
        machine: str,
        command: Sequence[str],
        *,
        stdin: str = "",
        timeout_s: float = 60.0,
        environment: Mapping[str, str] | None = None,
    ) -> Outcome:
        """The command ran on this machine (its namespaces, its environment) and ended, or was killed in time."""
        data = self.ask(
            "exec",
            patience_s=timeout_s + 10,
            machine=machine,
            command=list(command),
            stdin=stdin,
            environment=dict(environment or {}),
            timeout_s=timeout_s,
        )
        return Outcome(**data)

    def start(self, name: str, machine: str, command: Sequence[str], *, log: Path | None = None) -> None:
        """The command runs on this machine in the background, under this name."""
        chosen = str(log or self.places.logs / f"{name}.log")
        self.ask("start", name=name, machine=machine, command=list(command), log=chosen)

    def stop(self, name: str) -> int:
        """The background command was asked to end and has; its exit code."""
        return int(self.ask("stop", name=name))

    def fault(self, name: str, **arguments: str) -> None:
        """The fault is in effect; the names are those of `holdfast_lab fault --help`."""
        self.ask("fault", patience_s=FAULT_TIMEOUT_S, name=name, **{"with": arguments})

    def generated(self) -> dict[str, Any]:
        """The generated variables of the inventory: password, thumbprint, paths."""
        import yaml

        with self.places.generated.open(encoding="utf-8") as stream:
            return dict(yaml.safe_load(stream))
