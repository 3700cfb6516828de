# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look that is shared is as fresh as one of one's own."""

from __future__ import annotations

import threading
import time

import pytest

from holdfast.windows.shared import SharedLook, asked_at


def test_everyone_gets_a_look_that_began_after_he_asked_and_many_share_one() -> None:
    begun: list[float] = []

    def look() -> float:
        begun.append(time.monotonic())
        time.sleep(0.02)
        return begun[-1]

    shared, ages = SharedLook(look), []

    def ask() -> None:
        for _round in range(10):
            asked_s = time.monotonic()
            ages.append(shared.take() - asked_s)

    threads = [threading.Thread(target=ask) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ages) == 200
    assert min(ages) >= 0, "somebody got a look from before he asked"
    assert len(begun) < 60, "they did not share"


def test_one_who_asks_alone_looks_at_once() -> None:
    looks = iter(range(10))
    shared = SharedLook(lambda: next(looks))
    assert [shared.take() for _round in range(3)] == [0, 1, 2]


def test_a_look_that_fails_is_told_to_who_looked_and_the_next_one_looks() -> None:
    began, go_on = threading.Event(), threading.Event()
    outcomes: list[str] = []

    def look() -> str:
        if not outcomes and not began.is_set():
            began.set()
            assert go_on.wait(10)
            raise OSError("no network")
        return "seen"

    shared = SharedLook(look)

    def ask() -> None:
        try:
            outcomes.append(shared.take())
        except OSError as error:
            outcomes.append(str(error))

    first = threading.Thread(target=ask)
    first.start()
    assert began.wait(10)
    second = threading.Thread(target=ask)
    second.start()
    time.sleep(0.05)
    go_on.set()
    first.join(10)
    second.join(10)
    assert sorted(outcomes) == ["no network", "seen"]


def test_an_error_is_raised_where_it_is_asked_for() -> None:
    def look() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        SharedLook(look).take()


def test_what_was_asked_for_at_the_same_moment_is_one_look_however_late_it_is_carried_out() -> None:
    looks = iter(range(100))
    shared = SharedLook(lambda: next(looks))
    with asked_at(time.monotonic()):
        assert [shared.take() for _step in range(50)] == [0] * 50
    assert shared.take() == 1


def test_a_look_from_before_it_was_asked_for_is_of_no_use() -> None:
    looks = iter(range(10))
    shared = SharedLook(lambda: next(looks))
    shared.take()
    with asked_at(time.monotonic()):
        assert shared.take() == 1
