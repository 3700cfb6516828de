# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""etcd as the store of an arbiter, through the JSON gateway of its members.

Rules (docs/decisions/0013-stores-as-arbiters.md, each with what was measured):

- No leases of etcd and no keep-alives: old owners were told that they still had a key which another had taken.
- Every operation is a linearizable read or a guarded transaction, so it may be issued again: to the next member, every
  250 ms, until one answers. What came of an earlier attempt is told by the records.
- An answer of another etcd cluster, of an earlier term or of an earlier revision than one that was seen is dropped.
- The watch only tells sooner what the next read tells anyway.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import paths
from ..core.values.model import Etcd
from ..core.values.records import Answer, Operation
from . import etcd_wire
from .etcd_member import Member
from .port import InThread, Surroundings
from .race import AgainError, first_answer
from .stored import StoredArbiter, StoreError, stored_arbiter

if TYPE_CHECKING:
    import aiohttp

log = logging.getLogger(__name__)
REISSUE_S = 0.25
ATTEMPT_S = 1.0
OPERATION_S = 3.0
"""An operation is given up then: etcd is without a leader for one to three seconds when it has lost one."""
WATCH_SILENCE_S = 3.0
"""A watch that tells nothing for so long is begun anew at the next member: our own renewals come more often. Cutting a
connection does not interrupt a read on Windows, so the read itself is bounded (Patroni's patroni/dcs/etcd3.py)."""
WATCH_PAUSE_S = 0.5


def open_etcd(arbiter: Etcd, around: Surroundings) -> StoredArbiter:
    """The client; it connects when it is first used."""
    local = around.surface.local_path
    files = Files(
        authority=local(paths.ETCD_AUTHORITY),
        certificate=local(paths.ETCD_CERTIFICATE),
        key=local(paths.ETCD_KEY),
        password=local(paths.ETCD_PASSWORD),
    )
    store = EtcdStore(arbiter, files=files, in_thread=around.in_thread)
    return stored_arbiter(store, around)


class Files:
    """What lies on the node, PEM; certificate and key only where the members ask for one. Read in threads only."""

    def __init__(self, *, authority: Path, certificate: Path, key: Path, password: Path) -> None:
        self._authority = authority
        self._certificate = certificate
        self._key = key
        self._password = password

    def context(self) -> ssl.SSLContext:
        """What a connection uses.

        Raises:
            StoreError: a file is missing or no good.
        """
        try:
            context = ssl.create_default_context(cafile=str(self._authority))
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self._certificate.exists() or self._key.exists():
                # Without a password OpenSSL would ask for one on the console, and a service waits there for ever.
                context.load_cert_chain(certfile=str(self._certificate), keyfile=str(self._key), password="")
        except OSError as error:
            names = f"{self._authority}, {self._certificate}, {self._key}"
            raise StoreError(f"the certificate files for etcd ({names}) cannot be used: {error}") from None
        return context

    def password(self) -> str:
        """The user's password.

        Raises:
            StoreError: there is none.
        """
        try:
            found = self._password.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"the password for etcd cannot be read from {self._password}: {error}") from None
        if not found:
            raise StoreError(f"the file with the password for etcd, {self._password}, is empty")
        return found


