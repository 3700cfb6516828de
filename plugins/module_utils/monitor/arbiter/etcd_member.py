# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One member of an etcd: its gateway, the token it gave us, and whether its version is trusted.

Tokens are kept per member: a member forgets those that only others were shown (``--auth-token-ttl``), and all of them
when it is started again.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import etcd_wire
from .etcd_version import fault
from .race import AgainError
from .stored import StoreError

if TYPE_CHECKING:
    import aiohttp

WATCH_LINE_MAX = 2**22
"""Bytes in one message of a watch: a swap of 100 registers is a tenth of it."""
_UNAUTHENTICATED = ("invalid auth token", "auth store is old", "user name is empty", "user name not found")
_ANOTHER_MEMBER = {1, 2, 4, 8, 10, 13, 14, 15}
"""Codes of gRPC that another member may answer better: canceled, unknown, deadline, exhausted, aborted, internal,
unavailable, data loss. Source: grpc.github.io/grpc/core/md_doc_statuscodes.html"""


class Member:
    """``password`` is asked for whenever a token is needed; it is not kept. ``tls`` counts for new connections."""

    def __init__(
        self,
        url: str,
        *,
        session: aiohttp.ClientSession,
        user: str,
        password: Callable[[], Awaitable[str]],
        any_version: bool,
    ) -> None:
        self.url = url
        self.version = ""
        self.tls: ssl.SSLContext | None = None
        self._session = session
        self._user = user
        self._password = password
        self._any_version = any_version
        self._token = ""

    async def call(self, path: str, body: Mapping[str, Any], *, within_s: float) -> Mapping[str, Any]:
        """The gateway's answer.

        Raises:
            AgainError: this member has none now.
            StoreError: the request is refused, by every member alike.
        """
        await self._greet(within_s)
        status, found = await self._post(path, body, await self._headers(within_s), within_s)
        if self._user and status != 200 and _token_is_bad(status, found):
            self._token = ""
            status, found = await self._post(path, body, await self._headers(within_s), within_s)
        if status != 200:
            raise self._refusal(status, found)
        return found

    async def stream(self, body: Mapping[str, Any], *, silence_s: float) -> AsyncIterator[Mapping[str, Any]]:
        """The messages of a watch, until it ends or is silent for so long.

        Raises:
            AgainError, StoreError: as for ``call``.
        """
        import aiohttp

        await self._greet(silence_s)
        headers = await self._headers(silence_s)
        timeout = aiohttp.ClientTimeout(sock_connect=silence_s, sock_read=silence_s)
        try:
            async with self._session.post(
                self.url + etcd_wire.WATCH,
                json=body,
                headers=headers,
                ssl=self.tls or True,
                timeout=timeout,
                read_bufsize=WATCH_LINE_MAX,
            ) as response:
                async for line in response.content:
                    message = _object(line)
                    if "result" not in message:
                        self._token = ""
                        raise AgainError(f"{self.url}: {_text(message.get('error', message))}")
                    yield message["result"]
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise AgainError(f"{self.url}: {_why(error)}") from None

    async def _greet(self, within_s: float) -> None:
        """The member's version was looked at since it was last out of reach."""
        if self.version:
            return
        status, found = await self._request("GET", "/version", None, {}, within_s)
        version = str(found.get("etcdserver", ""))
        if status != 200 or not version:
            raise AgainError(f"{self.url}: does not tell its version (HTTP {status}); is this the client URL of etcd?")
        why = "" if self._any_version else fault(version)
        if why:
            raise AgainError(f"{self.url}: {why}. Upgrade it, or set any_version if you accept that")
        self.version = version

    async def _headers(self, within_s: float) -> dict[str, str]:
        if not self._user:
            return {}
        if not self._token:
            body = {"name": self._user, "password": await self._password()}
            status, found = await self._post(etcd_wire.AUTHENTICATE, body, {}, within_s)
            if status != 200:
                raise self._refusal(status, found)
            self._token = str(found.get("token", ""))
        return {"Authorization": self._token}

    async def _post(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str], within_s: float
    ) -> tuple[int, Mapping[str, Any]]:
        return await self._request("POST", path, body, headers, within_s)

    async def _request(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], within_s: float
    ) -> tuple[int, Mapping[str, Any]]:
        import aiohttp

        try:
            async with self._session.request(
                method,
                self.url + path,
                json=body,
                headers=headers,
                ssl=self.tls or True,
                timeout=aiohttp.ClientTimeout(total=within_s),
            ) as response:
                data = await response.read()
                return response.status, _object(data) if response.status == 200 else _complaint(data)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            # It may come back as another version, and knows no tokens then.
            self.version = ""
            raise AgainError(f"{self.url}: {_why(error)}") from None

    def _refusal(self, status: int, found: Mapping[str, Any]) -> StoreError:
        text = _text(found)
        if "CommonName of client" in text:
            return StoreError(
                f"{self.url} refuses the client certificate because its subject has a common name (CN): with users and "
                "passwords etcd's gateway takes only certificates without one. Make it with an empty subject"
            )
        if status == 403:
            return StoreError(f"{self.url}: user {self._user!r} may not read and write the prefix. Grant its role both")
        if "authentication failed" in text:
            return StoreError(f"{self.url}: the user {self._user!r} or the password on this node is wrong")
        if status in (429, 503) or found.get("code") in _ANOTHER_MEMBER:
            return AgainError(f"{self.url}: {text}")
        return StoreError(f"{self.url}: {text} (HTTP {status})")


def _token_is_bad(status: int, found: Mapping[str, Any]) -> bool:
    return status == 401 or any(sign in _text(found) for sign in _UNAUTHENTICATED)


def _object(data: bytes) -> dict[str, Any]:
    found = json.loads(data)
    if not isinstance(found, dict):
        raise ValueError("the answer is no JSON object")  # noqa: TRY004 - like any other answer that is no good
    return found


def _complaint(data: bytes) -> dict[str, Any]:
    """What a refusal says; some come as plain text."""
    try:
        return _object(data)
    except ValueError:
        return {"message": data.decode(errors="replace").strip()}


def _text(found: Any) -> str:
    if isinstance(found, Mapping):
        return str(found.get("message") or found.get("error") or found)[:300]
    return str(found)[:300]


def _why(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error) or type(error).__name__
