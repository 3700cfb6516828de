# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stdout callback that writes one JSON line per task and result, so that the demonstration can tell the story."""

from __future__ import annotations

import json
import sys
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: holdfast_events
type: stdout
short_description: One JSON line per task and result
description:
  - For programs that follow a playbook while it runs.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core ships no types
    """Writes what happens, when it happens."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "holdfast_events"

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._say(event="play", play=play.get_name())

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 - passed by name
        role = task._role.get_name() if task._role else ""
        self._say(event="task", role=role, task=task.get_name().partition(" : ")[2] or task.get_name())

    def v2_runner_on_ok(self, result: Any) -> None:
        self._result(result, "changed" if result._result.get("changed") else "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._result(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._result(result, "unreachable")

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._result(result, "skipped")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        hosts = {host: stats.summarize(host) for host in sorted(stats.processed)}
        self._say(event="end", hosts=hosts)

    def _result(self, result: Any, status: str) -> None:
        data = json.loads(self._dump_results(result._result, indent=0))
        action = str(result._task.action).rpartition(".")[2]
        wanted = {"moves"}
        if action == "debug" or status in ("failed", "unreachable"):
            wanted |= {"msg", "stderr"}
        keep = {key: data[key] for key in sorted(wanted) if key in data}
        self._say(event="result", host=result._host.get_name(), status=status, data=keep)

    def _say(self, **event: Any) -> None:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()
