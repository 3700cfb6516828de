# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and passwords of an etcd: root, and one that may use a prefix and nothing else.

Source: etcd.io/docs/v3.5/op-guide/authentication/rbac
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast_lab.etcd.certificates import Certificates
from holdfast_lab.etcd.gateway import b64, call


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user who may read and write below ``prefix``, which ends in a slash."""

    name: str
    password: str
    prefix: str


def set_up_accounts(url: str, account: Account, root_password: str, certificates: Certificates | None = None) -> None:
    """Nobody reaches anything without a password from now on."""

    def ask(path: str, body: dict[str, object]) -> None:
        call(url, f"/v3/auth/{path}", body, certificates=certificates)

    ask("role/add", {"name": "root"})
    ask("user/add", {"name": "root", "password": root_password})
    ask("user/grant", {"user": "root", "role": "root"})
    ask("role/add", {"name": account.name})
    whole = {"key": b64(account.prefix), "range_end": b64(account.prefix[:-1] + "0")}
    ask("role/grant", {"name": account.name, "perm": {"permType": "READWRITE", **whole}})
    ask("user/add", {"name": account.name, "password": account.password})
    ask("user/grant", {"user": account.name, "role": account.name})
    ask("enable", {})
