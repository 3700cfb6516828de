# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading what people wrote, field by field, and collecting every problem instead of stopping at the first.

A field that breaks a rule is reported once and read as a neutral value ("", {}, 0), so that the rest of the
element can still be judged. A value with such a field never leaves ``settings`` or ``rules``.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..values.problems import Problem, Rule, found
from .rulebook import MISSING_KEY, UNKNOWN_KEY, WRONG_TYPE

T_co = TypeVar("T_co", covariant=True)
_SHOWN_LENGTH_MAX = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Located(Generic[T_co]):
    """A value and the place where somebody wrote it; ``sound`` is false when a field of it broke a rule."""

    path: str
    value: T_co
    sound: bool = True


class Reader:
    """One mapping being read; problems of its fields go to the shared list."""

    def __init__(self, data: Mapping[Any, object], *, path: str, known: Sequence[str], problems: list[Problem]) -> None:
        self._data = data
        self._path = path
        self._problems = problems
        self._before = len(problems)
        for key in data:
            if key not in known:
                self.report(UNKNOWN_KEY, str(key), key, f"the key {shown(key)} is not known here.", meant(key, known))

    @property
    def sound(self) -> bool:
        """No problem has been reported since this mapping was begun."""
        return len(self._problems) == self._before

    def at(self, key: str) -> str:
        """The path of the key."""
        return f"{self._path}.{key}" if self._path else key

    def within(self, key: str, data: Mapping[Any, object], known: Sequence[str]) -> Reader:
        """A reader of the mapping that stands at the key; its problems are problems of this one too."""
        return Reader(data, path=self.at(key), known=known, problems=self._problems)

    def beside(self, data: Mapping[str, object]) -> Reader:
        """A reader of these keys, as if they stood in this mapping."""
        return Reader(data, path=self._path, known=tuple(data), problems=self._problems)

    def report(self, rule: Rule, key: str, value: object, message: str, cure: str) -> None:
        """The problem of this key is in the list."""
        self._problems.append(found(rule, path=self.at(key), value=value, message=message, cure=cure))

    def raw(self, key: str) -> object:
        """What stands there, or None."""
        return self._data.get(key)

    def has(self, key: str) -> bool:
        """The key is written and not empty (YAML's ``key:`` without a value counts as absent)."""
        return self._data.get(key) is not None

    def text(self, key: str, *, default: str | None = None, missing: Rule = MISSING_KEY, cure: str = "") -> str:
        """The text, which has no blanks around it; "" after a problem. Required when ``default`` is None."""
        value = self._data.get(key)
        if value is None or value == "":
            if default is None:
                self.report(missing, key, value, f"{key} is missing.", cure or f"Write {key} with a text.")
                return ""
            return default
        if not isinstance(value, str):
            self.report(
                WRONG_TYPE,
                key,
                value,
                f"{key} is {shown(value)}, not a text.",
                f'Write it in quotes: {key}: "{value}".',
            )
            return ""
        if value != value.strip():
            cure = f"Write {shown(value.strip())}."
            self.report(WRONG_TYPE, key, value, f"{key} {shown(value)} has blanks around it.", cure)
            return ""
        return value

    def matching(self, key: str, value: str, *, pattern: re.Pattern[str], rule: Rule, cure: str) -> str:
        """The text when the whole of it matches; "" after a problem."""
        if value and not pattern.fullmatch(value):
            self.report(rule, key, value, f"{key} {shown(value)} is not allowed: {lowered(rule.text)}", cure)
            return ""
        return value

    def integer(self, key: str, *, low: int, high: int, rule: Rule, default: int | None = None) -> int:
        """The whole number within the bounds; 0 after a problem."""
        value = self._data.get(key)
        if value is None:
            if default is None:
                cure = f"Write {key} with a whole number from {low} to {high}."
                self.report(MISSING_KEY, key, value, f"{key} is missing.", cure)
            return default or 0
        if isinstance(value, bool) or not isinstance(value, int):
            digits = isinstance(value, str) and value.strip().isdigit()
            cure = f"Write {value} without quotes." if digits else f"Write a whole number from {low} to {high}."
            self.report(rule, key, value, f"{key} is {shown(value)}, not a whole number.", cure)
            return 0
        if not low <= value <= high:
            cure = f"Write a number from {low} to {high}."
            self.report(rule, key, value, f"{key} is {value}, outside {low} to {high}.", cure)
            return 0
        return int(value)

    def seconds(
        self, key: str, *, high: float, rule: Rule, low: float = 0.0, default: float = 0.0, zero: str = ""
    ) -> float:
        """The number of seconds from ``low`` to ``high``; the default when absent or after a problem.

        ``zero`` says what 0 does, where 0 is allowed whatever ``low`` is.
        """
        value = self._data.get(key)
        if value is None:
            return default
        number = float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
        if number is not None and (low <= number <= high or (zero and number == 0)):
            return number
        span = f"from {low:g} to {high:g}"
        message = f"{key} is {shown(value)}, not a number of seconds {span}."
        self.report(rule, key, value, message, f"Write a number {span}" + (f"; 0 {zero}." if zero else "."))
        return default

    def boolean(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._data.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.report(WRONG_TYPE, key, value, f"{key} is {shown(value)}.", "Write true or false without quotes.")
            return default
        return bool(value)

    def choice(self, key: str, *, options: Sequence[str], rule: Rule, default: str) -> str:
        """One of the options; the default when absent or after a problem."""
        value = self._data.get(key)
        if value is None:
            return default
        if value not in options:
            message = f"{key} {shown(value)} is not known."
            self.report(rule, key, value, message, meant(value, options))
            return default
        return str(value)

    def mapping(self, key: str, *, cure: str) -> dict[str, object]:
        """The mapping with text keys; {} after a problem."""
        value = self._data.get(key)
        if value is None:
            self.report(MISSING_KEY, key, value, f"{key} is missing.", cure)
            return {}
        if not isinstance(value, Mapping):
            self.report(WRONG_TYPE, key, value, f"{key} is {shown(value)}, not a mapping.", cure)
            return {}
        return {str(k): v for k, v in value.items()}

    def sequence(self, key: str, *, cure: str) -> list[object]:
        """The list; [] when absent or after a problem."""
        value = self._data.get(key)
        if value is None:
            return []
        if not isinstance(value, (list, tuple)):
            self.report(WRONG_TYPE, key, value, f"{key} is {shown(value)}, not a list.", cure)
            return []
        return list(value)


def each(
    data: object,
    path: str,
    problems: list[Problem],
    read: Callable[[Mapping[object, object], str, list[Problem]], Located[T_co]],
) -> list[Located[T_co]]:
    """Every element of the list that is a mapping, read; what is no list or no mapping is reported."""
    if data is None:
        return []
    if not isinstance(data, (list, tuple)):
        message = f"this is {shown(data)}, not a list."
        problems.append(found(WRONG_TYPE, path=path, value=data, message=message, cure="Begin each element with '- '."))
        return []
    drafts = []
    for index, element in enumerate(data):
        place = f"{path}[{index}]"
        if isinstance(element, Mapping):
            drafts.append(read(element, place, problems))
        else:
            message = f"the element is {shown(element)}, not a mapping."
            cure = "Write its keys and values, one per line."
            problems.append(found(WRONG_TYPE, path=place, value=element, message=message, cure=cure))
    return drafts


def sound_values(drafts: Iterable[Located[T_co]]) -> tuple[T_co, ...]:
    """The values without a problem."""
    return tuple(draft.value for draft in drafts if draft.sound)


def shown(value: object) -> str:
    """The value as a person would quote it, shortened."""
    if isinstance(value, str):
        text = f"'{value}'"
    elif isinstance(value, (Mapping, list, tuple)):
        text = "a mapping" if isinstance(value, Mapping) else "a list"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = "empty" if value is None else str(value)
    return text if len(text) <= _SHOWN_LENGTH_MAX else text[: _SHOWN_LENGTH_MAX - 3] + "..."


def meant(value: object, options: Sequence[str]) -> str:
    """The cure for a wrong word: the nearest option when one is near, and all of them."""
    near = difflib.get_close_matches(str(value).lower(), options, n=1, cutoff=0.6)
    choices = "Known here: " + ", ".join(options) + "."
    return f"Did you mean {near[0]}? {choices}" if near else choices


def lowered(sentence: str) -> str:
    """The sentence as the second half of another one."""
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() or sentence[1:2] == " " else sentence
