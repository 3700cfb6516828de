# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The commands for people on a node."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from .. import PROTOCOL
from ..service.client import ask
from ..surface import open_surface
from .explain_text import explain_lines
from .move_text import history_lines, move_lines, plan_lines, refusal_lines, stop_lines
from .package import Package
from .status_text import status_lines
from .table import Paint

DONE, REFUSED = 0, 1
_OVERVIEW = """\
Keeps IIS sites in service on exactly one node of a cluster, and moves them.

at night:     holdfast status                 what is wrong, what runs where and why
              holdfast explain shop           why is it there, what if a node died now
              holdfast plan shop n2           would a move to n2 work, and what would it do
              holdfast in-service shop n2     move it there
afterwards:   holdfast history                what happened, with reasons
"""


def run_command(words: Sequence[str], package: Package) -> int:
    """The command was carried out; the exit code. Words that make no sense end the program with 2."""
    parser = _parser(words)
    given = parser.parse_args(words)
    if given.command is None:
        parser.print_help()
        return DONE
    code: int = given.run(given, package)
    return code


def paint_for(stream: TextIO, environment: Mapping[str, str]) -> Paint:
    """Colours on a terminal only, and not when NO_COLOR is set (no-color.org)."""
    return Paint(on=stream.isatty() and not environment.get("NO_COLOR"))


