# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""WS-Management envelopes: reading a request, writing an answer or a fault (MS-WSMV)."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
COMMAND_SHELL = f"{SHELL}/cmd"
CONFIG = "http://schemas.microsoft.com/wbem/wsman/1/config"

TIMED_OUT = 2150858793
INVALID_SELECTOR = 2150858843
UNSUPPORTED_ACTION = 2150858752
ENVELOPE_BYTES = 153_600


class FaultError(Exception):
    """The request is answered by a fault with this WSMan code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A parsed envelope. ``action`` and ``resource`` are URIs; ``body`` is the element inside soap:Body, if any."""

    action: str
    resource: str
    message_id: str
    shell_id: str
    timeout_s: float
    envelope_bytes: int
    options: dict[str, str]
    body: ET.Element | None


def parse(data: bytes) -> Request:
    """The request in an envelope. Raises FaultError when it is not one."""
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise FaultError(UNSUPPORTED_ACTION, f"not an envelope: {error}") from error
    header, body = root.find(f"{{{ENVELOPE}}}Header"), root.find(f"{{{ENVELOPE}}}Body")
    if header is None:
        raise FaultError(UNSUPPORTED_ACTION, "the envelope has no header")
    selectors = {item.get("Name"): item.text or "" for item in header.iterfind(f".//{{{WSMAN}}}Selector")}
    return Request(
        action=header.findtext(f"{{{ADDRESSING}}}Action", ""),
        resource=header.findtext(f"{{{WSMAN}}}ResourceURI", ""),
        message_id=header.findtext(f"{{{ADDRESSING}}}MessageID", ""),
        shell_id=selectors.get("ShellId", "").upper(),
        timeout_s=_seconds(header.findtext(f"{{{WSMAN}}}OperationTimeout", "PT20S")),
        envelope_bytes=int(header.findtext(f"{{{WSMAN}}}MaxEnvelopeSize", str(ENVELOPE_BYTES))),
        options={item.get("Name", ""): item.text or "" for item in header.iterfind(f".//{{{WSMAN}}}Option")},
        body=body[0] if body is not None and len(body) else None,
    )


def answer(request: Request, body: str, *, action: str | None = None) -> bytes:
    """The envelope that answers the request with this body."""
    return _envelope(action or request.action + "Response", request.message_id, body)


def fault(request: Request | None, error: FaultError) -> bytes:
    """The envelope of a fault."""
    reason = escape(str(error))
    body = (
        "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>w:InternalError</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>'
        f'<s:Detail><f:WSManFault xmlns:f="{FAULT}" Code="{error.code}" Machine="stand-in">'
        f"<f:Message>{reason}</f:Message></f:WSManFault></s:Detail></s:Fault>"
    )
    return _envelope(f"{WSMAN.rsplit('/', 1)[0]}/fault", request.message_id if request else "", body)


def shell_created(request: Request, shell_id: str) -> bytes:
    """The answer to Create."""
    address = f"{ADDRESSING}/role/anonymous"
    body = (
        f'<x:ResourceCreated xmlns:x="{TRANSFER}"><a:Address>{address}</a:Address><a:ReferenceParameters>'
        f"<w:ResourceURI>{escape(request.resource)}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        "</x:ResourceCreated>"
        f'<rsp:Shell xmlns:rsp="{SHELL}"><rsp:ShellId>{shell_id}</rsp:ShellId>'
        f"<rsp:ResourceUri>{escape(request.resource)}</rsp:ResourceUri><rsp:State>Connected</rsp:State></rsp:Shell>"
    )
    return answer(request, body, action=f"{TRANSFER}/CreateResponse")


def command_created(request: Request, command_id: str) -> bytes:
    """The answer to Command."""
    body = f'<rsp:CommandResponse xmlns:rsp="{SHELL}"><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>'
    return answer(request, body)


def timed_out() -> FaultError:
    """What a long poll without news is answered with; clients ask again."""
    return FaultError(TIMED_OUT, "The WS-Management service cannot complete the operation within the time.")


def streams(request: Request, chunks: list[tuple[str, str | None, str]], *, state: str) -> bytes:
    """The answer to Receive: (stream name, command id, base64) each, and a CommandState element or nothing."""
    parts = "".join(
        f"<rsp:Stream Name={quoteattr(name)}{f' CommandId={quoteattr(command)}' if command else ''}>{data}</rsp:Stream>"
        for name, command, data in chunks
    )
    return answer(request, f'<rsp:ReceiveResponse xmlns:rsp="{SHELL}">{parts}{state}</rsp:ReceiveResponse>')


def command_state(command_id: str, *, done: bool, code: int | None) -> str:
    """The CommandState element of a Receive answer."""
    state = f"{SHELL}/CommandState/{'Done' if done else 'Running'}"
    exit_code = f"<rsp:ExitCode>{code}</rsp:ExitCode>" if code is not None else ""
    return f'<rsp:CommandState CommandId="{command_id}" State="{state}">{exit_code}</rsp:CommandState>'


def local_name(element: ET.Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="{ENVELOPE}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" xml:lang="en-US"><s:Header>'
        f"<a:Action>{escape(action)}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ADDRESSING}/role/anonymous</a:To><a:RelatesTo>{escape(relates_to)}</a:RelatesTo>"
        f"</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def _seconds(duration: str) -> float:
    match = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", duration)
    if match is None:
        return 20.0
    hours, minutes, seconds = (float(part) if part else 0.0 for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
