# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a witness must never forget, on its disk. Blocking; used by one thread at a time."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.values.messages import Register
from ..core.wire import codec
from ..store.disk import Disk, RealDisk
from ..store.registry import EncodedRegisters
from ..store.sealed import SealedFiles

KIND = "registers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """``instance`` names this memory; another one is another voter. ``serial`` counts what was written.

    ``confirmed_by`` are the nodes that know this instance and no other; ``voting``: enough of them did, or an
    administrator. Once true it stays true.
    """

    instance: str
    serial: int = 0
    confirmed_by: frozenset[str] = frozenset()
    voting: bool = False
    registers: Mapping[str, Register]


def blank() -> Memory:
    """The memory of a witness that knows nothing: a new instance."""
    return Memory(instance=secrets.token_hex(16), registers={})


class MemoryFile:
    """The memory of the witness ``name`` of ``cluster``, in ``folder``."""

    def __init__(self, *, folder: Path, cluster: str, name: str, disk: Disk | None = None) -> None:
        seal = folder / "seal" / "seal.json"
        seal.parent.mkdir(parents=True, exist_ok=True)
        cure = (
            f"If it cannot be put right, stop the witness and move the folder {folder} away: it starts as a new "
            "instance then, which grants nothing until every node has accepted it ('holdfast accept-witness' on each)."
        )
        self._encoded = EncodedRegisters(terse=True)
        self._identity = {"cluster": cluster, "witness": name}
        self._files = SealedFiles(
            disk=disk or RealDisk(), folder=folder, seal=seal, in_slots=frozenset({KIND}), cure=cure
        )

    def load(self) -> Memory | None:
        """What was saved last; None when nothing ever was.

        Raises:
            StateError: the file is torn, foreign, too new or an older copy; it says what to do.
        """
        document = self._files.read(KIND)
        if document is None:
            return None
        if dict(document.identity) != self._identity:
            whose = " of cluster ".join(document.identity.get(key, "?") for key in ("witness", "cluster"))
            raise self._files.refused(KIND, f"it is of witness {whose}")
        try:
            return codec.decode(Memory, document.body)
        except codec.CodecError as error:
            raise self._files.refused(KIND, f"it holds no registers ({error})") from None

    def save(self, memory: Memory) -> None:
        """The memory is durable; ``seal`` should follow."""
        body = codec.encode(replace(memory, registers={}), Memory, terse=True)
        body["registers"] = self._encoded.data(memory.registers)
        self._files.write(KIND, identity=self._identity, body=body)

    def seal(self) -> None:
        """Older copies of what was saved are recognised from now on."""
        self._files.seal()
