# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the load client's requests come to."""

from __future__ import annotations

import pytest

from holdfast_lab.client.samples import Sample, Spell, from_lines, missing_s, summarise, to_line


def good(start_s: float, node: str = "n1", *, took_s: float = 0.001) -> Sample:
    number = round(start_s * 1000)
    return Sample(number=number, start_s=start_s, end_s=start_s + took_s, status=200, node=node, error=None)


def bad(start_s: float, error: str = "timeout") -> Sample:
    number = round(start_s * 1000)
    return Sample(number=number, start_s=start_s, end_s=start_s + 1, status=None, node=None, error=error)


def test_without_a_failure_there_is_no_outage() -> None:
    summary = summarise([good(k / 100) for k in range(50)], every_s=0.01)
    assert (summary.requests, summary.failures, summary.longest_outage_ms) == (50, 0, 0.0)
    assert summary.outage_start_s is None


def test_a_late_schedule_without_a_failure_is_no_outage() -> None:
    """A pause of the client itself must not be blamed on the site."""
    assert summarise([good(0.0), good(0.5), good(0.51)], every_s=0.01).longest_outage_ms == 0.0


def test_the_outage_is_the_longest_gap_between_good_starts_beyond_the_interval() -> None:
    samples = [good(0.00), good(0.01), bad(0.02), bad(0.03), bad(0.04), good(0.05), bad(0.06), good(0.07)]
    summary = summarise(samples, every_s=0.01)
    assert summary.longest_outage_ms == pytest.approx(30.0)
    assert summary.outage_start_s == 0.01
    assert summary.failures == 4


def test_an_outage_at_the_end_or_from_the_beginning_counts() -> None:
    assert summarise([good(0.0), bad(0.01), bad(0.02), bad(0.03)], every_s=0.01).longest_outage_ms == pytest.approx(20)
    assert summarise([bad(0.0), bad(0.01), bad(0.02), good(0.03)], every_s=0.01).longest_outage_ms == pytest.approx(20)


def test_when_nothing_succeeds_the_whole_time_is_the_outage() -> None:
    summary = summarise([bad(k / 100) for k in range(11)], every_s=0.01)
    assert summary.longest_outage_ms == pytest.approx(90.0)
    assert summary.spells == ()


def test_an_answer_of_the_server_that_is_an_error_is_a_failure() -> None:
    refused = Sample(number=1, start_s=0.01, end_s=0.02, status=503, node="n1", error=None)
    summary = summarise([good(0.0), refused, bad(0.02, "ConnectionResetError"), good(0.03)], every_s=0.01)
    assert summary.errors == {"HTTP 503": 1, "ConnectionResetError": 1}


def test_samples_count_by_their_start_whatever_the_order_of_their_ends() -> None:
    late = good(0.01, took_s=0.5)
    assert summarise([good(0.02), bad(0.03), good(0.00), late, good(0.04)], every_s=0.01).longest_outage_ms == (
        pytest.approx(10.0)
    )


def test_a_request_that_succeeds_late_shows_as_slow_and_not_as_an_outage() -> None:
    summary = summarise([good(0.0), good(0.01, took_s=0.9), good(0.02)], every_s=0.01)
    assert summary.longest_outage_ms == 0.0
    assert summary.slowest_ms == pytest.approx(900.0)


def test_all_times_without_service_count_each_from_good_to_good() -> None:
    samples = [good(0.00), bad(0.01), bad(0.02), good(0.03), good(0.04), bad(0.05), good(0.06)]
    assert missing_s(samples, every_s=0.01) == pytest.approx(0.02 + 0.01)


def test_a_pause_of_the_client_counts_only_where_a_request_failed_in_it() -> None:
    assert missing_s([good(0.0), good(0.5), good(0.51)], every_s=0.01) == 0.0
    assert missing_s([good(0.0), bad(0.3), good(0.5)], every_s=0.01) == pytest.approx(0.49)


def test_service_that_never_comes_back_is_missing_until_the_last_request() -> None:
    assert missing_s([good(0.0), bad(0.01), bad(0.8)], every_s=0.01) == pytest.approx(0.8)
    assert missing_s([bad(0.0), bad(0.5)], every_s=0.01) == pytest.approx(0.5)


def test_spells_say_who_answered_when() -> None:
    samples = [good(0.0, "n1"), good(0.01, "n1"), bad(0.02), good(0.03, "n2"), good(0.04, "n1")]
    assert summarise(samples, every_s=0.01).spells == (
        Spell(node="n1", start_s=0.0, end_s=0.01, requests=2),
        Spell(node="n2", start_s=0.03, end_s=0.03, requests=1),
        Spell(node="n1", start_s=0.04, end_s=0.04, requests=1),
    )


def test_nothing_asked_is_nothing_seen() -> None:
    summary = summarise([], every_s=0.01)
    assert (summary.requests, summary.failures, summary.longest_outage_ms) == (0, 0, 0.0)


def test_an_unfinished_last_line_is_left_out() -> None:
    lines = [to_line(good(0.0)), to_line(good(0.01))[:20]]
    assert from_lines(lines) == [good(0.0)]
