# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Error text as powershell.exe writes it to a redirected standard error: CLIXML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

_NAMESPACE = "http://schemas.microsoft.com/powershell/2004/04"


def error(text: str) -> bytes:
    """The bytes on standard error for this error text."""
    lines = "".join(f'<S S="Error">{escape(line)}_x000D__x000A_</S>' for line in text.splitlines())
    return f'#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="{_NAMESPACE}">{lines}</Objs>'.encode()


def command_not_found(program: str) -> str:
    """What PowerShell says when ``& 'program'`` names nothing that can be run."""
    return (
        f"& : The term '{program}' is not recognized as the name of a cmdlet, function, script file, or operable "
        "program. Check the spelling of the name, or if a path was included, verify that the path is correct and try "
        "again.\n"
        f"    + CategoryInfo          : ObjectNotFound: ({program}:String) [], CommandNotFoundException\n"
        "    + FullyQualifiedErrorId : CommandNotFoundException"
    )


def plain(data: bytes) -> str:
    """The text on standard error, with CLIXML of ours taken back to what it says."""
    text = data.decode(errors="replace")
    header, found, rest = text.partition("#< CLIXML\r\n")
    if not found:
        return text
    document, end, after = rest.partition("</Objs>")
    lines = (element.text or "" for element in ET.fromstring(document + end))
    return header + "".join(lines).replace("_x000D__x000A_", "\r\n") + after
