# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's commands: up, down, status, exec, fault, demo. What `make lab-up`, `make lab-down` and `make demo` call."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import get_args

from .world import launch
from .world.faults import FAULTS
from .world.places import default_places
from .world.preflight import NotPossibleError
from .world.remote import Lab, LabError
from .world.seed import Profile
from .world.topology import NODES_MAX

EXIT_TROUBLE = 1
EXIT_TIMEOUT = 124


def main(arguments: list[str] | None = None) -> int:
    """The exit code: that of the command run by `exec`, 0, or 1 after one message on standard error."""
    options = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except (NotPossibleError, LabError) as error:
        print(f"holdfast lab: {error}", file=sys.stderr)
        return EXIT_TROUBLE


def up(options: argparse.Namespace) -> int:
    """The lab runs."""
    wish = launch.Wish(
        nodes=options.nodes,
        witness=options.witness,
        etcd=options.etcd,
        profile=options.profile,
        program=options.program,
    )
    lab = launch.up(default_places(), wish)
    print(f"The lab runs in {lab.places.root}:")
    show_machines(lab)
    print("Try: .venv/bin/ansible-playbook -i inventory/lab playbooks/site.yml   (end it with: make lab-down)")
    return 0


def down(_options: argparse.Namespace) -> int:
    """No lab runs."""
    places = default_places()
    print(f"The lab in {places.root} is gone." if launch.down(places) else f"No lab ran in {places.root}.")
    return 0


def status(options: argparse.Namespace) -> int:
    """The state of the lab is on standard output."""
    lab = Lab(default_places())
    if options.json:
        print(json.dumps(lab.status(), indent=2))
    else:
        show_machines(lab)
    return 0


def execute(options: argparse.Namespace) -> int:
    """The command has run on the machine."""
    outcome = Lab(default_places()).run(options.machine, options.command, timeout_s=options.timeout_s)
    sys.stdout.write(outcome.out)
    sys.stderr.write(outcome.err)
    return EXIT_TIMEOUT if outcome.code is None else outcome.code


def fault(options: argparse.Namespace) -> int:
    """The fault is in effect."""
    pairs = [word.partition("=") for word in options.arguments]
    wrong = [key for key, equals, _ in pairs if not equals]
    if wrong:
        raise LabError(f"{wrong[0]!r} is no argument of a fault; write name=value, for example node=n1")
    Lab(default_places()).fault(options.name, **{key: value for key, _, value in pairs})
    return 0


def demo(_options: argparse.Namespace) -> int:
    """The demonstration has run and left nothing."""
    from .demo.story import tell

    return tell(default_places())


def show_machines(lab: Lab) -> None:
    """One line per machine on standard output."""
    for name, machine in lab.status()["machines"].items():
        cables = {network: cable for network, cable in machine["cables"].items() if cable != "good"}
        trouble = f"  cables: {cables}" if cables else ""
        why = f" ({machine['why']})" if machine["why"] else ""
        print(f"  {name:<8} {machine['role']:<7} {machine['state']}{why}{trouble}")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="holdfast_lab", description="the Holdfast lab")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("up", help="build the lab and leave it running")
    one.add_argument("--nodes", type=int, default=2, choices=range(1, NODES_MAX + 1))
    one.add_argument("--witness", action="store_true", help="with a machine w1, whose witness is the arbiter")
    one.add_argument("--etcd", action="store_true", help="with machines e1 to e3 and an etcd on them")
    one.add_argument("--profile", choices=get_args(Profile), help="default: normal, with etcd vm")
    one.add_argument("--program", default="standin", choices=("standin", "plain"))
    one.set_defaults(run=up)
    commands.add_parser("down", help="end the lab").set_defaults(run=down)
    one = commands.add_parser("status", help="show the machines")
    one.add_argument("--json", action="store_true")
    one.set_defaults(run=status)
    one = commands.add_parser("exec", help="run a command on a machine: exec client curl -s http://10.77.0.113/")
    one.add_argument("--timeout-s", type=float, default=60.0)
    one.add_argument("machine")
    one.add_argument("command", nargs=argparse.REMAINDER)
    one.set_defaults(run=execute)
    one = commands.add_parser(
        "fault",
        help="cause a fault; 'fault --help' lists all",
        epilog=fault_table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    one.add_argument("name", choices=FAULTS, metavar="FAULT")
    one.add_argument("arguments", nargs="*", metavar="name=value")
    one.set_defaults(run=fault)
    commands.add_parser("demo", help="the whole story, then nothing is left").set_defaults(run=demo)
    return top


def fault_table() -> str:
    """Every fault with its parameters and what it does."""
    lines = ["faults:"]
    for name, entry in FAULTS.items():
        wanted = [f"{key}=" for key in entry.required]
        possible = [f"[{key}={default}]" for key, default in entry.optional.items()]
        lines.append(f"  {' '.join([name, *wanted, *possible])}")
        lines.append(f"      {entry.does}")
    return "\n".join(lines)
