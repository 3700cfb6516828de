# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of one lab lies on the control host's disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
PYTHON_PATH = REPOSITORY / ".build" / "python"
GENERATED_INVENTORY = REPOSITORY / "inventory" / "lab" / "group_vars" / "all" / "generated.yml"
GENERATED_HOSTS = REPOSITORY / "inventory" / "lab" / "generated.yml"


@dataclass(frozen=True, slots=True)
class Places:
    """The paths below one lab directory."""

    root: Path

    @property
    def nodes(self) -> Path:
        """Folder with one folder per node."""
        return self.root / "nodes"

    @property
    def disks(self) -> Path:
        """Folder with one folder per shared disk."""
        return self.root / "disks"

    @property
    def logs(self) -> Path:
        """What the supervisor and the nodes' programs wrote."""
        return self.root / "logs"

    @property
    def pki(self) -> Path:
        """The lab's certificate authority."""
        return self.root / "pki"

    @property
    def control(self) -> Path:
        """The supervisor's control socket."""
        return self.root / "control.sock"

    @property
    def description(self) -> Path:
        """lab.json: what runs, for the commands outside."""
        return self.root / "lab.json"

    @property
    def generated(self) -> Path:
        """The generated variables of the inventory."""
        return self.root / "generated.yml"

    @property
    def hosts(self) -> Path:
        """The inventory of the hosts that only some labs have."""
        return self.root / "hosts.yml"

    @property
    def runtime_zip(self) -> Path:
        """The stand-in for the embeddable Python package."""
        return self.root / "runtime" / "python-lab.zip"

    def node(self, name: str) -> Path:
        """A node's own folder."""
        return self.nodes / name

    def store(self, name: str) -> Path:
        """The data of a member of etcd."""
        return self.root / "stores" / name

    def disk(self, disk_id: str) -> Path:
        """A shared disk's folder."""
        return self.disks / disk_id

    @property
    def shares(self) -> Path:
        """The file servers of the network, a folder each, seen by all nodes; out of reach while it is not there."""
        return self.root / "shares"


def default_places() -> Places:
    """The lab of $HOLDFAST_LAB_DIR, or the repository's own."""
    chosen = os.environ.get("HOLDFAST_LAB_DIR")
    return Places(Path(chosen).resolve() if chosen else REPOSITORY / ".lab")
