# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The models in docs/model, checked with spin: what takes about a minute. `make model` runs the rest."""

from __future__ import annotations

import pytest

from spin import CASES, Case, check, good

SMOKE = [case for case in CASES if case.smoke]


@pytest.mark.timeout(240)  # compiled and searched on a busy machine
@pytest.mark.parametrize("case", SMOKE, ids=lambda case: f"{case.model} {case.name}")
def test_spin_comes_to_what_it_has_to(case: Case) -> None:
    """No two nodes ever serve; and with a mistake planted they do."""
    outcome = check(case)
    assert good(case, outcome), outcome


def test_every_model_has_a_clean_case_and_planted_mistakes_among_them() -> None:
    for model in {case.model for case in CASES}:
        assert {case.mistake for case in SMOKE if case.model == model} == {True, False}
