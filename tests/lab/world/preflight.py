# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this machine must offer before a lab can be built, and one clear message when it does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

PACKAGES = {"unshare": "util-linux", "nsenter": "util-linux", "mount": "mount"}
"""Command -> the package of Debian and Ubuntu that has it."""

NAMESPACES = ("--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc")
TRIAL = ("sh", "-c", "mount -t tmpfs lab /mnt")


class NotPossibleError(Exception):
    """No lab can be built here; the text says what is missing and what to do."""


@dataclass(frozen=True, slots=True)
class Privilege:
    """The options of `unshare` that give a lab its namespaces here."""

    options: tuple[str, ...]


def check(commands: dict[str, str] | None = None) -> Privilege:
    """This machine can run a lab; missing commands were installed when we may.

    Raises:
        NotPossibleError: something is missing; says what, and what to do about it.
    """
    if not sys.platform.startswith("linux"):
        raise NotPossibleError(f"the lab is made of Linux namespaces and cannot run on {sys.platform}; use Linux")
    provide(commands or PACKAGES)
    return namespaces_allowed()


def provide(commands: dict[str, str]) -> None:
    """These commands are there, installed from the distribution when they were missing and we are root.

    Raises:
        NotPossibleError: they are missing and cannot be installed.
    """
    packages = sorted({package for command, package in commands.items() if not find(command)})
    if not packages:
        return
    install = f"apt-get install -y {' '.join(packages)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise NotPossibleError(f"the lab needs the package(s) {', '.join(packages)}; run: sudo {install}")
    # A fresh machine has no package lists yet: the first try fails there, and the second follows an update.
    errors = ""
    for command in (install, "apt-get update", install):
        done = subprocess.run(command.split(), capture_output=True, text=True, timeout=300, check=False)
        errors = done.stderr.strip()
        if command == install and done.returncode == 0:
            return
    raise NotPossibleError(f"{install} failed: {errors}")


def find(command: str) -> str | None:
    """Where the command is; an ordinary user's PATH on Debian lacks the folders of `ip`."""
    return shutil.which(command, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")))


def namespaces_allowed() -> Privilege:
    """How namespaces can be made here: as root, or in a user namespace of our own.

    Raises:
        NotPossibleError: neither works.
    """
    options = NAMESPACES if os.geteuid() == 0 else ("--user", "--map-root-user", *NAMESPACES)
    trial = subprocess.run(["unshare", *options, "--", *TRIAL], capture_output=True, text=True, timeout=30, check=False)
    if trial.returncode == 0:
        return Privilege(options)
    raise NotPossibleError(explain(trial.stderr.strip(), root=os.geteuid() == 0))


def explain(error: str, *, root: bool) -> str:
    """One message about namespaces that may not be made."""
    if root:
        return (
            f"this system lets root make no network, pid and mount namespaces ({error}); in a container, start it "
            "with --privileged or with the capabilities SYS_ADMIN and NET_ADMIN"
        )
    return (
        f"this system lets an ordinary user make no namespaces ({error}); run the command with sudo, or allow user "
        "namespaces: sysctl kernel.unprivileged_userns_clone=1 (Debian), "
        "sysctl kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu 24.04 and later)"
    )
