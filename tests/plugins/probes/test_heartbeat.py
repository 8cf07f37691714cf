"""The heartbeat probes: a job that reports, one that fails, one that is silent, and one nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.monitoring.heartbeat import Heartbeat, JobState
from bot.engine.plugins import Context
from bot.probes.heartbeat import age, failures
from bot.testing.stores import memory_stores
from tests.support.worlds import START, HandClock

BOTH = (age, failures)


class Away:
    """Heartbeats that cannot be read."""

    async def pulse(self, *, service: str, job: str) -> JobState | None:
        raise ProbeUnavailableError("The heartbeats cannot be read right now.")


async def reported(context, *reports: tuple[int, str], now_s: int, **service: Any) -> Context:
    clock = HandClock(START + timedelta(seconds=now_s))
    stores = memory_stores(clock)
    for at_s, status in reports:
        beat = {"service": "shop", "job": "backup", "at": START + timedelta(seconds=at_s), "status": status}
        text = "" if status == "ok" else "disk full"
        await stores.heartbeats.beat(Heartbeat.model_validate({**beat, "text": text, "duration_s": 4}))
    return context({"name": "shop", **service}, clock=clock, stores=stores)


async def test_a_job_that_reports_is_as_old_as_its_last_report(context):
    ctx = await reported(context, (0, "ok"), (600, "ok"), now_s=660)
    seen = await age(ctx, service="shop", job="backup")
    assert (seen.value, seen.unit) == (60, "s")
    assert seen.data == {"status": "ok", "text": "", "duration_s": 4, "failures": 0, "ok_age_s": 60}
    assert seen.text == "shop: backup last reported 1 min ago"
    assert (await failures(ctx, service="shop", job="backup")).value == 0


async def test_a_job_that_reports_failure_is_told_apart_from_one_that_is_silent(context):
    failing = await reported(context, (0, "ok"), (3600, "fail"), (7200, "fail"), now_s=7210)
    silent = await reported(context, (0, "ok"), now_s=7210)
    seen = await failures(failing, service="shop", job="backup")
    assert (seen.value, seen.data["ok_age_s"]) == (2, 7210)
    assert seen.text == "shop: backup failed 2 times in a row, last 10 s ago: disk full"
    assert (await age(failing, service="shop", job="backup")).value == 10
    assert (await failures(silent, service="shop", job="backup")).value == 0
    assert (await age(silent, service="shop", job="backup")).value == 7210


async def test_a_report_from_a_clock_that_is_ahead_is_not_from_the_future(context):
    ctx = await reported(context, (5, "ok"), now_s=0)
    assert (await age(ctx, service="shop", job="backup")).value == 0


@pytest.mark.parametrize("probe", BOTH)
async def test_a_job_that_never_reported_is_unavailable_and_neither_young_nor_well(context, probe):
    ctx = await reported(context, now_s=0, heartbeats=["backup"])
    with pytest.raises(ProbeUnavailableError, match="has never reported") as failed:
        await probe(ctx, service="shop", job="backup")
    assert "POST /heartbeats/shop/backup" in failed.value.hint
    assert not isinstance(failed.value, ProbeNotConfiguredError)


@pytest.mark.parametrize("probe", BOTH)
async def test_a_job_the_catalogue_does_not_list_is_not_configured(context, probe):
    ctx = await reported(context, (0, "ok"), now_s=0, heartbeats=["backup"])
    with pytest.raises(ProbeNotConfiguredError, match="did you mean `backup`"):
        await probe(ctx, service="shop", job="bakup")


@pytest.mark.parametrize("probe", BOTH)
async def test_heartbeats_that_cannot_be_read_are_unavailable(context, probe):
    ctx = context({"name": "shop"}, stores=replace(memory_stores(), heartbeats=Away()))
    with pytest.raises(ProbeUnavailableError, match="cannot be read"):
        await probe(ctx, service="shop", job="backup")
