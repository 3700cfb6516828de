# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays a story written as text on the simulated cluster and says what happened, as text.

A story is a list of lines. What the nodes noted and answered comes out line by line with the time in seconds, so that
a person can read it and a test can compare it. Random schedules are stories too (``schedules``), so a schedule that
fails can be read. The words:

    nodes n1 n2 [sites=sharing|shop|...] [profile=fast] [paths=1] [arbiter=witness|store] [seed=7]
                                                            a new cluster whose nodes have met; no seed: no chance;
                                                            the arbiter is called w, and most words fit it;
                                                            lifetimes=yes: systems drop addresses by themselves;
                                                            met=0.3: so long they have run when the story begins (1);
                                                            also local=no switchback=automatic shutdown=stay, and
                                                            restarts, failovers, window_s, ... (model.Recovery)
    run SECONDS                                             time goes by
    command AT VERB TAG[,TAG] [NODE] [peers_off=n1] [initial=yes] [check=yes]      and wait for the answer
    begin ...                                               the same, without waiting; peers_off=truly: what is off
    kill NODE | start NODE | restart NODE                   its monitor goes, comes, both
    power_off NODE                                          everything on it is off until it is started
    freeze NODE | thaw NODE                                 its monitor stands still, goes on
    hang NODE                                               its monitor and its guard stand still until it thaws
    pause NODE | resume NODE                                the whole machine does, as a stunned virtual machine
    wipe w                                                  the witness comes back without its memory, and does not
                                                            vote before every node has accepted it
    wipe NODE                                               it loses its power, and its disk is another, empty one
    accept NODE                                             a person has the node accept the witness as it is now
    clock NODE RATE                                         its clock runs so fast (1.01: too fast)
    shutdown NODE                                           its system announces that it goes down, and waits
    notice NODE TAG                                         Windows tells the monitor of a change there
    cut n1 n2 [PATH] | cut_one_way n1 n2 [PATH]             nothing comes through any more (from n1 to n2)
    mend n1 n2 [PATH] | heal                                it does again; the whole network does
    flap n1 n2 PATH                                         the connection is lost and made anew
    weather LOSS DUPLICATES DELAY_S                         what happens to messages
    sick NODE OPERATION TAG fail | fail_late | hang         (machines.SICKNESSES)
    lan NODE TAG silent | unplugged                         through its card there no client is reached
    slow_disk NODE SECONDS | cure NODE
    switch_on NODE TAG | switch_off NODE TAG                somebody does it by hand, past Holdfast
    configure NODE apart | turned | sharing | bare                   (layouts.layout)
    survive NODE                                            all others are off, all else is well: it serves everything
    peace                                                   every fault ends, and everything comes to rest
    works                                                   every group goes where it is told, and stays out when told
    show | status NODE                                      what runs and is known; the warnings that a node shows
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from holdfast.core.values import events as e
from holdfast.core.values.model import Recovery
from holdfast_sim.arbiter import WITNESS, Witness
from holdfast_sim.cluster import STEADY, World
from holdfast_sim.layouts import PATHS
from holdfast_sim.machines import SICKNESSES
from holdfast_sim.peace import peace, survive, works
from holdfast_sim.store import Store

QUIET = ("restarted", "path up", "path down", "started", "moved", "out of service")
"""Ledger records that say again what the answer, the activity and the story itself say."""


SHUTDOWN_S = 180.0
"""How long a system that shuts down waits for the monitor."""


