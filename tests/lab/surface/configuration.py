# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edits of applicationHost.config as a pure function, with the refusals that IIS's schema would give.

Rule: all changes are made, or ConfigurationError is raised; elements nobody named stay, unknown ones and comments too.
Attribute values that are keys match without regard to letter case (IIS_schema.xml: caseSensitive="false").
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

from .schema import SECTIONS, Element

INVALID_DATA = 0x8007000D
ALREADY_EXISTS = 0x800700B7


class Change(Protocol):
    """The members of holdfast.surface.ConfigChange that matter here."""

    @property
    def op(self) -> Literal["set", "remove"]: ...
    @property
    def section(self) -> str: ...
    @property
    def path(self) -> tuple[tuple[str, Mapping[str, str]], ...]: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...


class ConfigurationError(Exception):
    """IIS would refuse this configuration or this change; ``code`` is the HRESULT it would give."""

    def __init__(self, message: str, code: int = INVALID_DATA) -> None:
        super().__init__(message)
        self.code = code


def apply_changes(xml: bytes, changes: Sequence[Change]) -> bytes:
    """The configuration with all the changes made; the very same bytes when nothing had to change.

    Raises ConfigurationError for broken XML, and for what the schema of IIS does not allow.
    """
    root = parse(xml)
    before = ET.tostring(root)
    for change in changes:
        _apply(root, change)
    if ET.tostring(root) == before:
        return xml
    for section in sorted({change.section for change in changes}):
        if (element := root.find(section)) is not None:
            _check_collections(element, SECTIONS[section], section)
    ET.indent(root, "    ")
    return ('<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n").encode()


def parse(xml: bytes) -> ET.Element:
    """The root element, comments kept. Raises ConfigurationError."""
    try:
        root = ET.fromstring(xml, parser=ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    except ET.ParseError as error:
        raise ConfigurationError(f"applicationHost.config is not well-formed XML: {error}") from error
    if root.tag != "configuration":
        raise ConfigurationError(f"the root of applicationHost.config must be <configuration>, not <{root.tag}>")
    return root


def _apply(root: ET.Element, change: Change) -> None:
    if change.section not in SECTIONS:
        known = ", ".join(SECTIONS)
        raise ConfigurationError(f"the section {change.section!r} cannot be changed here; known are {known}")
    if not change.path:
        raise ConfigurationError(f"a change of {change.section} needs a path to the element")
    element = _descend_to_section(root, change.section, create=change.op == "set")
    schema = SECTIONS[change.section]
    place = change.section
    parent = element
    for tag, keys in change.path:
        place = f"{place}/{tag}{_shown(keys)}"
        schema = _schema_of(schema, tag, keys, place)
        parent = element
        element = None if element is None else _find(element, tag, keys)
        if element is None and change.op == "set" and parent is not None:
            element = ET.SubElement(parent, tag, dict(keys))
    if change.op == "remove":
        if parent is not None and element is not None:
            parent.remove(element)
        return
    _set_attributes(element, schema, change.attributes, place)


def _descend_to_section(root: ET.Element, section: str, *, create: bool) -> ET.Element | None:
    element: ET.Element | None = root
    for tag in section.split("/"):
        if element is None:
            return None
        child = element.find(tag)
        element = ET.SubElement(element, tag) if child is None and create else child
    return element


def _schema_of(parent: Element, tag: str, keys: Mapping[str, str], place: str) -> Element:
    if tag in parent.children:
        if keys:
            raise ConfigurationError(f"{place}: <{tag}> exists once, so it has no key attributes")
        return parent.children[tag]
    if tag not in parent.collection:
        known = ", ".join([*parent.children, *parent.collection]) or "none"
        raise ConfigurationError(f"{place}: IIS knows no element <{tag}> here; known are {known}")
    schema = parent.collection[tag]
    wrong = sorted(set(keys) - set(schema.keys))
    if wrong or not keys or (schema.combined_key and len(keys) != len(schema.keys)):
        how = "all of" if schema.combined_key else "at least one of"
        raise ConfigurationError(f"{place}: <{tag}> is found by {how} its key attributes {', '.join(schema.keys)}")
    for name, value in keys.items():
        _check_value(schema, name, value, place)
    return schema


def _find(parent: ET.Element, tag: str, keys: Mapping[str, str]) -> ET.Element | None:
    for element in parent.findall(tag):
        if all(element.get(name, "").lower() == value.lower() for name, value in keys.items()):
            return element
    return None


def _set_attributes(element: ET.Element | None, schema: Element, attributes: Mapping[str, str], place: str) -> None:
    for name, value in attributes.items():
        _check_value(schema, name, value, place)
        if element is not None:
            element.set(name, value)


def _check_value(schema: Element, name: str, value: str, place: str) -> None:
    if name not in schema.attributes:
        known = ", ".join(schema.attributes) or "none"
        raise ConfigurationError(f"{place}: IIS knows no attribute {name!r} here; known are {known}")
    if problem := schema.attributes[name].wrong(value):
        raise ConfigurationError(f"{place}: {name}={value!r} is refused: {problem}")


def _check_collections(element: ET.Element, schema: Element, place: str) -> None:
    """Required attributes are there and no key is used twice, in this element and below."""
    for name, attribute in schema.attributes.items():
        if attribute.required and name not in element.attrib:
            raise ConfigurationError(f"{place}: the required attribute {name!r} is missing")
    for tag, inner in schema.collection.items():
        elements = element.findall(tag)
        for group in [inner.keys] if inner.combined_key else [(key,) for key in inner.keys]:
            _check_unique(elements, group, f"{place}/{tag}")
        for each in elements:
            _check_collections(each, inner, f"{place}/{tag}{_shown(each.attrib, inner.keys)}")
    for tag, inner in schema.children.items():
        if (child := element.find(tag)) is not None:
            _check_collections(child, inner, f"{place}/{tag}")


def _check_unique(elements: Sequence[ET.Element], keys: tuple[str, ...], place: str) -> None:
    seen: set[tuple[str, ...]] = set()
    for element in elements:
        value = tuple(element.get(key, "").lower() for key in keys)
        if value in seen:
            shown = _shown(element.attrib, keys)
            raise ConfigurationError(f"{place}{shown}: there is another one with this key", ALREADY_EXISTS)
        seen.add(value)


def _shown(attributes: Mapping[str, str], names: tuple[str, ...] | None = None) -> str:
    chosen = {name: value for name, value in attributes.items() if names is None or name in names}
    return "[" + ", ".join(f"{name}={value!r}" for name, value in chosen.items()) + "]" if chosen else ""
