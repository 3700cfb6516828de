# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The IIS configuration system by COM as a script engine calls it: sessions, elements, methods.

Rule: one fresh manager per transaction, used in the thread that made it; it caches the file, so it is never kept.
Calls go straight to IDispatch::Invoke with the flags that VBScript uses, because the interfaces are not dual
(ahadmin.idl, github.com/microsoft/win32metadata) and Microsoft's own samples are VBScript and JScript:
learn.microsoft.com/en-us/iis/configuration/system.applicationhost/sites/site/. win32com.client.dynamic is not used:
it guesses whether a name is a method, and hides the error of a refused property.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..errors import NotThereError, SurfaceError
from . import api
from .iis_codes import ACCESS_DENIED, NOT_REGISTERED, com_value, hresult_of, text_of

ROOT = "MACHINE/WEBROOT/APPHOST"
SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"

LOCK = threading.RLock()
"""Held while this process changes the configuration or a run state: two writers at once lose changes."""

_METHOD_OR_GET, _PUT = 1 | 2, 4
"""DISPATCH_METHOD | DISPATCH_PROPERTYGET, DISPATCH_PROPERTYPUT of oaidl.h."""
_WANTED, _NOT_WANTED = 1, 0
"""Whether PyIDispatch.Invoke gives the result."""

_MANAGER = "{2b72133b-3f5b-4602-8952-803546ce3344}"
"""CLSID of AppHostWritableAdminManager (ahadmin.idl), ProgID Microsoft.ApplicationHost.WritableAdminManager."""

_CURES = {
    ACCESS_DENIED: "; run as an administrator",
    NOT_REGISTERED: "; IIS is not installed, or this Python is not a 64-bit one",
}


@contextlib.contextmanager
def session(primitive: str) -> Iterator[Any]:
    """A writable manager of applicationHost.config; errors of COM inside leave as SurfaceError.

    Source: learn.microsoft.com/en-us/iis/web-development-reference/native-code-api-reference/ (AdminManager).
    """
    api.use_com()
    import pythoncom
    import pywintypes

    try:
        manager = pythoncom.CoCreateInstance(
            pywintypes.IID(_MANAGER),
            None,
            pythoncom.CLSCTX_INPROC_SERVER,
            pythoncom.IID_IDispatch,
        )
        put(manager, "CommitPath", ROOT)
        yield manager
    except pywintypes.com_error as error:
        raise from_com(primitive, error.args) from error


def get(target: Any, name: str, *arguments: Any) -> Any:
    """A property, an item or the result of a method; an object among them is ready for more calls."""
    import pythoncom

    result = target.Invoke(target.GetIDsOfNames(0, name), 0, _METHOD_OR_GET, _WANTED, *arguments)
    if result is not None and hasattr(result, "QueryInterface") and not hasattr(result, "GetIDsOfNames"):
        return result.QueryInterface(pythoncom.IID_IDispatch)
    return result


def put(target: Any, name: str, value: Any) -> None:
    """The property has the value."""
    target.Invoke(target.GetIDsOfNames(0, name), 0, _PUT, _NOT_WANTED, value)


def from_com(primitive: str, arguments: Sequence[Any]) -> SurfaceError:
    """The error that a com_error with these arguments means, with its cure where there is one."""
    code = hresult_of(arguments)
    return SurfaceError(primitive, text_of(arguments) + _CURES.get(code, ""), code)


def section_of(manager: Any, section: str) -> Any:
    """The section as its root element."""
    return get(manager, "GetAdminSection", section, ROOT)


def site_of(primitive: str, manager: Any, name: str) -> Any:
    """The element of the site; NotThereError when IIS has none."""
    found = find(section_of(manager, SITES), "site", {"name": name})
    if found is None:
        raise NotThereError(primitive, f"IIS has no site {name!r}")
    return found[1]


def pool_of(primitive: str, manager: Any, name: str) -> Any:
    """The element of the application pool; NotThereError when IIS has none."""
    found = find(section_of(manager, POOLS), "add", {"name": name})
    if found is None:
        raise NotThereError(primitive, f"IIS has no application pool {name!r}")
    return found[1]


def items(element: Any) -> list[Any]:
    """The items of the element's collection, in order."""
    collection = get(element, "Collection")
    return [get(collection, "Item", index) for index in range(int(get(collection, "Count")))]


def find(element: Any, name: str, keys: Mapping[str, str]) -> tuple[int, Any] | None:
    """Place and element of the item with these keys, without regard to letter case as in IIS_schema.xml."""
    for index, item in enumerate(items(element)):
        if get(item, "Name") == name and all(_equal(item, key, value) for key, value in keys.items()):
            return index, item
    return None


def add(element: Any, name: str, attributes: Mapping[str, str]) -> Any:
    """A new item of the element's collection; its attributes are set before it is added, as in the samples."""
    collection = get(element, "Collection")
    item = get(collection, "CreateNewElement", name)
    for attribute, text in attributes.items():
        write(item, attribute, text)
    get(collection, "AddElement", item)
    return item


def delete(element: Any, index: int) -> None:
    """The item at this place of the element's collection is gone."""
    get(get(element, "Collection"), "DeleteElement", index)


def part(element: Any, name: str) -> Any:
    """The single child element of this name."""
    return get(get(element, "ChildElements"), "Item", name)


def read(element: Any, attribute: str) -> Any:
    """The value of an attribute, run-time attributes too."""
    return get(get(get(element, "Properties"), "Item", attribute), "Value")


def write(element: Any, attribute: str, text: str) -> None:
    """The attribute has the value that its text means by its schema type."""
    prop = get(get(element, "Properties"), "Item", attribute)
    put(prop, "Value", com_value(str(get(get(prop, "Schema"), "Type")), text))


def call(element: Any, method: str, inputs: Mapping[str, str] | None = None) -> Any:
    """The executed instance of a method of the element (Start, Stop, AddSslCertificate ...).

    Source: IAppHostMethod and IAppHostMethodInstance, native-code-api-reference.
    """
    instance = get(get(get(element, "Methods"), "Item", method), "CreateInstance")
    for name, text in (inputs or {}).items():
        write(get(instance, "Input"), name, text)
    get(instance, "Execute")
    return instance


@contextlib.contextmanager
def translated(primitive: str) -> Iterator[None]:
    """COM errors inside leave as SurfaceError already here, for a caller that wants to judge them."""
    import pywintypes

    try:
        yield
    except pywintypes.com_error as error:
        raise from_com(primitive, error.args) from error


def _equal(element: Any, key: str, value: str) -> bool:
    return str(read(element, key)).lower() == value.lower()