class Theatre:
    """One world and the words a story may use."""

    def __init__(self) -> None:
        self._world: World | None = None
        self._noted = 0
        self._answers: list[tuple[str, str]] = []
        self._words: dict[str, Callable[..., list[str] | None]] = {
            "nodes": self._nodes,
            "run": self._run,
            "command": self._command,
            "begin": self._begin,
            "kill": self._kill,
            "start": self._start,
            "restart": self._restart,
            "power_off": self._power_off,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "hang": self._hang,
            "wipe": self._wipe,
            "accept": self._accept,
            "pause": self._pause,
            "resume": self._resume,
            "clock": self._clock,
            "shutdown": self._shutdown,
            "notice": self._notice,
            "cut": self._cut,
            "cut_one_way": self._cut_one_way,
            "mend": self._mend,
            "heal": self._heal,
            "flap": self._flap,
            "weather": self._weather,
            "sick": self._sick,
            "lan": self._lan,
            "slow_disk": self._slow_disk,
            "cure": self._cure,
            "switch_on": self._switch_on,
            "switch_off": self._switch_off,
            "configure": self._configure,
            "survive": self._survive,
            "peace": self._peace,
            "works": self._works,
            "show": self._show,
            "status": self._status,
        }

    @property
    def words(self) -> tuple[str, ...]:
        """What a line may begin with."""
        return tuple(self._words)

    @property
    def world(self) -> World:
        """The cluster of the story."""
        if self._world is None:
            raise ValueError("a story begins with the word 'nodes'")
        return self._world

    def play(self, line: str) -> list[str]:
        """Carries out one line; returns what is to be read about it."""
        return (self.do(line) or []) + self._news()

    def do(self, line: str) -> list[str] | None:
        """Carries out one line."""
        word, *rest = line.split()
        if word not in self._words:
            raise ValueError(f"{word!r} is no word of a story; words are {', '.join(sorted(self._words))}")
        return self._words[word](*rest)

    # -- the stage ----------------------------------------------------------------------------------

    def _nodes(self, *words: str) -> None:
        """What the nodes say until they have met is not told."""
        names, options = _apart(words)
        profile = options.get("profile", "normal")
        self._world = World(
            int(options.get("seed", STEADY)),
            tuple(names),
            sites=options.get("sites", "apart"),
            profile="fast" if profile == "fast" else "vm" if profile == "vm" else "normal",
            paths=PATHS[: int(options.get("paths", len(PATHS)))],
            arbiter=options.get("arbiter", "manual"),
            recovery=_recovery(options),
            lifetimes="lifetimes" in options,
        )
        self.world.run(float(options.get("met", "1")))
        self._noted = len(self.world.notes)

    def _run(self, seconds: str) -> None:
        self.world.run(float(seconds))

    # -- commands -----------------------------------------------------------------------------------

    def _command(self, at: str, verb: str, tag: str, *rest: str) -> None:
        """Gives the command and lets time go on until it is answered."""
        self._begin(at, verb, tag, *rest)
        id_ = self._answers[-1][1]
        self.world.run_until(lambda: id_ in self.world.answers, 200.0)

    def _begin(self, at: str, verb: str, tag: str, *rest: str) -> None:
        """Gives the command and does not wait."""
        nodes, options = _apart(rest)
        args: dict[str, object] = {"tag": tag} if verb == "plan" else {"tags": tag.split(",")}
        if verb != "out_of_service":
            args["node"] = nodes[0] if nodes else None
        if "peers_off" in options:
            args["peers_off"] = self._said_off(options["peers_off"])
        args |= {key: True for key in ("initial", "check") if key in options}
        args["timeout_s"] = float(options.get("timeout_s", "150"))
        self._answers.append((verb, self.world.command(at, verb, **args)))

    def _said_off(self, names: str) -> list[str]:
        """``truly`` stands for the nodes that are off, and only those."""
        if names != "truly":
            return names.split(",")
        return [name for name, computer in self.world.computers.items() if computer.off]

    # -- monitors and machines ----------------------------------------------------------------------

    def _kill(self, node: str) -> None:
        if witness := self._witness(node):
            witness.stop()
        else:
            self.world.kill(node)

    def _start(self, node: str) -> None:
        if witness := self._witness(node):
            if witness.off:
                witness.start()
        elif self.world.processes[node].dead:
            self.world.start(node)

    def _restart(self, node: str) -> None:
        if witness := self._witness(node):
            witness.start()
        elif not self.world.computers[node].off:
            self.world.start(node)

    def _power_off(self, node: str) -> None:
        if witness := self._witness(node):
            witness.stop()
        else:
            self.world.power_off(node)

    def _freeze(self, node: str) -> None:
        (self._witness(node) or self.world.processes[node]).frozen = True

    def _thaw(self, node: str) -> None:
        if witness := self._witness(node):
            witness.thaw()
        elif not self.world.computers[node].paused:
            self.world.guards[node].thaw()
            self.world.processes[node].thaw()

    def _hang(self, node: str) -> None:
        self._freeze(node)
        self.world.guards[node].hang()

    def _wipe(self, name: str) -> None:
        if isinstance(witness := self._witness(name), Witness):
            witness.wipe()
        elif name in self.world.computers:
            self.world.wipe(name)

    def _accept(self, node: str) -> None:
        if isinstance(self.world.witness, Witness):
            self.world.witness.accept(node)

    def _pause(self, node: str) -> None:
        self.world.pause(node)

    def _resume(self, node: str) -> None:
        self.world.resume(node)

    def _clock(self, node: str, rate: str) -> None:
        self.world.drift(node, float(rate))

    def _shutdown(self, node: str) -> None:
        """The system waits for ReadyToStop, but not for ever."""
        computer = self.world.computers[node]
        computer.shutting_down = True
        self.world.processes[node].feed(e.ShutdownAnnounced())
        self.world.on_computer(computer, SHUTDOWN_S, lambda: self.world.power_off(node))

    def _notice(self, node: str, tag: str) -> None:
        self.world.noticed(node, tag)

    def _witness(self, name: str) -> Witness | Store | None:
        return self.world.witness if name == WITNESS else None

    def _sick(self, node: str, operation: str, tag: str, how: str) -> None:
        if how not in SICKNESSES:
            raise ValueError(f"{how!r} is no sickness; there are {', '.join(SICKNESSES)}")
        self.world.computers[node].sick[operation, tag] = how
        self.world.sickly = True

    def _lan(self, node: str, tag: str, how: str) -> None:
        self.world.computers[node].lan[tag] = how
        self.world.sickly = True
        self.world.sickly = True

    def _slow_disk(self, node: str, seconds: str) -> None:
        (self._witness(node) or self.world.computers[node]).disk_s = float(seconds)

    def _cure(self, node: str) -> None:
        self.world.computers[node].heal()

    def _switch_on(self, node: str, tag: str) -> None:
        self._by_hand(node).add(tag)
        self.world.guards[node].look()

    def _switch_off(self, node: str, tag: str) -> None:
        self._by_hand(node).discard(tag)

    def _by_hand(self, node: str) -> set[str]:
        self.world.computers[node].tampered = True
        return self.world.computers[node].on

    def _configure(self, node: str, sites: str) -> None:
        self.world.configure(node, sites)
        self.world.sickly = True

    def _survive(self, node: str) -> None:
        survive(self.world, node)

    def _peace(self) -> None:
        peace(self.world)

    def _works(self) -> None:
        works(self.world)

    # -- the network --------------------------------------------------------------------------------

    def _cut(self, one: str, other: str, *paths: str) -> None:
        self._cut_one_way(one, other, *paths)
        self._cut_one_way(other, one, *paths)

    def _cut_one_way(self, source: str, target: str, *paths: str) -> None:
        self.world.network.cut |= {(source, target, path) for path in paths or PATHS}

    def _mend(self, one: str, other: str, *paths: str) -> None:
        for path in paths or PATHS:
            self.world.network.cut -= {(one, other, path), (other, one, path)}

    def _heal(self) -> None:
        self.world.network.heal()

    def _flap(self, one: str, other: str, path: str) -> None:
        self.world.disconnect(one, other, path)
        self.world.later(0.05, lambda: self.world.connect(one, other, path))

    def _weather(self, loss: str, duplicates: str, delay_s: str) -> None:
        network = self.world.network
        network.loss, network.duplicate, network.delay_max_s = float(loss), float(duplicates), float(delay_s)

    # -- what is to be read ---------------------------------------------------------------------------

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

    def _status(self, node: str) -> list[str]:
        view = self.world.processes[node].machine.view()
        if view is None:
            return [f"{node} belongs to no cluster"]
        states = [f"{group['name']} {group['state']} on {group['holder']}" for group in view["groups"]]
        return [f"{node} shows {', '.join(states)}", *(f"{node} warns: {text}" for text in view["warnings"])]

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


def _recovery(options: dict[str, str]) -> Recovery:
    """What is done by itself, as far as the story says it; the rest as usual."""
    said: dict[str, Any] = {}
    for key, value in options.items():
        if key.endswith("_s") and key in Recovery.__dataclass_fields__:
            said[key] = float(value)
        elif key in ("restarts", "failovers"):
            said[key] = int(value)
        elif key in ("shutdown", "switchback"):
            said[key] = value
    return replace(Recovery(local=options.get("local", "yes") == "yes"), **said)


def _apart(words: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Plain words, and ``key=value`` ones."""
    options = dict(word.split("=", 1) for word in words if "=" in word)
    return [word for word in words if "=" not in word], options


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
