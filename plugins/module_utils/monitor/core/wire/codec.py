# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Frozen dataclasses to plain JSON data and back, led by nothing but their own annotations.

Rule: what is decoded is exactly of the annotated type, or CodecError names the place that is not. Nothing is
guessed or converted, but a whole number where a float is meant. Unknown and missing fields are errors.

A field that a later protocol added says so: ``field(default=0, metadata=since(2))``. Below that protocol it is left out
when encoding, and has its default when decoding. Its default is what the protocols before meant without it.

The closed set of annotations: str, int, float, bool, None, Any, Literal, Mapping[str, X], tuple[X, ...],
frozenset[X], dataclasses, X | None, and unions of dataclasses, whose members are told apart by a ``type``
field with the class's name.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from ...errors import HoldfastError, fail, require

T = TypeVar("T")
TAG = "type"
"""Names the member of a union; no dataclass may have a field of this name."""
SINCE = "protocol"
LATEST = 1_000_000
"""Above every protocol: nothing is left out."""


class CodecError(HoldfastError):
    """The data is not of the type that was asked for; ``path`` is the place ("groups.shop.epoch")."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path

    def below(self, name: str) -> CodecError:
        """The same error, seen from one level further out."""
        glue = "" if not self.path or self.path.startswith("[") else "."
        return CodecError(self.message, f"{name}{glue}{self.path}")


def since(protocol: int) -> Mapping[str, int]:
    """The metadata of a field that this protocol added; the field needs a default."""
    return {SINCE: protocol}


def encode(value: Any, kind: Any, *, terse: bool = False, protocol: int = LATEST) -> Any:
    """The value of type ``kind`` as JSON data; ``terse`` leaves out fields that have their default."""
    return _codec(kind).encode(value, _How(terse=terse, protocol=protocol))


def decode(kind: type[T], data: Any, *, protocol: int = LATEST) -> T:
    """The value of type ``kind`` in the JSON data.

    Raises:
        CodecError: the data is anything else.
    """
    return cast(T, _codec(kind).decode(data, protocol))


class _How(NamedTuple):
    terse: bool
    protocol: int


class _Codec(NamedTuple):
    encode: Callable[[Any, _How], Any]
    decode: Callable[[Any, int], Any]


class _Field(NamedTuple):
    codec: _Codec
    required: bool
    default: Any
    since: int


def _codec(kind: Any) -> _Codec:
    """Built once per annotation."""
    known = _CODECS.get(kind)
    if known is None:
        known = _CODECS[kind] = _built(kind)
    return known


def _built(kind: Any) -> _Codec:
    """An annotation outside the closed set is our bug."""
    origin, arguments = get_origin(kind), get_args(kind)
    if dataclasses.is_dataclass(kind):
        return _object(cast(type, kind))
    if origin is Literal:
        return _literal(arguments)
    if origin is Union or origin is types.UnionType:
        return _union(arguments)
    if origin is not None and isinstance(origin, type):
        if issubclass(origin, Mapping) and arguments[0] is str:
            return _mapping(_codec(arguments[1]))
        if origin is tuple and arguments[1:] == (...,):
            return _row(_codec(arguments[0]), tuple)
        if origin is frozenset:
            return _row(_codec(arguments[0]), frozenset)
    return fail(f"codec: {kind!r} is not in the closed set of annotations")


def _object(cls: type) -> _Codec:
    fields: dict[str, _Field] | None = None

    def table() -> dict[str, _Field]:
        nonlocal fields
        if fields is None:
            hints = get_type_hints(cls)
            fields = {field.name: _field(field, hints[field.name]) for field in dataclasses.fields(cls)}
        return fields

    def encode_object(value: Any, how: _How) -> Any:
        found = ((name, field, getattr(value, name)) for name, field in table().items())
        return {
            name: field.codec.encode(item, how)
            for name, field, item in found
            if field.since <= how.protocol and (not how.terse or field.required or item != field.default)
        }

    def decode_object(data: Any, protocol: int) -> Any:
        known = table()
        if not isinstance(data, dict):
            raise CodecError(f"is {_shown(data)}, not an object with the fields of {cls.__name__}")
        for name in data:
            if name not in known:
                raise CodecError(f"is no field of {cls.__name__}", str(name))
        values = {}
        for name, field in known.items():
            if name in data and field.since <= protocol:
                values[name] = _below(name, field.codec, data[name], protocol)
            elif field.required:
                raise CodecError("is missing", name)
        return cls(**values)

    return _Codec(encode_object, decode_object)


def _field(field: dataclasses.Field[Any], hint: Any) -> _Field:
    added = field.metadata.get(SINCE, 0)
    if field.default is not dataclasses.MISSING:
        return _Field(_codec(hint), required=False, default=field.default, since=added)
    if field.default_factory is not dataclasses.MISSING:
        return _Field(_codec(hint), required=False, default=field.default_factory(), since=added)
    require(not added, f"codec: {field.name}, which protocol {added} added, needs a default")
    return _Field(_codec(hint), required=True, default=None, since=0)


def _union(members: tuple[Any, ...]) -> _Codec:
    rest = tuple(member for member in members if member is not types.NoneType)
    if len(rest) == 1:
        inner = _codec(rest[0])
    elif all(dataclasses.is_dataclass(member) for member in rest):
        inner = _tagged({member.__name__: member for member in rest})
    else:
        fail(f"codec: the members of {members!r} cannot be told apart")
    if len(rest) == len(members):
        return inner
    return _Codec(
        lambda value, how: None if value is None else inner.encode(value, how),
        lambda data, protocol: None if data is None else inner.decode(data, protocol),
    )


def _tagged(classes: Mapping[str, type]) -> _Codec:
    def encode_tagged(value: Any, how: _How) -> Any:
        cls = type(value)
        return {TAG: cls.__name__, **_codec(cls).encode(value, how)}

    def decode_tagged(data: Any, protocol: int) -> Any:
        name = data.get(TAG) if isinstance(data, dict) else None
        if not isinstance(name, str) or name not in classes:
            raise CodecError(f"is {_shown(name)}, not one of {', '.join(classes)}", TAG)
        return _codec(classes[name]).decode({key: item for key, item in data.items() if key != TAG}, protocol)

    return _Codec(encode_tagged, decode_tagged)


def _mapping(inner: _Codec) -> _Codec:
    def decode_mapping(data: Any, protocol: int) -> Any:
        if not isinstance(data, dict):
            raise CodecError(f"is {_shown(data)}, not an object")
        return {_text(key): _below(str(key), inner, item, protocol) for key, item in data.items()}

    def encode_mapping(value: Any, how: _How) -> Any:
        return {key: inner.encode(item, how) for key, item in value.items()}

    return _Codec(encode_mapping, decode_mapping)


def _row(inner: _Codec, collect: Callable[[list[Any]], Any]) -> _Codec:
    def decode_row(data: Any, protocol: int) -> Any:
        if not isinstance(data, list):
            raise CodecError(f"is {_shown(data)}, not a list")
        return collect([_below(f"[{index}]", inner, item, protocol) for index, item in enumerate(data)])

    def encode_row(value: Any, how: _How) -> Any:
        items = sorted(value) if isinstance(value, frozenset) else value
        return [inner.encode(item, how) for item in items]

    return _Codec(encode_row, decode_row)


def _below(name: str, codec: _Codec, data: Any, protocol: int) -> Any:
    try:
        return codec.decode(data, protocol)
    except CodecError as error:
        raise error.below(name) from None


def _literal(options: tuple[Any, ...]) -> _Codec:
    def decode_literal(data: Any, protocol: int) -> Any:  # noqa: ARG001 - one signature for all decoders
        for option in options:
            if data == option and type(data) is type(option):
                return option
        raise CodecError(f"is {_shown(data)}, not one of {', '.join(map(repr, options))}")

    return _Codec(_as_it_is, decode_literal)


def _text(data: Any) -> Any:
    if not isinstance(data, str):
        raise CodecError(f"is {_shown(data)}, not a text")
    return data


def _whole(data: Any) -> Any:
    if isinstance(data, bool) or not isinstance(data, int):
        raise CodecError(f"is {_shown(data)}, not a whole number")
    return data


def _number(data: Any) -> Any:
    if type(data) not in (int, float):
        raise CodecError(f"is {_shown(data)}, not a number")
    try:
        number = float(data)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise CodecError("is not a finite number")
    return number


def _truth(data: Any) -> Any:
    if not isinstance(data, bool):
        raise CodecError(f"is {_shown(data)}, not true or false")
    return data


def _nothing(data: Any) -> Any:
    if data is not None:
        raise CodecError(f"is {_shown(data)}, not null")
    return data


def _as_it_is(value: Any, how: _How) -> Any:  # noqa: ARG001 - one signature for all encoders
    return value


def _plain(check: Callable[[Any], Any]) -> _Codec:
    return _Codec(_as_it_is, lambda data, protocol: check(data))  # noqa: ARG005 - one signature for all decoders


_CODECS: dict[Any, _Codec] = {
    str: _plain(_text),
    int: _plain(_whole),
    float: _plain(_number),
    bool: _plain(_truth),
    types.NoneType: _plain(_nothing),
    Any: _plain(lambda data: data),
}


def _shown(data: Any) -> str:
    """The value, short enough for one line."""
    plain = data is None or isinstance(data, (str, int, float))
    text = repr(data) if plain else f"a {type(data).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
