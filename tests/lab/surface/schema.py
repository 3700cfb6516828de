# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What IIS allows in the sections of applicationHost.config that the lab can change.

Facts about names, types, keys and limits are those of IIS_schema.xml of Windows Server (inetsrv/config/schema) for
system.applicationHost/sites and .../applicationPools; what is not in here is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute. ``wrong`` says what is wrong with a value, or None; ``key`` as in the IIS schema."""

    wrong: Callable[[str], str | None]
    required: bool = False
    key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One element: its attributes, its single children, and the elements of its collection.

    With ``combined_key`` the key attributes identify it together, without each is unique for itself.
    """

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: Mapping[str, Element] = field(default_factory=dict)
    collection: Mapping[str, Element] = field(default_factory=dict)
    combined_key: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """The names of the key attributes."""
        return tuple(name for name, attribute in self.attributes.items() if attribute.key)


def _text(value: str) -> str | None:
    del value
    return None


def _filled(value: str) -> str | None:
    return None if value else "it must not be empty"


def _boolean(value: str) -> str | None:
    return None if value in ("true", "false") else "it must be true or false"


def _number(low: int, high: int) -> Callable[[str], str | None]:
    def wrong(value: str) -> str | None:
        if re.fullmatch(r"\d{1,10}", value) and low <= int(value) <= high:
            return None
        return f"it must be a whole number from {low} to {high}"

    return wrong


def _time_span(value: str) -> str | None:
    right = re.fullmatch(r"(\d+\.)?\d{1,2}:[0-5]\d:[0-5]\d", value)
    return None if right else "it must be a time span like 00:02:00"


def _one_of(*names: str) -> Callable[[str], str | None]:
    def wrong(value: str) -> str | None:
        return None if value in names else f"it must be one of {', '.join(names)}"

    return wrong


def _without(characters: str) -> Callable[[str], str | None]:
    def wrong(value: str) -> str | None:
        bad = sorted(set(value) & set(characters))
        return f"it must not contain {bad[0]!r}" if bad else _filled(value)

    return wrong


def _url_path(value: str) -> str | None:
    steps = value.split("/")
    right = value == "/" or (value.startswith("/") and not value.endswith("/") and not {".", ".."} & set(steps))
    return None if right else "it must start with / and not end with /"


_UINT = _number(0, 0xFFFFFFFF)
_LOGON = _one_of("Interactive", "Batch", "Network", "ClearText")
_IDENTITY = _one_of("LocalSystem", "LocalService", "NetworkService", "SpecificUser", "ApplicationPoolIdentity")

TEXT = Attribute(wrong=_text)
BOOLEAN = Attribute(wrong=_boolean)
UINT = Attribute(wrong=_UINT)
TIME_SPAN = Attribute(wrong=_time_span)
POOL_NAME = _without('|<>&"/[]+=;:,?*@')

_VIRTUAL_DIRECTORY = {
    "physicalPath": TEXT,
    "userName": TEXT,
    "password": TEXT,
    "logonMethod": Attribute(wrong=_LOGON),
    "allowSubDirConfig": BOOLEAN,
}
_APPLICATION = {
    "applicationPool": Attribute(wrong=POOL_NAME),
    "enabledProtocols": TEXT,
    "serviceAutoStartEnabled": BOOLEAN,
    "serviceAutoStartProvider": TEXT,
    "preloadEnabled": BOOLEAN,
}
_URL_PATH_KEY = Attribute(wrong=_url_path, required=True, key=True)
_VIRTUAL_DIRECTORY_DEFAULTS = Element(attributes={"path": Attribute(wrong=_url_path)} | _VIRTUAL_DIRECTORY)
_APPLICATION_DEFAULTS = Element(attributes={"path": Attribute(wrong=_url_path)} | _APPLICATION)

