# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A call to a member's gateway, for whoever sets an etcd up or looks at it from outside. Blocking."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from holdfast_lab.etcd.certificates import Certificates


class GatewayError(Exception):
    """The member did not answer, or refused."""


def call(
    url: str,
    path: str,
    body: Mapping[str, Any],
    *,
    certificates: Certificates | None = None,
    token: str = "",
    within_s: float = 3.0,
) -> dict[str, Any]:
    """The answer, as plain data.

    Raises:
        GatewayError: there is none.
    """
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    asked = urllib.request.Request(url + path, data=json.dumps(body).encode(), headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=within_s, context=_context(certificates)) as response:
            answer: dict[str, Any] = json.loads(response.read())
            return answer
    except urllib.error.HTTPError as error:
        raise GatewayError(f"{url}{path}: HTTP {error.code} {error.read().decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise GatewayError(f"{url}{path}: {error}") from None


def b64(text: str) -> str:
    """Keys and values, as the gateway wants them."""
    return base64.b64encode(text.encode()).decode("ascii")


def _context(certificates: Certificates | None) -> ssl.SSLContext | None:
    if certificates is None:
        return None
    context = ssl.create_default_context(cafile=str(certificates.authority))
    context.load_cert_chain(str(certificates.client), str(certificates.client_key))
    return context
