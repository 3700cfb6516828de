# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_ping, async_status and win_command: proofs that something can be run."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ..programs import ProgramMissingError, ProgramUnknownError, kill_group, split_command_line
from .base import Invocation, Module, ModuleError, options


def win_ping(call: Invocation) -> dict[str, Any]:
    """Answer with the data that was given."""
    if call.params["data"] == "crash":
        raise ModuleError("Unhandled exception while executing module: boom")
    return {"ping": call.params["data"]}


def async_status(call: Invocation) -> dict[str, Any]:
    """The content of a job's result file, or its removal."""
    jid = call.params["jid"]
    windows = f"{call.node.drives.expand(call.params['_async_dir'])}\\{jid}"
    file = call.local(windows)
    if not file.is_file():
        raise ModuleError(
            f"could not find job at '{call.params['_async_dir']}'", ansible_job_id=jid, started=1, finished=1
        )
    if call.params["mode"] == "cleanup":
        file.unlink()
        return {"ansible_job_id": jid, "erased": windows}
    return dict(json.loads(file.read_text(encoding="utf-8")))


def win_command(call: Invocation) -> dict[str, Any]:
    """Run a program of the node; no shell, as on Windows."""
    forms = [call.params[key] for key in ("_raw_params", "cmd", "argv") if call.params.get(key)]
    if len(forms) != 1:
        raise ModuleError("exactly one of _raw_params, argv, cmd is required")
    argv = forms[0] if isinstance(forms[0], list) else split_command_line(forms[0].strip())
    shown = " ".join(argv) if isinstance(forms[0], list) else forms[0].strip()
    for key, exists in (("creates", True), ("removes", False)):
        path = call.params[key]
        if path and call.local(path).exists() is exists:
            what = "exists" if exists else "does not exist"
            return {"cmd": shown, "rc": 0, "skipped": True, "msg": f"skipped, since {path} {what}"}
    return _run(call, shown, argv)


def _run(call: Invocation, shown: str, argv: list[str]) -> dict[str, Any]:
    begun = datetime.now(UTC)
    try:
        process = call.node.launcher.start(argv[0], argv[1:], environment=call.environment, streams=True)
    except ProgramMissingError as error:
        message = f"Failed to run: '{shown}': The system cannot find the file specified: {error}"
        raise ModuleError(message, cmd=shown, rc=2) from error
    except ProgramUnknownError as error:
        raise ModuleError(f"Failed to run: '{shown}': {error}", cmd=shown, rc=2) from error
    call.streams.when_ended(lambda: kill_group(process))
    out, err = process.communicate((call.params["stdin"] or "").encode())
    ended = datetime.now(UTC)
    result = {
        "cmd": shown,
        "changed": True,
        "rc": process.returncode,
        "stdout": out.decode(errors="replace"),
        "stderr": err.decode(errors="replace"),
        "start": begun.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "end": ended.strftime("%Y-%m-%d %H:%M:%S.%f"),
        "delta": str(ended - begun),
    }
    if result["rc"] != 0:
        raise ModuleError("non-zero return code", **result)
    return result


MODULES = {
    "ansible.windows.win_ping": Module(run=win_ping, options=options("data")),
    "ansible.windows.async_status": Module(
        run=async_status, options=options("jid mode"), internal=options("_async_dir")
    ),
    "ansible.windows.win_command": Module(
        run=win_command,
        options=options("argv cmd creates removes stdin _raw_params"),
        internal=options("_raw_params _uses_shell"),
        check_mode=False,
    ),
}
