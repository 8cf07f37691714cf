"""The load on `web` loses nothing, doubles nothing, and repeats deliveries as asked."""

from __future__ import annotations

import pytest

from bench.deliveries import deliveries
from bench.load import measure

pytestmark = [pytest.mark.server, pytest.mark.timeout(400)]


def test_a_redelivery_has_the_key_of_its_first_and_comes_later():
    planned = list(deliveries("x", rate=100, seconds=1, redelivered=1, services=3))
    assert len(planned) == 200
    assert len({one.key for one in planned}) == 100
    assert planned == sorted(planned)


async def test_every_command_becomes_one_run_however_often_it_is_delivered():
    result = await measure(rate=20, seconds=1.0, redelivered=0.5, levels=(2,))
    flood = result["flood"]
    assert flood["commands"] == 20 < flood["deliveries"]
    assert (flood["lost"], flood["doubled"], flood["refused"], flood["unfinished"]) == (0, 0, 0, 0)
    (row,) = result["by_runs_in_flight"]
    assert (row["parked"], row["lost"]) == (2, 0)
