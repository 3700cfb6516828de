# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What the numbers of the IIS configuration system mean. Pure.

Sources: winerror.h; rscaext.xml of Windows (run states); aspnet/IISIntegration IISDeployer.cs (which errors are
worth a retry while a site is in transition); github.com/microsoft/azure-pipelines-extensions issue 520.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from typing import Any

from ..errors import SurfaceError
from ..surface import SiteState

DISP_E_EXCEPTION = 0x80020009
OBJECT_NOT_FOUND = 0x800710D8
"""The run-time object is not there (yet): just after a commit, or IIS is not running."""
SHARING_VIOLATION = 0x80070020
SERVICE_IN_TRANSITION = 0x80070425
ACCESS_DENIED = 0x80070005
NOT_REGISTERED = 0x80040154
FILE_NOT_FOUND = 0x80070002

IN_TRANSITION = frozenset({OBJECT_NOT_FOUND, SHARING_VIOLATION, SERVICE_IN_TRANSITION})

_STATES: dict[int, SiteState] = {0: "starting", 1: "started", 2: "stopping", 3: "stopped", 4: "unknown"}
_SIGNED_MAX = 0x7FFFFFFF
_EXCEPTION_PARTS = 6


def hresult_of(arguments: Sequence[Any]) -> int:
    """The HRESULT in the arguments of a pywin32 com_error (hresult, text, excepinfo, argument), unsigned.

    DISP_E_EXCEPTION hides the true code in the last part of excepinfo.
    Source: github.com/mhammond/pywin32 com/win32com/src/ErrorUtils.cpp
    """
    code = int(arguments[0]) & 0xFFFFFFFF
    details = arguments[2] if len(arguments) > 2 else None
    if code == DISP_E_EXCEPTION and details and len(details) >= _EXCEPTION_PARTS and details[5]:
        return int(details[5]) & 0xFFFFFFFF
    return code


def text_of(arguments: Sequence[Any]) -> str:
    """The best sentence in the arguments of a com_error."""
    details = arguments[2] if len(arguments) > 2 else None
    said = details[2] if details and len(details) > 2 else None
    return str(said or arguments[1]).strip()


def run_state(number: int) -> SiteState:
    """The run state of a site or application pool; learn.microsoft.com/en-us/iis/wmi-provider/site-getstate-method"""
    return _STATES.get(number, "unknown")


def com_value(schema_type: str, text: str) -> bool | int | str:
    """The text of an attribute as the value its schema type wants (IAppHostPropertySchema.Type).

    pywin32 makes a 32-bit variant of a small int; larger numbers go as text, which the configuration system
    converts (github.com/mhammond/pywin32 com/win32com/src/oleargs.cpp; the conversion is unconfirmed).
    """
    if schema_type == "bool":
        return text == "true"
    if schema_type in ("int", "uint", "int64") and text.isdecimal() and int(text) <= _SIGNED_MAX:
        return int(text)
    return text


def redirected_to(redirection: bytes) -> str | None:
    """The folder that redirection.config names, None when redirection is off.

    Source: learn.microsoft.com/en-us/iis/configuration/configurationredirection
    """
    try:
        element = ET.fromstring(redirection).find("configurationRedirection")
    except ET.ParseError as error:
        raise SurfaceError("iis_configuration", f"redirection.config is not well-formed XML: {error}") from error
    if element is None or element.get("enabled", "false").lower() != "true":
        return None
    return element.get("path")
