"""What HAProxy counts is what a release is judged and watched by, on a used HAProxy too."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.actions import deploy as actions
from bot.canary.judge import judge_case
from bot.domain.catalogue import Catalogue, Service
from bot.domain.rollouts.canary import CanaryReading, MetricReading, case_of
from bot.domain.rollouts.judging import CountMetric, JudgePolicy
from bot.probes import deploy as probes
from tests.plugins.targets.haproxy_steps import observed, promoted, shifted, staged
from tests.support.waiting import until

pytestmark = pytest.mark.server


async def test_counters_tell_errors_of_the_candidate_from_those_of_stable(floor):
    await staged(floor, "1.5-bad")
    await shifted(floor, 20, version="1.5-bad")
    before = (await probes.counts(floor.ctx(), service="shop")).data
    await floor.served(100)
    after = (await probes.counts(floor.ctx(), service="shop")).data
    assert after["weight"] == pytest.approx(0.2)
    for side, requests, errors in (("canary", 20, 20), ("stable", 80, 0)):
        assert after[side]["requests"] - before[side]["requests"] == requests
        assert after[side]["errors"] - before[side]["errors"] == errors
    assert after["at_s"] > before["at_s"]


async def test_a_request_that_was_tried_again_elsewhere_counts_once(floor):
    await staged(floor)
    await shifted(floor, 50)
    before = (await probes.counts(floor.ctx(), service="shop")).data
    await floor.say("disable health shop/canary")
    floor.launcher.running["canary"][1].kill()
    await floor.launcher.running["canary"][1].wait()
    assert (await floor.served(40))["1.4.1"] == 40
    after = (await probes.counts(floor.ctx(), service="shop")).data
    assert sum(after[side]["requests"] - before[side]["requests"] for side in ("canary", "stable")) == 40


async def test_an_untouched_service_has_no_counts_of_a_candidate(floor):
    data = (await probes.counts(floor.ctx(), service="shop")).data
    assert data["canary"] == {"requests": 0, "errors": 0, "latency_ms": None}
    assert data["weight"] == 0


async def _judged(floor, *, asked, version, percent=20):
    """Give ``version`` a share, look, ask, look again; return the verdict on the errors."""
    await staged(floor, version)
    await shifted(floor, percent, version=version)
    rule = CountMetric(name="errors", critical=True, harmless_share=0.05)
    readings = []
    for at_s in (0.0, 60.0):
        data = (await probes.counts(floor.ctx(), service="shop")).data
        readings.append(CanaryReading(at_s=at_s, seen={"errors": MetricReading(data=data)}))
        if not at_s:
            await floor.served(asked)
    verdict = judge_case(case_of([rule], readings, policy=JudgePolicy()))
    await actions.rollback(floor.ctx(), service="shop")
    return verdict


async def test_a_good_release_after_a_bad_one_in_the_same_slot_is_not_charged_with_its_errors(floor):
    bad = await _judged(floor, asked=100, version="1.5-bad")
    assert bad.decision == "stop"
    good = await _judged(floor, asked=1000, version="1.4.2")
    assert (good.decision, good.metrics[0].value) == ("proceed", 0)
    assert good.metrics[0].effective_canary == 200


async def test_a_bad_release_after_a_good_one_in_the_same_slot_is_not_diluted(floor):
    good = await _judged(floor, asked=1000, version="1.4.2")
    assert good.decision == "proceed"
    bad = await _judged(floor, asked=50, version="1.5-bad")
    assert (bad.decision, bad.metrics[0].value) == ("stop", 1)
    assert bad.metrics[0].effective_canary == 10


async def test_a_forecast_speaks_of_the_errors_of_now_and_not_of_those_since_haproxy_started(floor):
    await floor.launcher.start("blue", "1.5-bad")
    await floor.served(50)
    await floor.launcher.start("blue", "1.4.1")

    async def serves():
        return set(await floor.served(5)) == {"1.4.1"}

    await until(serves, what="1.4.1 serves again")
    counted = (await probes.counts(floor.ctx(), service="shop")).data["stable"]
    assert counted["errors"] >= 50
    foretold = asyncio.create_task(
        probes.forecast(floor.ctx(), service="shop", percent=10, within_s=600, sample_s=1)
    )
    while not foretold.done():
        await floor.served(5)
    found = await foretold
    assert "There are no errors in the last" in found.data["text"]
    assert "so errors are held against 0.5 % of the requests" in found.data["text"]


async def _switched(floor, version, *, asked):
    """Switch to ``version`` as a blue-green deployment does, and be asked; return what a watch sees."""
    began = (await observed(floor))["counts"]
    await floor.served(50)
    await staged(floor, version)
    until_ = (await observed(floor))["counts"]
    await promoted(floor, version)
    since = (await observed(floor))["counts"]
    await floor.served(asked)
    return await probes.errors(floor.ctx(), service="shop", began=began, until=until_, since=since)


async def test_a_watch_sees_the_errors_since_a_switch_and_not_those_of_before(floor):
    bad = await _switched(floor, "1.5-bad", asked=40)
    assert bad.data["well"] is False
    assert "40 of 40" in bad.summary
    await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
    good = await _switched(floor, "1.4.2", asked=40)
    assert (good.data["well"], good.data["watch"]["known"]) == (True, True)
    assert "errors since the switch: 0 of 40 (0 %)" in good.summary


async def test_a_watch_of_a_target_without_counters_says_that_errors_are_not_watched(floor):
    ctx = floor.ctx()
    shop = Service(name="shop", target={"command": {"version": "echo 1.4.1"}})
    found = await probes.errors(replace(ctx, catalogue=Catalogue(services=(shop,))), service="shop")
    assert (found.data["well"], found.data["watch"]["known"]) == (True, False)
    assert found.summary == "errors are not watched here: a `command` target counts no requests"
