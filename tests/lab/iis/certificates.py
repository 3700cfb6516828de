# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificate answers at an https endpoint: HTTP.sys's table, kept in ``standin/sslcert.json``.

Keys are "ip:port", or "host:port" for bindings with SNI. Like HTTP.sys's table it belongs to the machine: it outlives
the service, and all sites of one endpoint share an entry.
"""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

from ..surface import certificates as store
from ..surface.locks import replace_text
from .config import Binding

NO_SUCH_LOGON_SESSION = 0x80070520
"""What Windows answers when the certificate has no private key."""


class CertificateTable:
    """The table of one node, and the TLS contexts made from it."""

    def __init__(self, node: Path) -> None:
        self._node = node
        self._file = node / "standin" / "sslcert.json"
        self._entries: dict[str, dict[str, str]] = {}
        if self._file.exists():
            self._entries = json.loads(self._file.read_text(encoding="utf-8"))
        self._contexts: dict[str, ssl.SSLContext] = {}

    def bound(self, binding: Binding) -> str | None:
        """The thumbprint at the binding."""
        entry = self._entries.get(_key(binding))
        return None if entry is None else entry["thumbprint"]

    def bind(self, binding: Binding, *, thumbprint: str, store_name: str) -> None:
        """The certificate answers at the binding from now on. Raises LookupError, PermissionError (no private key)."""
        found = store.find(self._node, store=store_name, thumbprint=thumbprint)
        if found is None:
            raise LookupError(f"the store {store_name} has no certificate {thumbprint}")
        if not found.has_private_key:
            raise PermissionError(f"the certificate {thumbprint} has no private key on this node")
        self._entries[_key(binding)] = {"thumbprint": found.thumbprint, "store": store_name}
        replace_text(self._file, json.dumps(self._entries, indent=1, sort_keys=True) + "\n")

    def listener_context(self, bindings: list[Binding]) -> ssl.SSLContext:
        """The context of an endpoint: it hands each connection to the certificate of the binding that fits its name.

        ``bindings`` is looked at anew for each connection, so it may change. A connection that fits none, or whose
        binding has no certificate, is refused as HTTP.sys does: the handshake fails.
        """

        def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str, _context: Any) -> int | None:
            chosen = self._context_for(bindings, (name or "").lower())
            if chosen is None:
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
            connection.context = chosen
            return None

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose
        self.warm(bindings)
        return context

    def warm(self, bindings: list[Binding]) -> None:
        """The certificates of the bindings are loaded, so that the first client does not wait for it."""
        for binding in bindings:
            if binding.tls:
                self._context_of(binding)

    def _context_for(self, bindings: list[Binding], name: str) -> ssl.SSLContext | None:
        named = [one for one in bindings if one.sni and one.host == name]
        unnamed = [one for one in bindings if not one.sni]
        for binding in named + unnamed:
            if context := self._context_of(binding):
                return context
        return None

    def _context_of(self, binding: Binding) -> ssl.SSLContext | None:
        entry = self._entries.get(_key(binding))
        if entry is None:
            return None
        found = store.find(self._node, store=entry["store"], thumbprint=entry["thumbprint"])
        if found is None or not found.has_private_key:
            return None
        if found.thumbprint not in self._contexts:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(found.file)
            self._contexts[found.thumbprint] = context
        return self._contexts[found.thumbprint]


def _key(binding: Binding) -> str:
    return f"{binding.host}:{binding.port}" if binding.sni else f"{binding.ip}:{binding.port}"
