# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays a story written as text on the simulated cluster and says what happened, as text.

A story is a list of lines; each is one of the words below. What the nodes noted and answered comes out line by line
with the time in seconds, so that a person can read it and a test can compare it.
"""

from __future__ import annotations

from collections.abc import Callable

from holdfast_sim.cluster import PATHS, World

QUIET = ("path up", "started", "moved", "out of service")
"""Ledger records that say again what the answer and the activity say."""


class Theatre:
    """One world and the words a story may use."""

    def __init__(self) -> None:
        self.world = World(1)
        self._noted = 0
        self._answers: list[tuple[str, str]] = []
        self._words: dict[str, Callable[..., list[str]]] = {
            "nodes": self._nodes,
            "run": self._run,
            "command": self._command,
            "begin": self._begin,
            "kill": lambda node: self._do(self.world.kill, node),
            "start": lambda node: self._do(self.world.start, node),
            "power_cycle": lambda node: self._do(self.world.power_cycle, node),
            "freeze": self._freeze,
            "thaw": lambda node: self._do(self.world.processes[node].thaw),
            "cut": self._cut,
            "heal": lambda: self._do(self.world.network.heal),
            "sick": self._sick,
            "cure": lambda node: self._do(self.world.computers[node].sick.clear),
            "switch_on": self._switch_on,
            "show": self._show,
        }

    def play(self, line: str) -> list[str]:
        """Carries out one line; returns what is to be read about it."""
        word, *rest = line.split()
        if word not in self._words:
            raise ValueError(f"{word!r} is no word of a story; words are {', '.join(sorted(self._words))}")
        said = self._words[word](*rest)
        return said + self._news()

    def _nodes(self, *nodes: str) -> list[str]:
        """A new cluster whose nodes have met; what they say until then is not told."""
        self.world = World(1, nodes)
        self.world.run(1.0)
        self._noted = len(self.world.notes)
        return []

    def _run(self, seconds: str) -> list[str]:
        self.world.run(float(seconds))
        return []

    def _command(self, at: str, verb: str, tag: str, *rest: str) -> list[str]:
        """Gives the command and lets time go on until it is answered."""
        self._begin(at, verb, tag, *rest)
        id_ = self._answers[-1][1]
        self.world.run_until(lambda: id_ in self.world.answers, 200.0)
        return []

    def _begin(self, at: str, verb: str, tag: str, *rest: str) -> list[str]:
        """Gives the command and does not wait."""
        options = dict(word.split("=", 1) for word in rest if "=" in word)
        node = next((word for word in rest if "=" not in word), None)
        args: dict[str, object] = {"tag": tag} if verb == "plan" else {"tags": tag.split(",")}
        if verb != "out_of_service":
            args["node"] = node
        if "peers_off" in options:
            args["peers_off"] = options["peers_off"].split(",")
        args |= {key: True for key in ("initial", "check") if key in options}
        args["timeout_s"] = float(options.get("timeout_s", "150"))
        self._answers.append((verb, self.world.command(at, verb, **args)))
        return []

    def _do(self, action: Callable[..., object], *args: str) -> list[str]:
        action(*args)
        return []

    def _freeze(self, node: str) -> list[str]:
        self.world.processes[node].frozen = True
        return []

    def _cut(self, source: str, target: str, *paths: str) -> list[str]:
        """Cuts both directions, on all comm paths or those named."""
        for path in paths or PATHS:
            self.world.network.cut |= {(source, target, path), (target, source, path)}
        return []

    def _sick(self, node: str, operation: str, tag: str, how: str) -> list[str]:
        self.world.computers[node].sick[operation, tag] = how
        return []

    def _switch_on(self, node: str, tag: str) -> list[str]:
        """Somebody starts a resource by hand, past Holdfast."""
        self.world.computers[node].on.add(tag)
        return []

    def _show(self) -> list[str]:
        lines = []
        for name, computer in self.world.computers.items():
            lines.append(f"{name} runs {', '.join(sorted(computer.on)) or 'nothing'}")
        for name, process in self.world.processes.items():
            if process.dead:
                lines.append(f"{name} has no monitor")
                continue
            for g in process.machine.groups.values():
                register = g.register
                out = f", out of service: {', '.join(sorted(register.out))}" if register.out else ""
                lines.append(f"{name}: {g.name} {g.activity}, epoch {register.epoch} held by {register.holder}{out}")
        return lines

    def _news(self) -> list[str]:
        fresh = self.world.notes[self._noted :]
        self._noted = len(self.world.notes)
        lines = [f"{now_s:.2f} {node}: {note.text}" for now_s, node, note in fresh if note.kind not in QUIET]
        for verb, id_ in list(self._answers):
            answer = self.world.answers.get(id_)
            if answer is not None:
                self._answers.remove((verb, id_))
                lines += _answer(verb, answer)
        return lines


def _answer(verb: str, answer: dict[str, object]) -> list[str]:
    if not answer["ok"]:
        error = answer["error"]
        return [f"-> {error['kind']}: {error['message']}"] if isinstance(error, dict) else []
    data = answer["data"]
    listed: list[object] = []
    if isinstance(data, dict):
        listed = [data] if verb == "plan" else data.get("moves") or data.get("stops") or []
    return [_row(row, changed=bool(answer["changed"])) for row in listed if isinstance(row, dict)]


def _row(row: dict[str, object], *, changed: bool) -> str:
    where = f" from {row['from']} to {row['to']}" if "to" in row else ""
    dragged = row.get("dragged")
    along = f", dragging {', '.join(dragged)}" if isinstance(dragged, list) and dragged else ""
    allowed = "" if row.get("allowed", True) else ", not allowed: " + _problems(row)
    return f"-> {row['group']} {row['outcome']}{where}{along}{allowed} ({'changed' if changed else 'unchanged'})"


def _problems(row: dict[str, object]) -> str:
    problems = row["problems"]
    return "; ".join(problem["message"] for problem in problems) if isinstance(problems, list) else ""
