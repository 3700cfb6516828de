# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make bench-idle`: CPU and memory of monitor and guard on a quiet cluster with 1, 100 and 1,000 sites.

Two nodes and a witness as real processes over real networks, heartbeats, renewals and checks as in production, every
site a group of its own with an address of its own, all on the first node. The surface is light (light.py), so the
figures are those of Holdfast alone; on Windows the system's share comes on top.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from holdfast import paths
from holdfast_lab.scene import until
from holdfast_lab.world import launch
from holdfast_lab.world.certificates import make_authority, make_server, write_private
from holdfast_lab.world.places import REPOSITORY, Places
from holdfast_lab.world.preflight import NotPossibleError, provide
from holdfast_lab.world.remote import Lab, LabError

COUNTS = (1, 100, 1000)
NODES = ("n1", "n2")
SURFACE = "HOLDFAST_SURFACE=holdfast_bench.light:open_light"
SETTLE_S = 15.0
MEASURE_S = 30.0
READY_S = 30.0
DESCRIBE_S = 600.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one process while nothing happens."""

    sites: int
    process: str
    cpu_percent: float
    """Of one processor."""

    memory_mb: float


def main(arguments: Sequence[str] | None = None) -> int:
    """The table is on standard output, the figures in a file."""
    parser = argparse.ArgumentParser(description="measure what an idle monitor costs")
    parser.add_argument("--sites", default=",".join(str(count) for count in COUNTS))
    parser.add_argument("--seconds", type=float, default=MEASURE_S)
    parser.add_argument("--arbiter", default="witness", choices=("witness", "manual"))
    parser.add_argument("--json", type=Path, default=REPOSITORY / ".build" / "bench-idle.json")
    parser.add_argument("--lab-dir", type=Path, default=REPOSITORY / ".lab-idle")
    options = parser.parse_args(arguments)
    costs: list[Cost] = []
    try:
        provide({"ip": "iproute2"})
        for count in (int(text) for text in options.sites.split(",")):
            wish = launch.Wish(witness=options.arbiter == "witness", program="plain")
            with launch.running(Places(options.lab_dir.resolve()), wish) as lab:
                costs += measure(lab, sites=count, seconds=options.seconds)
    except (NotPossibleError, LabError, AssertionError) as error:
        print(f"bench-idle: {error}", file=sys.stderr)
        return 1
    finally:
        for line in table(costs):
            say(line)
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n", encoding="utf-8")
    return 0


def measure(lab: Lab, *, sites: int, seconds: float) -> list[Cost]:
    """What each process of a quiet cluster with so many sites costs."""
    prepare(lab)
    start(lab)
    say(f"{sites} sites: describing them ...")
    describe(lab, sites)
    began_s = time.monotonic()
    bring(lab, [f"s{number}" for number in range(sites)])
    say(f"{sites} sites: in service after {time.monotonic() - began_s:.1f} s; measuring for {seconds:g} s ...")
    time.sleep(SETTLE_S)
    before, start_s = usage(lab), time.monotonic()
    time.sleep(seconds)
    after, passed_s = usage(lab), time.monotonic() - start_s
    return [
        Cost(
            sites=sites,
            process=name,
            cpu_percent=100 * (after[name]["ticks"] - before[name]["ticks"]) / TICKS / passed_s,
            memory_mb=after[name]["kb"] / 1024,
        )
        for name in after
        if name in before
    ]


def prepare(lab: Lab) -> None:
    """Certificates are in their places; every address of the sites is one of the node's own, for the deep checks."""
    authority = make_authority("bench")
    for name in (machine for machine, seen in lab.status()["machines"].items() if seen["role"] in ("node", "witness")):
        folder = lab.places.node(name) / "C" / "ProgramData" / "Holdfast" / "pki"
        pair = make_server(authority, name=name, alternatives=(name,), client=True)
        write_private(folder / "ca.crt", authority.certificate_pem)
        write_private(folder / "node.crt", pair.certificate_pem)
        write_private(folder / "node.key", pair.key_pem)
    for node in NODES:
        lab.run(node, ["ip", "route", "add", "local", "10.78.0.0/16", "dev", "lo"])


def start(lab: Lab) -> None:
    """Monitors, guards and the witness run; the monitors take requests."""
    if lab.places.node("w1").exists():
        start_witness(lab)
    for node in NODES:
        for service in ("service", "guard"):
            lab.start(f"{service}-{node}", node, ["env", SURFACE, "python", "-m", "holdfast", service])
    for node in NODES:
        endpoint = lab.places.node(node) / "C" / "ProgramData" / "Holdfast" / "run" / "endpoint.json"
        until(endpoint.exists, within_s=READY_S, or_say=lambda: f"no monitor; see {lab.places.logs}")


def start_witness(lab: Lab) -> None:
    """The witness of a new cluster runs."""
    folder = lab.places.node("w1") / "C" / "ProgramData" / "Holdfast"
    arbiter = lab.generated()["lab_arbiter"]
    witness = {
        "cluster": "bench",
        "name": "w1",
        "nodes": list(NODES),
        "listen": list(arbiter["addresses"].values()),
        "port": arbiter["port"],
        "pki": {
            "authority": paths.CA_CERTIFICATE,
            "certificate": paths.NODE_CERTIFICATE,
            "key": paths.NODE_KEY,
        },
        "state": paths.DATA + r"\witness",
    }
    (folder / "witness.json").write_text(json.dumps(witness), encoding="utf-8")
    command = ["env", SURFACE, "python", "-m", "holdfast", "witness", "run"]
    lab.start("witness", "w1", [*command, "--config", paths.DATA + r"\witness.json"])


