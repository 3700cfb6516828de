# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A site that dies, is stopped, hangs or cannot be started is served again, here or on the other node."""

from __future__ import annotations

import pytest

from holdfast_lab.scene import Scene
from holdfast_lab.trials.proof import prove

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("name", ["site crashed", "site stopped", "site hung", "web server killed", "start failing"])
def test_a_site_that_fails_is_served_again(guarded: Scene, name: str) -> None:
    prove(guarded, name)
