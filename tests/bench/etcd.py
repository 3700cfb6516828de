# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a lease has to outlast when etcd is the arbiter: how long its answers stay out when a member is lost.

    python -m holdfast_bench.etcd [RUNS]

Three members and one node on this machine, the node renewing as with profile ``vm``. A gap is the time from asking for
a renewal that was acknowledged to the next acknowledgement.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from holdfast.core.values.profiles import TIMERS
from holdfast_lab.etcd import EtcdCluster, running
from holdfast_lab.etcd.asking import nodes

VM = TIMERS["vm"]
RENEWALS = 1000
SETTLE_S, OUTAGE_S = 2.0, 6.0


def main() -> int:
    """Prints the table; 1 when a gap was longer than the lease lasts."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory(prefix="holdfast-etcd-") as folder, running(Path(folder)) as etcd:
        took_ms = asyncio.run(_renewals(etcd, Path(folder)))
        print(f"one renewal: {_spread(took_ms)} ms, {len(took_ms)} of them one after another\n")
        print(f"longest gap between acknowledged renewals in s, {runs} runs each; the lease lasts {VM.own_s:g} s")
        worst_s = 0.0
        for whose in ("leader", "follower"):
            for fault in ("kill", "pause"):
                gaps_s = [asyncio.run(_gap(etcd, Path(folder), whose, fault)) for _run in range(runs)]
                worst_s = max(worst_s, *gaps_s)
                found = ", ".join(f"{gap_s:.2f}" for gap_s in sorted(gaps_s))
                print(f"  {whose:<9}{fault:<7}median {statistics.median(gaps_s):.2f}   {found}")
    return int(worst_s >= VM.own_s)


async def _renewals(etcd: EtcdCluster, folder: Path) -> list[float]:
    async with nodes(etcd, folder, "/bench/renewals", "n1") as [node]:
        await node.ask(node.renewal())
        took_ms = []
        for _number in range(RENEWALS):
            begun_s = time.perf_counter()
            await node.ask(node.renewal())
            took_ms.append((time.perf_counter() - begun_s) * 1000)
    return took_ms


async def _gap(etcd: EtcdCluster, folder: Path, whose: str, fault: str) -> float:
    async with nodes(etcd, folder, f"/bench/{whose}-{fault}", "n1", renew_s=VM.renew_s) as [node]:
        renewing = asyncio.create_task(node.keep_renewing({}))
        try:
            await asyncio.sleep(SETTLE_S)
            leader = await asyncio.to_thread(etcd.leader)
            index = leader if whose == "leader" else (leader + 1) % len(etcd.members)
            await _hurt(etcd, index, fault)
        finally:
            renewing.cancel()
    return node.longest_gap_s()


async def _hurt(etcd: EtcdCluster, index: int, fault: str) -> None:
    if fault == "kill":
        etcd.kill(index)
    else:
        etcd.pause(index)
    try:
        await asyncio.sleep(OUTAGE_S)
    finally:
        if fault == "kill":
            etcd.start(index)
        else:
            etcd.resume(index)
        await asyncio.to_thread(etcd.leader)


def _spread(values: list[float]) -> str:
    ordered = sorted(values)
    p50, p95, p99 = (ordered[int(len(ordered) * share)] for share in (0.50, 0.95, 0.99))
    return f"p50 {p50:.1f}  p95 {p95:.1f}  p99 {p99:.1f}  max {ordered[-1]:.1f}"


if __name__ == "__main__":
    raise SystemExit(main())
