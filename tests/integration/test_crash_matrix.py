"""A sample of the crash matrix: real processes die, freeze and lose their surroundings, and nobody notices."""

from __future__ import annotations

import pytest

from bench.crash import measure

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


async def test_a_run_survives_whatever_happens_to_the_processes_that_carry_it():
    modes = ("kill", "zombie", "redis", "clock", "slack", "doubled", "lost")
    result = await measure(modes=modes, sample=24, runs=3, tracks=2, lease_s=0.8, seed=7)
    assert result["held"], [wrong for told in result["modes"].values() for wrong in told["wrong"]]
    assert result["points"] > 100
    assert all(result["modes"][mode]["reached"] >= 3 for mode in ("kill", "zombie"))
    assert result["runs"] >= 2 * 7 + 5 * 3