def _parser(words: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="holdfast", description=_OVERVIEW, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def add(name: str, text: str, run: Callable[[argparse.Namespace, Package], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        command.set_defaults(run=run)
        return command

    status = add("status", "what is wrong, what runs where and why, and how the nodes see each other", _status)
    status.add_argument("--json", action="store_true", help="the whole status as JSON")
    explain = add("explain", "why a group is where it is, and what would happen if a node died", _explain)
    explain.add_argument("tag", metavar="TAG", help="a hierarchy, address or volume")
    explain.add_argument("--json", action="store_true", help="the explanation as JSON")
    plan = add("plan", "what a move would do, and what stands against it; nothing is touched", _plan)
    plan.add_argument("tag", metavar="TAG", help="a hierarchy, address or volume")
    plan.add_argument("node", metavar="NODE", help="where to")
    bring = add("in-service", "bring a group in service on a node; move it when it is on another one", _in_service)
    bring.add_argument("tags", metavar="TAG", help="a hierarchy, address or volume")
    bring.add_argument("node", metavar="NODE", nargs="?", help="where to; its preferred node when not given")
    bring.add_argument(
        "--peer-off",
        metavar="NODE",
        action="append",
        default=[],
        help="a node of which you KNOW that it is switched off; a group it still serves would be served twice",
    )
    stop = add("out-of-service", "stop it, everywhere, until it is brought in service again", _out_of_service)
    stop.add_argument("tags", metavar="TAG", help="a hierarchy, address or volume")
    for acting in (bring, stop):
        acting.add_argument("--timeout", metavar="SECONDS", type=float, default=60.0, help="60 when not given")
    history = add("history", "what happened on this node, with reasons", _history)
    history.add_argument("--limit", metavar="COUNT", type=int, default=50, help="records, 50 when not given")
    history.add_argument("--json", action="store_true", help="one JSON record per line")
    add("version", "which package this is", _version)
    selftest = add("selftest", "try every primitive of this machine, with scratch objects that go again", _selftest)
    if "selftest" in words:
        # Only then: it brings half of the monitor with it.
        from ..selftest import add_arguments

        add_arguments(selftest)
    add("accept-witness", "the witness that answers now is the one this node knows, after it was set up anew", _accept)
    forget = add("forget-state", "set this node's state files aside, so that it starts as a new one", _forget)
    forget.add_argument("--yes", action="store_true", help="do it; without this it is only said what would be done")
    prepare = add("prepare", "compile the package for this Python, so that it starts quickly; for playbooks", _prepare)
    prepare.add_argument("--check", action="store_true", help="only say whether it would be done")
    commands.add_parser("call", help="one JSON request on standard input, for playbooks")
    commands.add_parser("witness", help="the third voter: run, status, confirm; on a machine that is no node")
    commands.add_parser("service", help="the monitor itself; started by Windows")
    commands.add_parser("guard", help="the guard, which ends what the monitor cannot; started by Windows")
    return parser


def _status(given: argparse.Namespace, package: Package) -> int:
    del package
    return _shown("cluster_info", {}, status_lines, as_json=given.json)


def _explain(given: argparse.Namespace, package: Package) -> int:
    del package
    return _shown("explain", {"tag": given.tag}, explain_lines, as_json=given.json)


def _plan(given: argparse.Namespace, package: Package) -> int:
    del package
    answer = _asked("plan", {"tag": given.tag, "node": given.node})
    if not answer["ok"]:
        return _print_refusal(answer)
    _print(plan_lines(answer["data"], paint_for(sys.stdout, os.environ)))
    return DONE if answer["data"]["allowed"] else REFUSED


def _in_service(given: argparse.Namespace, package: Package) -> int:
    del package
    args = {"tags": [given.tags], "node": given.node, "peers_off": given.peer_off, "timeout_s": given.timeout}
    return _shown("in_service", args, lambda data, paint: move_lines(data["moves"], paint))


def _out_of_service(given: argparse.Namespace, package: Package) -> int:
    del package
    args = {"tags": [given.tags], "timeout_s": given.timeout}
    return _shown("out_of_service", args, lambda data, paint: stop_lines(data["stops"], paint))


def _history(given: argparse.Namespace, package: Package) -> int:
    del package

    def lines(data: Mapping[str, Any], paint: Paint) -> list[str]:
        if given.json:
            return [json.dumps(record) for record in data["records"]]
        return history_lines(data["records"], paint)

    return _shown("history", {"limit": given.limit}, lines)


def _version(given: argparse.Namespace, package: Package) -> int:
    del given
    _print(
        [f"Holdfast {package.version}, protocol {PROTOCOL}", *([f"package {package.sha256}"] if package.sha256 else [])]
    )
    return DONE


def _selftest(given: argparse.Namespace, package: Package) -> int:
    del package
    from ..selftest import main

    return main(given, surface=open_surface())


def _accept(given: argparse.Namespace, package: Package) -> int:
    del given, package

    def lines(data: Mapping[str, Any], _paint: Paint) -> list[str]:
        since = "from now on" if data["changed"] else "as before"
        return [f"This node knows instance {data['instance']} of the witness {since}."]

    return _shown("accept_witness", {}, lines)


def _forget(given: argparse.Namespace, package: Package) -> int:
    del package
    from .forget import forget

    lines, code = forget(open_surface(), sure=given.yes)
    _print(lines)
    return code


def _prepare(given: argparse.Namespace, package: Package) -> int:
    from .prepare import prepare

    _print([json.dumps({"ok": True, "changed": prepare(package, check=given.check)})])
    return DONE


def _shown(
    verb: str,
    args: Mapping[str, Any],
    lines: Callable[[Mapping[str, Any], Paint], list[str]],
    *,
    as_json: bool = False,
) -> int:
    answer = _asked(verb, args)
    if not answer["ok"]:
        return _print_refusal(answer)
    if as_json:
        _print([json.dumps(answer["data"], indent=2)])
    else:
        _print(lines(answer["data"], paint_for(sys.stdout, os.environ)))
    return DONE


def _asked(verb: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    return ask(open_surface(), _request(verb, args), _print_news)


def _request(verb: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"protocol": PROTOCOL, "verb": verb, "args": args, "check": False, "diff": False}


def _print_news(news: Mapping[str, Any]) -> None:
    sys.stderr.write(f"{news.get('text') or json.dumps(news)}\n")


def _print_refusal(answer: Mapping[str, Any]) -> int:
    lines = refusal_lines(answer["error"], paint_for(sys.stderr, os.environ))
    sys.stderr.write("\n".join(lines) + "\n")
    return REFUSED


def _print(lines: Sequence[str]) -> None:
    # A console of code page 437 cannot show everything; a question mark is better than no status at night.
    encoding = sys.stdout.encoding or "ascii"
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text.encode(encoding, errors="replace").decode(encoding))
    sys.stdout.flush()
