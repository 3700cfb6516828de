# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts of ansible-core that the stand-in knows, by hash.

Rule: every script that core embeds in a command is one whose text was read when the stand-in was written. Another
one, after an upgrade of ansible-core, is refused loudly instead of being misread. Whoever adds a hash here has
read the change and made the stand-in follow it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..job import CommandError

# ansible-core 2.19.14: SHA-256 of ansible/executor/powershell/NAME.ps1
KNOWN = {
    "async_watchdog": "de38c5b639a8456a255d15da28260b6a9770f94cba310dea1afa80ba6d33061c",
    "async_wrapper": "69dddd5845a3e1a847f727ef52f2b857b1791735f0936ae20265a13dc9136fef",
    "become_wrapper": "cf72f645c69b9f0421b047a153a36446f19948a55b7534dd0ce3183e1af7cb66",
    "bootstrap_wrapper": "d75c433e594b91245f61e4aa700018bb60e49a528c48c0e9c1c454d95c1f114b",
    "exec_wrapper": "03f8625c1950b5c7196c76665c4cee63183d26a2af122890b31f5b1ec86f2fe8",
    "module_wrapper": "9c732c7d45cf8fb2c5d89990d6e33a1252d6ca6cf19a5729fca978641daed801",
    "powershell_expand_user": "c9e681be846350a8933975880e3dc8624d06c4c342ba92f342741966174e177c",
    "powershell_mkdtemp": "14a58a8a23f95a5a2875254ae8425bf4963e4904b4ef150a9b3aa43e803660a9",
    "psrp_fetch_file": "dbbdf9321afedc15a896ad490ebfb02907cce1c81dce6f10a95821e43448124c",
    "psrp_put_file": "f1d2118cb36b8e2eff9a36c6f3eee5cd5ed652e8e83cbeb0f660dce95c9a880d",
    "winrm_fetch_file": "c0e827306170361abd73ffbc92e18135c8468faf51d1476ff9a9b7f4cdc1103c",
    "winrm_put_file": "e2ab1cf8696a0b76741377d0497915ea8312573c6c4b5dd9c135ebc7b92b9605",
}


class CoreUnknownError(Exception):
    """The installed ansible-core is not the one that the stand-in was written for."""


def require_known(name: str, script: bytes) -> None:
    """The script is the known one of this name (without ``.ps1``). Raises CommandError with what to do otherwise."""
    if name not in KNOWN:
        raise CommandError(f"the stand-in does not know the script '{name}.ps1' of ansible-core")
    if hashlib.sha256(script).hexdigest() != KNOWN[name]:
        raise CommandError(
            f"'{name}.ps1' of this ansible-core is not the one that the stand-in was written for; "
            "read what changed, follow it, and add its hash to core_scripts.py"
        )


def check_installed() -> None:
    """The ansible-core beside the stand-in has exactly the known scripts. Raises CoreUnknownError."""
    for name in KNOWN:
        try:
            require_known(name, (_folder() / f"{name}.ps1").read_bytes())
        except (CommandError, OSError) as error:
            raise CoreUnknownError(str(error)) from error


@cache
def bootstrap_lines() -> tuple[str, ...]:
    """The script that starts every command of core, as its lines arrive."""
    return lines_of((_folder() / "bootstrap_wrapper.ps1").read_text(encoding="utf-8"))


def lines_of(script: str) -> tuple[str, ...]:
    """The script's lines without indentation and empty ones, the form in which core encodes scripts."""
    return tuple(line.strip() for line in script.splitlines() if line.strip())


@cache
def _folder() -> Path:
    spec = find_spec("ansible")
    if spec is None or not spec.submodule_search_locations:
        raise CoreUnknownError("ansible-core is not installed beside the stand-in")
    return Path(spec.submodule_search_locations[0]) / "executor" / "powershell"
