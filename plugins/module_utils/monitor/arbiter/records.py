# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Records of a store as JSON text and back."""

from __future__ import annotations

import json
from typing import Any, cast

from ..core.values.records import Record
from ..core.wire import codec
from .stored import StoreError


def as_data(record: Record) -> Any:
    """The record as plain data; fields that have their default are left out."""
    return codec.encode(record, Record, terse=True)


def as_record(key: str, data: Any) -> Record:
    """The record in the plain data.

    Raises:
        StoreError: it is no record of this version.
    """
    try:
        return cast(Record, codec.decode(cast(Any, Record), data))
    except codec.CodecError as error:
        raise StoreError(
            f"the record {key} is not one that this version writes: {error}. Upgrade this node, or remove what "
            "another program has put there"
        ) from None


def as_text(record: Record) -> str:
    """The record as JSON."""
    return json.dumps(as_data(record), separators=(",", ":"), sort_keys=True)


def from_text(key: str, text: str | bytes) -> Record:
    """The record in the JSON text.

    Raises:
        StoreError: it is no record of this version.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise StoreError(f"the record {key} is not JSON: {error}. Another program has written there") from None
    return as_record(key, data)