def describe(lab: Lab, sites: int) -> None:
    """Both nodes know the cluster and its sites."""
    generated = lab.generated()
    cluster = {
        "name": "bench",
        "arbiter": generated["lab_arbiter"],
        "profile": generated["lab_profile"],
        "comm_port": 7430,
        "comm_paths": generated["lab_comm_paths"],
    }
    priorities = {"n1": 1, "n2": 2}
    addresses = [f"10.78.{number // 250 + 1}.{number % 250 + 1}" for number in range(sites)]
    ips = [
        {"tag": f"ip{number}", "address": a, "prefix_length": 16, "interface": "LAN", "priorities": priorities}
        for number, a in enumerate(addresses)
    ]
    webs = [
        {
            "name": f"s{number}",
            "kind": "web",
            "content": r"C:\sites\docs",
            "app_pool": f"s{number}",
            "bindings": [{"protocol": "http", "ip": a, "port": 80, "host": ""}],
        }
        for number, a in enumerate(addresses)
    ]
    hierarchies = [
        {"tag": f"s{number}", "kind": "web", "site": f"s{number}", "priorities": priorities, "drain_s": 0}
        for number in range(sites)
    ]
    for node in NODES:
        ask(lab, node, "cluster", {"node": node, "cluster": cluster})
    for verb, key, elements in (("ip", "ips", ips), ("site", "sites", webs), ("hierarchy", "hierarchies", hierarchies)):
        for node in NODES:
            ask(lab, node, verb, {key: elements})


def ask(lab: Lab, node: str, verb: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """The monitor's answer. Raises LabError when it refused or gave none."""
    request = json.dumps({"protocol": 1, "verb": verb, "args": args, "check": False, "diff": False}) + "\n"
    command = ["env", SURFACE, "python", "-m", "holdfast", "call"]
    outcome = lab.run(node, command, stdin=request, timeout_s=DESCRIBE_S)
    lines = [line for line in outcome.out.splitlines() if line.startswith("{")]
    answer: dict[str, Any] = json.loads(lines[-1]) if lines else {"ok": False, "error": outcome.err}
    if not answer["ok"]:
        raise LabError(f"{verb} on {node}: {str(answer['error'])[:2000]}")
    return answer


def bring(lab: Lab, tags: Sequence[str]) -> None:
    """These sites are in service on the first node; a new witness votes only after a while."""
    until_s = time.monotonic() + DESCRIBE_S
    while True:
        try:
            ask(lab, "n1", "in_service", {"tags": list(tags), "node": "n1", "timeout_s": 60})
            return
        except LabError:
            if time.monotonic() > until_s:
                raise
            time.sleep(1.0)


def usage(lab: Lab) -> dict[str, dict[str, float]]:
    """Processor ticks and resident kilobytes of each of our processes that run all the time."""
    code = (
        "import json\nfrom pathlib import Path\nfound = {}\n"
        "for p in Path('/proc').glob('[0-9]*'):\n"
        " words = (p / 'cmdline').read_bytes().decode().split(chr(0))\n"
        " if words[1:3] == ['-m', 'holdfast'] and words[3] in ('service', 'guard', 'witness'):\n"
        "  fields = (p / 'stat').read_text().rpartition(')')[2].split()\n"
        "  kb = [l.split()[1] for l in (p / 'status').read_text().splitlines() if l.startswith('VmRSS')][0]\n"
        "  found[words[3]] = {'ticks': int(fields[11]) + int(fields[12]), 'kb': int(kb)}\n"
        "print(json.dumps(found))"
    )
    roles = {"n1": "serves all", "n2": "standby", "w1": "witness"}
    found = {}
    for machine, role in roles.items():
        if machine not in lab.status()["machines"]:
            continue
        seen = json.loads(lab.run(machine, ["python", "-c", code]).out)
        for process, figures in seen.items():
            name = {"service": f"monitor, {role}", "guard": f"guard, {role}", "witness": "witness"}[process]
            found[name] = figures
    return found


def table(costs: Sequence[Cost]) -> list[str]:
    """One line per process, one pair of columns per number of sites."""
    counts = sorted({cost.sites for cost in costs})
    lines = [f"{'':<22}" + "".join(f"{f'{count:,} sites':>22}" for count in counts)]
    for name in dict.fromkeys(cost.process for cost in costs):
        cells = []
        for count in counts:
            found = [cost for cost in costs if (cost.process, cost.sites) == (name, count)]
            text = f"{found[0].cpu_percent:.2f} %  {found[0].memory_mb:.0f} MB" if found else "-"
            cells.append(f"{text:>22}")
        lines.append(f"{name:<22}" + "".join(cells))
    return [*lines, "CPU in percent of one processor, resident memory; heartbeats, renewals and checks running."]


def say(line: str) -> None:
    """One line on standard output, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
