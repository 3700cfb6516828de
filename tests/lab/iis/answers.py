# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site answers to a request."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qs

from ..surface.paths import Drives
from .config import Site
from .content import configuration_is_broken, content_type, find_file
from .http import Request, Response

SLOW_PATH = "/__slow"
SLOW_MAX_S = 60.0


async def answer_for(request: Request, *, node: str, drives: Drives, site: Site | None, pool_runs: bool) -> Response:
    """The answer of the site; of HTTP.sys itself when no site has the host name or the pool is stopped."""
    headers = {"X-Lab-Node": node, "X-Lab-Site": "" if site is None else site.name}
    if site is None:
        return _text(HTTPStatus.BAD_REQUEST, "Bad Request - Invalid Hostname", headers)
    if not pool_runs:
        return _text(HTTPStatus.SERVICE_UNAVAILABLE, "The service is unavailable.", headers)
    if configuration_is_broken(drives, site):
        return _text(HTTPStatus.INTERNAL_SERVER_ERROR, "500.19 - The web.config is malformed.", headers)
    if request.method not in ("GET", "HEAD"):
        return _text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD.", headers | {"Allow": "GET, HEAD"})
    if request.path == SLOW_PATH:
        return await _slow(request, headers)
    file = find_file(drives, site, request.path)
    try:
        modified_s = None if file is None else file.stat().st_mtime
    except OSError:  # the volume went away in between
        modified_s = None
    if file is None or modified_s is None:
        return _text(HTTPStatus.NOT_FOUND, "404 - File or directory not found.", headers)
    described = {"Content-Type": content_type(file), "Last-Modified": formatdate(modified_s, usegmt=True)}
    return Response(status=HTTPStatus.OK, headers=headers | described, body=file)


async def _slow(request: Request, headers: dict[str, str]) -> Response:
    """An answer after ``?s=`` seconds: a request in flight for as long as a test needs one."""
    text = parse_qs(request.query).get("s", ["1"])[0]
    try:
        seconds = float(text)
    except ValueError:
        return _text(HTTPStatus.BAD_REQUEST, f"s={text} is no number of seconds", headers)
    if not 0 <= seconds <= SLOW_MAX_S:
        return _text(HTTPStatus.BAD_REQUEST, f"s must be at most {SLOW_MAX_S:g}", headers)
    await asyncio.sleep(seconds)
    return _text(HTTPStatus.OK, f"waited {seconds:g} s", headers)


def _text(status: HTTPStatus, text: str, headers: dict[str, str]) -> Response:
    described = {"Content-Type": "text/plain; charset=utf-8"}
    return Response(status=status, headers=headers | described, body=f"{text}\n".encode())
