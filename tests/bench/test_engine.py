"""The benchmark of the engine measures what it says, and says what it could not."""

from __future__ import annotations

import pytest

from bench.engine import measure, ratios
from bench.engines.contender import Contender
from bench.engines.floor import Floor
from bench.engines.pilothouse import Pilothouse
from bench.footprint import footprint

pytestmark = pytest.mark.server


class Absent(Floor):
    """A peer whose package is not installed."""

    name = "absent"
    package = "no_such_package_anywhere"


async def test_each_contender_is_measured_and_a_missing_one_is_named():
    contenders: tuple[Contender, ...] = (Pilothouse(), Floor(), Absent())
    found = await measure(contenders, rounds=1, alone=3, together=3)
    assert found["absent"] == {"missing": "no_such_package_anywhere"}
    for name in ("pilothouse", "floor"):
        assert found[name]["per_s"] > 0
        assert found[name]["rss_mb"] > 1
        assert 0 < found[name]["p50_ms"] <= found[name]["p99_ms"]
    assert set(ratios(found)) == {"ours_to_floor"}


async def test_a_run_that_waits_keeps_more_than_one_that_was_packed():
    found = await footprint(runs=12)  # a stream grows by pages of 4 KB, which a few runs cannot even out
    assert 0 < found["finished_and_packed"] < found["finished"] < found["parked"]
    assert found["parked"] < found["parked_shipped_triage"]