class EtcdStore:
    """A Store."""

    kind = "etcd"

    def __init__(self, arbiter: Etcd, *, files: Files, in_thread: InThread) -> None:
        self._arbiter = arbiter
        self._prefix = arbiter.prefix.rstrip("/") + "/"
        self._files = files
        self._in_thread = in_thread
        self._secure = arbiter.endpoints[0].startswith("https:")
        self._stale = True
        self._session: aiohttp.ClientSession | None = None
        self._members: list[Member] = []
        self._favourite = 0
        self._cluster_id = ""
        self._term = 0
        self._revision = 0
        self._opening = asyncio.Lock()

    async def carry_out(self, operation: Operation) -> Answer:
        """The answer of the first member that gives one."""
        members = await self._open()
        path, body = etcd_wire.request(operation, self._prefix)
        least = self._revision

        async def attempt(number: int) -> Answer:
            member = members[(self._favourite + number) % len(members)]
            found = await member.call(path, body, within_s=ATTEMPT_S)
            self._check(found, member, least=least)
            return etcd_wire.answer(operation, found, self._prefix)

        try:
            number, answer = await first_answer(attempt, places=len(members), every_s=REISSUE_S, within_s=OPERATION_S)
        except StoreError as error:
            # After trouble with certificates the files are read anew: they may have been rotated.
            self._stale = self._secure and "certificate" in str(error).lower()
            raise
        self._favourite = (self._favourite + number) % len(members)
        self._revision = max(self._revision, answer.revision)
        return answer

    async def watch(self, on_seen: Callable[[Answer], None]) -> None:
        """Tells of changes, from one member after another."""
        turn = 0
        while True:
            try:
                members = await self._open()
                await self._watch_one(members[(self._favourite + turn) % len(members)], on_seen)
            except StoreError as error:
                log.debug("watch: %s", error)
            turn += 1
            await asyncio.sleep(WATCH_PAUSE_S)

    def details(self) -> Mapping[str, Any]:
        """What people are shown besides."""
        return {
            "members": {member.url: member.version or "not reached" for member in self._members},
            "revision": self._revision,
            "term": self._term,
        }

    async def close(self) -> None:
        """No connection is left."""
        session, self._session, self._members = self._session, None, []
        if session is not None:
            await session.close()

    async def _watch_one(self, member: Member, on_seen: Callable[[Answer], None]) -> None:
        async for result in member.stream(etcd_wire.watch_request(self._prefix), silence_s=WATCH_SILENCE_S):
            if result.get("canceled"):
                # The connection would stay open and silent.
                raise AgainError(f"{member.url}: {result.get('cancel_reason') or 'the watch was ended'}")
            self._check(result, member, least=0)
            answer = etcd_wire.events(result, self._prefix)
            if answer.records:
                on_seen(answer)

    def _check(self, found: Mapping[str, Any], member: Member, *, least: int) -> None:
        """The answer is one of this etcd, and not of a member that was left behind."""
        try:
            header = etcd_wire.header(found)
        except (KeyError, TypeError, ValueError):
            raise AgainError(f"{member.url}: what answers is no etcd gateway") from None
        if not self._cluster_id:
            self._cluster_id = header.cluster_id
        if header.cluster_id != self._cluster_id:
            raise AgainError(
                f"{member.url} belongs to another etcd cluster ({header.cluster_id}) than the one that answered first "
                f"({self._cluster_id}). If it was made anew, restart service Holdfast on every node, one by one"
            )
        if header.term < self._term or header.revision < least:
            raise AgainError(f"{member.url} answers from the past: term {header.term}, revision {header.revision}")
        self._term = header.term

    async def _open(self) -> list[Member]:
        """The members, with the certificates as they are on the node now when there was trouble with them."""
        async with self._opening:
            tls = None
            if self._secure and self._stale:
                tls = await self._in_thread(self._files.context)
            if self._session is None:
                # On a busy machine that takes a second, for which the event loop must not stand still.
                await self._in_thread(lambda: importlib.import_module("aiohttp"))
                self._connect()
            for member in self._members if tls else ():
                member.tls = tls
            self._stale = False
            return self._members

    def _connect(self) -> None:
        import aiohttp

        # Proxies of the environment are not for a store that lives beside the nodes.
        self._session = session = aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
        self._members = [
            Member(
                url.rstrip("/"),
                session=session,
                user=self._arbiter.user,
                password=self._password,
                any_version=self._arbiter.any_version,
            )
            for url in self._arbiter.endpoints
        ]

    async def _password(self) -> str:
        return await self._in_thread(self._files.password)
