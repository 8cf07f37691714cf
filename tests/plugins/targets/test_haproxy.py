"""A release is staged, shifted, promoted and taken back on a real HAProxy without losing a request."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from pydantic import ValidationError

from bot.actions import deploy as actions
from bot.canary.judge import judge_case
from bot.domain.catalogue import Catalogue, Service
from bot.domain.errors import ActionFailedError, ActionInDoubtError, ProbeUnavailableError, StaleEpochError
from bot.domain.rollouts.canary import CanaryReading, MetricReading, case_of
from bot.domain.rollouts.judging import CountMetric, JudgePolicy
from bot.engine.plugins import scan
from bot.probes import deploy as probes
from tests.support.waiting import until

pytestmark = pytest.mark.server


async def _staged(floor, version="1.4.2"):
    return await actions.stage(floor.ctx(), service="shop", version=version)


async def _shifted(floor, percent, *, version="1.4.2", **more):
    return await actions.shift(floor.ctx(), service="shop", version=version, percent=percent, **more)


async def _promoted(floor, version="1.4.2", **more):
    done = await actions.promote(floor.ctx(), service="shop", version=version, **more)
    if done.change is not None:
        await floor.ledger.record(done.change)
    return done


async def _observed(floor, **more):
    return (await probes.observe(floor.ctx(**more), service="shop")).data


async def _unhealthy(floor, role):
    """Wait until HAProxy has noticed that nobody of this role answers."""

    async def noticed():
        rows = (await _observed(floor))["instances"]
        return not any(row["healthy"] for row in rows if row["role"] == role)

    await until(noticed, what=f"no healthy {role} server")


async def _goes_on(seen):
    """Wait until the clients have asked many times more."""
    asked = seen.total()
    await until(lambda: seen.total() >= asked + 50, what="fifty more requests")


def _broken(seen):
    return {text: count for text, count in seen.items() if text.startswith("broken")}


async def test_a_staged_candidate_is_up_and_gets_nothing(floor):
    done = await _staged(floor)
    assert done.before == {"stable": "1.4.1", "candidate": None}
    assert await floor.served() == {"1.4.1": 100}

    async def healthy():
        seen = await _observed(floor)
        return seen if seen["candidate"]["healthy"] else None

    seen = await until(healthy, what="a healthy candidate")  # one health check may be late on a busy machine
    assert (seen["candidate"]["version"], seen["candidate"]["weight_percent"]) == ("1.4.2", 0)
    assert seen["can"] == {"shift": True, "routes": True, "instant_back": True, "lease": False}


@pytest.mark.parametrize("percent", [5, 50, 75, 100])
async def test_the_candidate_gets_the_share_that_was_asked_for(floor, percent):
    await _staged(floor)
    done = await _shifted(floor, percent)
    assert await floor.served() == {
        version: share for version, share in (("1.4.2", percent), ("1.4.1", 100 - percent)) if share
    }
    assert done.before["percent"] == 0
    assert (await _observed(floor))["candidate"]["weight_percent"] == percent


@pytest.mark.parametrize("percent", [101, 256, -1])
def test_no_more_than_all_can_be_asked_for(percent):
    plugin = scan("bot.actions", third_parties=False).get("deploy.shift")
    with pytest.raises(ValidationError):
        plugin.check({"service": "shop", "version": "1", "percent": percent})


async def test_what_stood_before_a_shift_can_be_put_back(floor):
    await _staged(floor)
    await _shifted(floor, 10)
    done = await _shifted(floor, 40)
    await _shifted(floor, done.before["percent"])
    assert await floor.weights() == {"blue": 90, "canary": 10}


async def test_traffic_is_refused_to_a_candidate_of_another_version(floor):
    await _staged(floor)
    with pytest.raises(ActionFailedError) as caught:
        await _shifted(floor, 5, version="1.4.3")
    assert caught.value.code == "wrong_candidate"
    assert await floor.served(20) == {"1.4.1": 20}


async def test_a_candidate_with_traffic_is_not_replaced_by_another(floor):
    await _staged(floor)
    await _shifted(floor, 5)
    with pytest.raises(ActionFailedError) as caught:
        await _staged(floor, "1.4.3")
    assert caught.value.code == "candidate_busy"


async def test_a_candidate_that_died_gets_nothing_and_the_shift_says_so(floor):
    await _staged(floor)
    floor.launcher.running["canary"][1].kill()
    await _unhealthy(floor, "candidate")
    with pytest.raises(ActionInDoubtError) as caught:
        await actions.shift(floor.ctx(timeout_s=1), service="shop", version="1.4.2", percent=5)
    assert caught.value.code == "not_in_time"
    assert await floor.served(20) == {"1.4.1": 20}


async def test_a_tenant_is_routed_to_the_candidate_and_back_at_a_rollback(floor):
    await _staged(floor)
    done = await _shifted(floor, 0, routes=["acme"])
    assert await floor.served(10, tenant="acme") == {"1.4.2": 10}
    assert await floor.served(10, tenant="other") == {"1.4.1": 10}
    assert done.after == {"percent": 0, "routes": ["acme"]}
    await actions.rollback(floor.ctx(), service="shop")
    assert await floor.served(10, tenant="acme") == {"1.4.1": 10}


async def test_a_rollback_loses_no_request_and_stops_the_candidate(floor):
    await _staged(floor)
    async with floor.load() as seen:
        for percent in (5, 25, 60):
            await _shifted(floor, percent)
            await _goes_on(seen)
        done = await actions.rollback(floor.ctx(), service="shop")
        assert await floor.served(50) == {"1.4.1": 50}
    assert _broken(seen) == {}
    assert seen["1.4.2"]
    assert (done.before["percent"], done.change.kind) == (60, "rollback")
    assert "canary" not in floor.launcher.running


async def test_a_rollback_lets_in_what_an_interrupted_replacement_left_out(floor):
    await _staged(floor)
    await _shifted(floor, 50)
    await floor.say("set server shop/blue state drain")
    await actions.rollback(floor.ctx(), service="shop")
    assert await floor.served(20) == {"1.4.1": 20}


async def test_a_rollback_to_nobody_is_refused(floor):
    await _staged(floor)
    await _shifted(floor, 50)
    await floor.launcher.stop("blue")
    await _unhealthy(floor, "stable")
    with pytest.raises(ActionFailedError) as caught:
        await actions.rollback(floor.ctx(), service="shop")
    assert caught.value.code == "no_healthy_server"
    assert await floor.served(20) == {"1.4.2": 20}


async def test_a_promotion_loses_no_request_and_survives_a_restart_of_haproxy(floor):
    await _staged(floor)
    async with floor.load() as seen:
        await _shifted(floor, 50)
        done = await _promoted(floor)
        await _goes_on(seen)
    assert _broken(seen) == {}
    assert done.before == {"version": "1.4.1"}
    assert await floor.served(50) == {"1.4.2": 50}
    await floor.up()
    assert await floor.served(50) == {"1.4.2": 50}
    assert (await _observed(floor))["warnings"] == []


async def test_the_version_before_is_kept_warm_until_it_is_retired(floor):
    await _staged(floor)
    await _promoted(floor)
    assert (await _observed(floor))["candidate"]["version"] == "1.4.1"
    await actions.retire(floor.ctx(), service="shop", version="1.4.1")
    assert (await _observed(floor))["candidate"] is None


async def test_a_promoted_version_is_taken_back_by_way_of_the_warm_one_without_losing_a_request(floor):
    await _staged(floor)
    await _promoted(floor)
    way = await probes.rollback_path(floor.ctx(), service="shop", version="1.4.2")
    assert way.data["rollback"]["verdict"] == "safe"
    assert "kept warm" in way.data["rollback"]["because"]
    async with floor.load() as seen:
        await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
        assert await floor.served(50) == {"1.4.1": 50}
    assert _broken(seen) == {}
    await floor.up()
    assert await floor.served(50) == {"1.4.1": 50}


async def test_the_undo_of_a_rollback_starts_the_candidate_again_with_the_share_it_had(floor):
    await _staged(floor)
    await _shifted(floor, 100)
    back = await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1", version="1.4.2")
    assert floor.launcher.running.keys() == {"blue"}, "the candidate is retired with the rollback"
    assert (back.change.before, back.change.after) == ("1.4.2", "1.4.1")
    await actions.reapply(floor.ctx(), service="shop", version="1.4.2", before=back.before)
    assert await floor.served(50) == {"1.4.2": 50}


async def test_the_undo_of_a_rollback_after_a_promotion_promotes_again(floor):
    await _staged(floor)
    await _promoted(floor)
    back = await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1", version="1.4.2")
    await actions.reapply(floor.ctx(), service="shop", version="1.4.2", before=back.before)
    assert await floor.served(50) == {"1.4.2": 50}
    assert (await _observed(floor))["stable"]["version"] == "1.4.2"


async def test_a_version_that_is_not_warm_any_more_is_started_to_be_taken_back_to(floor):
    await _staged(floor)
    await _promoted(floor, keep_warm=False)
    await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
    assert await floor.served(50) == {"1.4.1": 50}


async def test_a_promotion_that_was_interrupted_is_finished_by_the_next_try(floor):
    await _staged(floor)
    await _shifted(floor, 100)
    await floor.say("set server shop/blue state drain")
    await floor.launcher.start("blue", "1.4.2")  # and here the worker died
    await floor.say("set server shop/blue health down")  # which HAProxy has not found healthy yet
    await _promoted(floor)
    assert await floor.served(50) == {"1.4.2": 50}
    assert await floor.weights() == {"blue": 100, "canary": 0}


async def test_a_promotion_whose_version_does_not_come_up_is_taken_back_while_the_candidate_serves(floor):
    await _staged(floor)
    await _shifted(floor, 100)
    async with floor.load() as seen:
        await floor.say("set server shop/blue state drain")
        await floor.launcher.stop("blue")  # and the new version never came up there
        await _unhealthy(floor, "stable")
        await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
        assert await floor.served(50) == {"1.4.1": 50}
    assert _broken(seen) == {}
    assert "canary" not in floor.launcher.running


async def test_every_change_asked_for_twice_happens_once(floor):
    for name, more in (
        ("stage", {"version": "1.4.2"}),
        ("shift", {"version": "1.4.2", "percent": 20}),
        ("promote", {"version": "1.4.2"}),
    ):
        act = getattr(actions, name)
        assert (await act(floor.ctx(), service="shop", **more)).changed
        starts = len(floor.launcher.starts)
        again = await act(floor.ctx(again=True), service="shop", **more)
        assert (again.changed, again.change) == (False, None)
        assert len(floor.launcher.starts) == starts


async def test_a_look_finds_what_has_happened_and_nothing_else(floor):
    asked = {"service": "shop", "version": "1.4.2"}
    assert await actions.is_staged(floor.ctx(), **asked) is None
    await _staged(floor)
    assert (await actions.is_staged(floor.ctx(), **asked)).changed
    assert await actions.is_shifted(floor.ctx(), **asked, percent=20) is None
    await _shifted(floor, 20)
    assert (await actions.is_shifted(floor.ctx(), **asked, percent=20)).change.id
    assert await actions.is_promoted(floor.ctx(), **asked) is None
    await _promoted(floor, keep_warm=False)
    assert (await actions.is_promoted(floor.ctx(), **asked)).change.data["serves"] == "1.4.2"
    assert await actions.is_rolled_back(floor.ctx(), service="shop", to_version="1.4.1") is None
    assert (await actions.is_rolled_back(floor.ctx(), service="shop")).change.kind == "rollback"


async def test_an_older_owner_of_the_run_starts_nothing(floor):
    await actions.stage(floor.ctx(epoch=5), service="shop", version="1.4.2")
    await floor.launcher.stop("canary")
    with pytest.raises(StaleEpochError):
        await actions.stage(floor.ctx(again=True, epoch=4), service="shop", version="1.4.2")


async def test_a_version_that_the_launcher_refuses_changes_nothing(floor):
    floor.launcher.refuse = "9.9.9"
    with pytest.raises(ActionFailedError) as caught:
        await _staged(floor, "9.9.9")
    assert caught.value.code == "no_such_version"
    assert await floor.served(20) == {"1.4.1": 20}


async def test_counters_tell_errors_of_the_candidate_from_those_of_stable(floor):
    await _staged(floor, "1.5-bad")
    await _shifted(floor, 20, version="1.5-bad")
    before = (await probes.counts(floor.ctx(), service="shop")).data
    await floor.served(100)
    after = (await probes.counts(floor.ctx(), service="shop")).data
    assert after["weight"] == pytest.approx(0.2)
    for side, requests, errors in (("canary", 20, 20), ("stable", 80, 0)):
        assert after[side]["requests"] - before[side]["requests"] == requests
        assert after[side]["errors"] - before[side]["errors"] == errors
    assert after["at_s"] > before["at_s"]


async def test_a_request_that_was_tried_again_elsewhere_counts_once(floor):
    await _staged(floor)
    await _shifted(floor, 50)
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


async def test_it_is_said_aloud_when_another_version_serves_than_the_last_promotion_left(floor):
    await _staged(floor)
    await _promoted(floor)
    await floor.launcher.start("blue", "1.4.1")
    found = await probes.observe(floor.ctx(), service="shop")
    assert found.data["warnings"] == ["The stable version is 1.4.1, but the last deployment left 1.4.2."]
    assert found.summary.startswith("⚠️")


async def test_a_restart_of_haproxy_in_the_middle_of_a_canary_means_canary_0(floor):
    await _staged(floor)
    await _shifted(floor, 50)
    await floor.up()
    assert await floor.served(50) == {"1.4.1": 50}
    assert (await _observed(floor))["candidate"]["weight_percent"] == 0


async def test_the_way_back_is_impossible_while_nothing_stable_is_healthy(floor):
    way = (await probes.rollback_path(floor.ctx(), service="shop", version="1.4.2")).data
    assert way["rollback"]["verdict"] == "safe"
    await floor.launcher.stop("blue")
    await _unhealthy(floor, "stable")
    way = (await probes.rollback_path(floor.ctx(), service="shop", version="1.4.2")).data
    assert way["rollback"] == {"verdict": "impossible", "step": "", "because": "no stable server is healthy"}


async def test_the_way_back_is_impossible_where_the_socket_may_only_be_read(floor):
    floor.level = "operator"
    await floor.up()
    way = (await probes.rollback_path(floor.ctx(), service="shop", version="1.4.2")).data
    assert way["rollback"]["verdict"] == "impossible"


async def test_a_target_that_does_not_answer_is_unavailable_and_not_empty(floor):
    await floor.down()
    for probe in (probes.observe, probes.counts):
        with pytest.raises(ProbeUnavailableError):
            await probe(floor.ctx(), service="shop")


async def test_a_service_without_launcher_can_be_read_and_shifted_but_not_staged(floor):
    assert (await _observed(floor, launch=""))["stable"]["version"] == ""
    with pytest.raises(ActionFailedError, match="launch"):
        await actions.stage(floor.ctx(launch=""), service="shop", version="1.4.2")


async def test_a_rolling_replacement_loses_no_request_and_one_is_missing_at_a_time(rolling):
    async with rolling.load() as seen:
        done = await actions.replace(
            rolling.ctx(timeout_s=50), service="shop", version="1.4.2", instances=["a", "b", "c"]
        )
        await _goes_on(seen)
    assert _broken(seen) == {}
    assert done.before == {"versions": dict.fromkeys("abc", "1.4.1")}
    assert done.change.data["serves"] == "1.4.2"
    assert await rolling.served(30) == {"1.4.2": 30}


async def test_a_half_done_replacement_is_restored_to_what_each_instance_had(rolling):
    done = await actions.replace(rolling.ctx(), service="shop", version="1.4.2", instances=["a"])
    assert "serves" not in done.change.data
    assert "different versions" in (await _observed(rolling))["warnings"][0]
    back = await actions.restore(rolling.ctx(), service="shop", versions=done.before["versions"])
    assert (back.change.kind, back.change.data["serves"]) == ("rollback", "1.4.1")
    assert await rolling.served(30) == {"1.4.1": 30}


async def test_an_instance_whose_version_is_refused_serves_on(rolling):
    rolling.launcher.refuse = "9.9.9"
    with pytest.raises(ActionFailedError):
        await actions.replace(rolling.ctx(), service="shop", version="9.9.9", instances=["a", "b"])
    assert (await rolling.served(30))["1.4.1"] == 30

    async def healthy() -> bool:
        rows = (await probes.observe(rolling.ctx(), service="shop")).data["instances"]
        return all(row["healthy"] for row in rows if row["role"] == "stable")

    await until(healthy, what="every instance to be found healthy again", within_s=20)


async def test_an_instance_that_does_not_come_up_is_put_back_with_those_of_its_batch(rolling):
    async with rolling.load() as seen:
        await actions.replace(rolling.ctx(timeout_s=30), service="shop", version="1.4.2", instances=["a"])
        with pytest.raises(ActionFailedError) as caught:
            await actions.replace(
                rolling.ctx(timeout_s=12), service="shop", version="1.5-dead", instances=["a", "b"]
            )
    assert caught.value.code == "did_not_come_up"
    assert "1.4.2 on a serves again" in str(caught.value)
    assert _broken(seen) == {}
    assert {(slot, version) for slot, (version, _) in rolling.launcher.running.items()} == {
        ("a", "1.4.2"), ("b", "1.4.1"), ("c", "1.4.1"),
    }  # fmt: skip


async def test_a_candidate_that_does_not_come_up_is_stopped_again(floor):
    with pytest.raises(ActionFailedError) as caught:
        await actions.stage(floor.ctx(timeout_s=4), service="shop", version="1.5-dead")
    assert caught.value.code == "did_not_come_up"
    assert floor.launcher.running.keys() == {"blue"}
    assert await floor.served(20) == {"1.4.1": 20}


async def test_the_last_instance_that_serves_is_not_replaced(floor):
    with pytest.raises(ActionFailedError) as caught:
        await actions.replace(floor.ctx(), service="shop", version="1.4.2", instances=["blue"])
    assert caught.value.code == "no_healthy_server"
    assert await floor.served(10) == {"1.4.1": 10}


async def _judged(floor, *, asked, version, percent=20):
    """Give ``version`` a share, look, ask, look again; return the verdict on the errors."""
    await _staged(floor, version)
    await _shifted(floor, percent, version=version)
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
    assert "as now (0 % in the last" in found.data["text"]
    assert "stable has had no errors to compare with" in found.data["text"]


async def _switched(floor, version, *, asked):
    """Switch to ``version`` as a blue-green deployment does, and be asked; return what a watch sees."""
    began = (await _observed(floor))["counts"]
    await floor.served(50)
    await _staged(floor, version)
    until_ = (await _observed(floor))["counts"]
    await _promoted(floor, version)
    since = (await _observed(floor))["counts"]
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
