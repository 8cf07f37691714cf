"""Heartbeats are kept alike by the memory twin and by a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.heartbeats import RedisHeartbeats
from bot.domain.errors import ProbeUnavailableError
from bot.domain.monitoring.heartbeat import Heartbeat, JobState
from bot.ports.heartbeats import Heartbeats
from bot.testing.records import MemoryHeartbeats
from tests.support.valkeys import fresh_store
from tests.support.worlds import START


def beat(status: str = "ok", *, minutes: int = 0, job: str = "backup", **more: object) -> Heartbeat:
    at = START + timedelta(minutes=minutes)
    return Heartbeat.model_validate({"service": "checkout", "job": job, "at": at, "status": status, **more})


@pytest.fixture(params=["memory", "redis"])
async def heartbeats(request: pytest.FixtureRequest) -> AsyncIterator[Heartbeats]:
    if request.param == "memory":
        yield MemoryHeartbeats()
        return
    async with fresh_store() as store:
        yield RedisHeartbeats(store)


async def test_a_job_that_never_reported_is_not_known(heartbeats):
    await heartbeats.beat(beat())
    assert await heartbeats.pulse(service="checkout", job="report") is None
    assert await heartbeats.pulse(service="payments", job="backup") is None


async def test_a_report_is_kept_whole_until_the_next(heartbeats):
    await heartbeats.beat(beat(text="3 GB", duration_s=12.5))
    assert await heartbeats.pulse(service="checkout", job="backup") == JobState(
        last=beat(text="3 GB", duration_s=12.5), ok_at=START
    )


async def test_failures_are_counted_until_the_job_goes_well_again(heartbeats):
    for minutes, status in enumerate(("fail", "ok", "fail", "fail")):
        await heartbeats.beat(beat(status, minutes=minutes))
    last = beat("fail", minutes=3)
    known = await heartbeats.pulse(service="checkout", job="backup")
    assert known == JobState(last=last, ok_at=START + timedelta(minutes=1), failures=2)
    await heartbeats.beat(beat(minutes=4))
    assert (await heartbeats.pulse(service="checkout", job="backup")).failures == 0


async def test_a_job_that_only_ever_failed_never_went_well(heartbeats):
    await heartbeats.beat(beat("fail"))
    known = await heartbeats.pulse(service="checkout", job="backup")
    assert (known.ok_at, known.failures) == (None, 1)


async def test_reports_at_the_same_moment_are_all_counted(heartbeats):
    await asyncio.gather(*(heartbeats.beat(beat("fail")) for _ in range(20)))
    assert (await heartbeats.pulse(service="checkout", job="backup")).failures == 20


async def test_a_store_out_of_reach_says_nothing_about_the_job(tmp_path):
    store = connect(f"unix://{tmp_path}/nobody.sock")
    with pytest.raises(ProbeUnavailableError, match="cannot be read"):
        await RedisHeartbeats(store).pulse(service="checkout", job="backup")
    await store.client.aclose()
