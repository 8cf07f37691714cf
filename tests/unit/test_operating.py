"""A process is ready while it can do its work, and says why when it cannot."""

from __future__ import annotations

import httpx
import pytest

from bot.adapters.observability.health import LivenessProbe, LoopLag, operating_app
from tests.support.depths import operating


class Store:
    """A store that can be out of reach."""

    down = False

    async def ping(self):
        if self.down:
            raise ConnectionRefusedError


@pytest.fixture
def store():
    return Store()


async def get(known, path):
    transport = httpx.ASGITransport(app=operating_app(known))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot") as client:
        return await client.get(path)


async def test_a_worker_is_ready_only_once_it_beats(store):
    known = operating(store.ping)
    known.expect("worker", within_s=60)
    assert (await get(known, "/readyz")).json() == {"status": "down", "worker": "no recent beat"}
    known.beat("worker")
    assert (await get(known, "/readyz")).status_code == 200


async def test_a_beat_that_is_too_old_is_none():
    pulse = LivenessProbe(within_s=-1)
    pulse.beat()
    assert not pulse.lives


async def test_a_loop_that_stood_still_for_longer_than_a_lease_is_told(store):
    known = operating(store.ping, most_lag_s=10)
    known.lag.note(3)
    assert (await get(known, "/readyz")).status_code == 200
    known.lag.note(11)
    answer = await get(known, "/readyz")
    assert (answer.status_code, answer.json()["loop"]) == (
        503,
        "stalled for 11.0 s within the last minute",
    )
    assert "pilothouse_loop_lag_seconds 11.0" in (await get(known, "/metrics")).text


async def test_a_short_stall_after_a_long_one_does_not_hide_it():
    lag = LoopLag()
    for seconds in (0.1, 5, 0.2, 1):
        lag.note(seconds)
    assert lag.worst_s == 5


async def test_a_store_out_of_reach_is_a_metric_and_no_failed_scrape(store):
    known = operating(store.ping)
    assert "pilothouse_store_up 1.0" in (await get(known, "/metrics")).text
    store.down = True
    answer = await get(known, "/metrics")
    assert (answer.status_code, "pilothouse_store_up 0.0" in answer.text) == (200, True)
    assert (await get(known, "/readyz")).json() == {"status": "down", "redis": "ConnectionRefusedError"}
    assert (await get(known, "/healthz")).status_code == 200