_BINDINGS = Element(
    collection={
        "binding": Element(
            attributes={
                "protocol": Attribute(wrong=_filled, required=True, key=True),
                "bindingInformation": Attribute(wrong=_filled, required=True, key=True),
                "sslFlags": UINT,
            },
            combined_key=True,
        )
    }
)
_LIMITS = Element(
    attributes={
        "maxBandwidth": Attribute(wrong=_number(1024, 0xFFFFFFFF)),
        "maxConnections": UINT,
        "connectionTimeout": TIME_SPAN,
        "maxUrlSegments": Attribute(wrong=_number(0, 16383)),
    }
)
_LOG_FILE = Element(
    attributes={
        "logFormat": Attribute(wrong=_one_of("IIS", "NCSA", "W3C", "Custom")),
        "directory": Attribute(wrong=_filled),
        "period": Attribute(wrong=_one_of("MaxSize", "Daily", "Weekly", "Monthly", "Hourly")),
        "logExtFileFlags": TEXT,
        "localTimeRollover": BOOLEAN,
        "enabled": BOOLEAN,
    }
)
_TRACING = Element(
    attributes={
        "enabled": BOOLEAN,
        "directory": TEXT,
        "maxLogFiles": Attribute(wrong=_number(1, 10000)),
        "maxLogFileSizeKB": Attribute(wrong=_number(0, 1048576)),
        "customActionsEnabled": BOOLEAN,
    }
)
_SITE_PARTS = {"bindings": _BINDINGS, "limits": _LIMITS, "logFile": _LOG_FILE, "traceFailedRequestsLogging": _TRACING}
_SITE = Element(
    attributes={
        "name": Attribute(wrong=_without("/?"), required=True, key=True),
        "id": Attribute(wrong=_number(1, 0xFFFFFFFF), required=True, key=True),
        "serverAutoStart": BOOLEAN,
    },
    children=_SITE_PARTS
    | {"applicationDefaults": _APPLICATION_DEFAULTS, "virtualDirectoryDefaults": _VIRTUAL_DIRECTORY_DEFAULTS},
    collection={
        "application": Element(
            attributes={"path": _URL_PATH_KEY} | _APPLICATION,
            children={"virtualDirectoryDefaults": _VIRTUAL_DIRECTORY_DEFAULTS},
            collection={"virtualDirectory": Element(attributes={"path": _URL_PATH_KEY} | _VIRTUAL_DIRECTORY)},
        )
    },
)

_POOL_ATTRIBUTES = {
    "queueLength": Attribute(wrong=_number(10, 65535)),
    "autoStart": BOOLEAN,
    "enable32BitAppOnWin64": BOOLEAN,
    "managedRuntimeVersion": TEXT,
    "managedPipelineMode": Attribute(wrong=_one_of("Integrated", "Classic")),
    "startMode": Attribute(wrong=_one_of("OnDemand", "AlwaysRunning")),
}
_POOL_PARTS = {
    "processModel": Element(
        attributes={
            "identityType": Attribute(wrong=_IDENTITY),
            "userName": TEXT,
            "password": TEXT,
            "loadUserProfile": BOOLEAN,
            "idleTimeout": TIME_SPAN,
            "idleTimeoutAction": Attribute(wrong=_one_of("Terminate", "Suspend")),
            "maxProcesses": Attribute(wrong=_number(0, 2147483647)),
            "shutdownTimeLimit": TIME_SPAN,
            "startupTimeLimit": TIME_SPAN,
            "pingingEnabled": BOOLEAN,
        }
    ),
    "failure": Element(attributes={"rapidFailProtection": BOOLEAN, "rapidFailProtectionInterval": TIME_SPAN}),
    "recycling": Element(
        attributes={"disallowOverlappingRotation": BOOLEAN, "disallowRotationOnConfigChange": BOOLEAN},
        children={"periodicRestart": Element(attributes={"requests": UINT, "time": TIME_SPAN})},
    ),
}

SECTIONS: Mapping[str, Element] = {
    "system.applicationHost/sites": Element(
        children={
            "siteDefaults": Element(attributes={"serverAutoStart": BOOLEAN}, children=_SITE_PARTS),
            "applicationDefaults": _APPLICATION_DEFAULTS,
            "virtualDirectoryDefaults": _VIRTUAL_DIRECTORY_DEFAULTS,
        },
        collection={"site": _SITE},
    ),
    "system.applicationHost/applicationPools": Element(
        children={"applicationPoolDefaults": Element(attributes=_POOL_ATTRIBUTES, children=_POOL_PARTS)},
        collection={
            "add": Element(
                attributes={"name": Attribute(wrong=POOL_NAME, required=True, key=True)} | _POOL_ATTRIBUTES,
                children=_POOL_PARTS,
            )
        },
    ),
}
"""The sections that can be changed."""
