"""A release is staged, shifted, promoted and taken back on a real HAProxy without losing a request."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from bot.actions import deploy as actions
from bot.domain.errors import ActionFailedError, ActionInDoubtError, ProbeUnavailableError, StaleEpochError
from bot.engine.plugins import scan
from bot.probes import deploy as probes
from tests.plugins.targets.haproxy_steps import (
    broken,
    goes_on,
    observed,
    promoted,
    shifted,
    staged,
    unhealthy,
)
from tests.support.waiting import until

pytestmark = pytest.mark.server


async def test_a_staged_candidate_is_up_and_gets_nothing(floor):
    done = await staged(floor)
    assert done.before == {"stable": "1.4.1", "candidate": None}
    assert await floor.served() == {"1.4.1": 100}

    async def healthy():
        seen = await observed(floor)
        return seen if seen["candidate"]["healthy"] else None

    seen = await until(healthy, what="a healthy candidate")  # one health check may be late on a busy machine
    assert (seen["candidate"]["version"], seen["candidate"]["weight_percent"]) == ("1.4.2", 0)
    assert seen["can"] == {"shift": True, "routes": True, "instant_back": True, "lease": False}


@pytest.mark.parametrize("percent", [5, 50, 75, 100])
async def test_the_candidate_gets_the_share_that_was_asked_for(floor, percent):
    await staged(floor)
    done = await shifted(floor, percent)
    assert await floor.served() == {
        version: share for version, share in (("1.4.2", percent), ("1.4.1", 100 - percent)) if share
    }
    assert done.before["percent"] == 0
    assert (await observed(floor))["candidate"]["weight_percent"] == percent


@pytest.mark.parametrize("percent", [101, 256, -1])
def test_no_more_than_all_can_be_asked_for(percent):
    plugin = scan("bot.actions", third_parties=False).get("deploy.shift")
    with pytest.raises(ValidationError):
        plugin.check({"service": "shop", "version": "1", "percent": percent})


async def test_what_stood_before_a_shift_can_be_put_back(floor):
    await staged(floor)
    await shifted(floor, 10)
    done = await shifted(floor, 40)
    await shifted(floor, done.before["percent"])
    assert await floor.weights() == {"blue": 90, "canary": 10}


async def test_traffic_is_refused_to_a_candidate_of_another_version(floor):
    await staged(floor)
    with pytest.raises(ActionFailedError) as caught:
        await shifted(floor, 5, version="1.4.3")
    assert caught.value.code == "wrong_candidate"
    assert await floor.served(20) == {"1.4.1": 20}


async def test_a_candidate_with_traffic_is_not_replaced_by_another(floor):
    await staged(floor)
    await shifted(floor, 5)
    with pytest.raises(ActionFailedError) as caught:
        await staged(floor, "1.4.3")
    assert caught.value.code == "candidate_busy"


async def test_a_candidate_that_died_gets_nothing_and_the_shift_says_so(floor):
    await staged(floor)
    floor.launcher.running["canary"][1].kill()
    await unhealthy(floor, "candidate")
    with pytest.raises(ActionInDoubtError) as caught:
        await actions.shift(floor.ctx(timeout_s=1), service="shop", version="1.4.2", percent=5)
    assert caught.value.code == "not_in_time"
    assert await floor.served(20) == {"1.4.1": 20}


async def test_a_tenant_is_routed_to_the_candidate_and_back_at_a_rollback(floor):
    await staged(floor)
    done = await shifted(floor, 0, routes=["acme"])
    assert await floor.served(10, tenant="acme") == {"1.4.2": 10}
    assert await floor.served(10, tenant="other") == {"1.4.1": 10}
    assert done.after == {"percent": 0, "routes": ["acme"]}
    await actions.rollback(floor.ctx(), service="shop")
    assert await floor.served(10, tenant="acme") == {"1.4.1": 10}


async def test_a_rollback_loses_no_request_and_stops_the_candidate(floor):
    await staged(floor)
    async with floor.load() as seen:
        for percent in (5, 25, 60):
            await shifted(floor, percent)
            await goes_on(seen)
        done = await actions.rollback(floor.ctx(), service="shop")
        assert await floor.served(50) == {"1.4.1": 50}
    assert broken(seen) == {}
    assert seen["1.4.2"]
    assert (done.before["percent"], done.change.kind) == (60, "rollback")
    assert "canary" not in floor.launcher.running


async def test_a_rollback_lets_in_what_an_interrupted_replacement_left_out(floor):
    await staged(floor)
    await shifted(floor, 50)
    await floor.say("set server shop/blue state drain")
    await actions.rollback(floor.ctx(), service="shop")
    assert await floor.served(20) == {"1.4.1": 20}


async def test_a_rollback_to_nobody_is_refused(floor):
    await staged(floor)
    await shifted(floor, 50)
    await floor.launcher.stop("blue")
    await unhealthy(floor, "stable")
    with pytest.raises(ActionFailedError) as caught:
        await actions.rollback(floor.ctx(), service="shop")
    assert caught.value.code == "no_healthy_server"
    assert await floor.served(20) == {"1.4.2": 20}


async def test_a_promotion_loses_no_request_and_survives_a_restart_of_haproxy(floor):
    await staged(floor)
    async with floor.load() as seen:
        await shifted(floor, 50)
        done = await promoted(floor)
        await goes_on(seen)
    assert broken(seen) == {}
    assert done.before == {"version": "1.4.1"}
    assert await floor.served(50) == {"1.4.2": 50}
    await floor.up()
    assert await floor.served(50) == {"1.4.2": 50}
    assert (await observed(floor))["warnings"] == []


async def test_the_version_before_is_kept_warm_until_it_is_retired(floor):
    await staged(floor)
    await promoted(floor)
    assert (await observed(floor))["candidate"]["version"] == "1.4.1"
    await actions.retire(floor.ctx(), service="shop", version="1.4.1")
    assert (await observed(floor))["candidate"] is None


async def test_a_promoted_version_is_taken_back_by_way_of_the_warm_one_without_losing_a_request(floor):
    await staged(floor)
    await promoted(floor)
    way = await probes.rollback_path(floor.ctx(), service="shop", version="1.4.2")
    assert way.data["rollback"]["verdict"] == "safe"
    assert "kept warm" in way.data["rollback"]["because"]
    async with floor.load() as seen:
        await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
        assert await floor.served(50) == {"1.4.1": 50}
    assert broken(seen) == {}
    await floor.up()
    assert await floor.served(50) == {"1.4.1": 50}


async def test_the_undo_of_a_rollback_starts_the_candidate_again_with_the_share_it_had(floor):
    await staged(floor)
    await shifted(floor, 100)
    back = await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1", version="1.4.2")
    assert floor.launcher.running.keys() == {"blue"}, "the candidate is retired with the rollback"
    assert (back.change.before, back.change.after) == ("1.4.2", "1.4.1")
    await actions.reapply(floor.ctx(), service="shop", version="1.4.2", before=back.before)
    assert await floor.served(50) == {"1.4.2": 50}


async def test_the_undo_of_a_rollback_after_a_promotion_promotes_again(floor):
    await staged(floor)
    await promoted(floor)
    back = await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1", version="1.4.2")
    await actions.reapply(floor.ctx(), service="shop", version="1.4.2", before=back.before)
    assert await floor.served(50) == {"1.4.2": 50}
    assert (await observed(floor))["stable"]["version"] == "1.4.2"


async def test_a_version_that_is_not_warm_any_more_is_started_to_be_taken_back_to(floor):
    await staged(floor)
    await promoted(floor, keep_warm=False)
    await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
    assert await floor.served(50) == {"1.4.1": 50}


async def test_a_promotion_that_was_interrupted_is_finished_by_the_next_try(floor):
    await staged(floor)
    await shifted(floor, 100)
    await floor.say("set server shop/blue state drain")
    await floor.launcher.start("blue", "1.4.2")  # and here the worker died
    await floor.say("set server shop/blue health down")  # which HAProxy has not found healthy yet
    await promoted(floor)
    assert await floor.served(50) == {"1.4.2": 50}
    assert await floor.weights() == {"blue": 100, "canary": 0}


async def test_a_promotion_whose_version_does_not_come_up_is_taken_back_while_the_candidate_serves(floor):
    await staged(floor)
    await shifted(floor, 100)
    async with floor.load() as seen:
        await floor.say("set server shop/blue state drain")
        await floor.launcher.stop("blue")  # and the new version never came up there
        await unhealthy(floor, "stable")
        await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
        assert await floor.served(50) == {"1.4.1": 50}
    assert broken(seen) == {}
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
    await staged(floor)
    assert (await actions.is_staged(floor.ctx(), **asked)).changed
    assert await actions.is_shifted(floor.ctx(), **asked, percent=20) is None
    await shifted(floor, 20)
    assert (await actions.is_shifted(floor.ctx(), **asked, percent=20)).change.id
    assert await actions.is_promoted(floor.ctx(), **asked) is None
    await promoted(floor, keep_warm=False)
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
        await staged(floor, "9.9.9")
    assert caught.value.code == "no_such_version"
    assert await floor.served(20) == {"1.4.1": 20}


async def test_it_is_said_aloud_when_another_version_serves_than_the_last_promotion_left(floor):
    await staged(floor)
    await promoted(floor)
    await floor.launcher.start("blue", "1.4.1")
    found = await probes.observe(floor.ctx(), service="shop")
    assert found.data["warnings"] == ["The stable version is 1.4.1, but the last deployment left 1.4.2."]
    assert found.summary.startswith("⚠️")


async def test_a_restart_of_haproxy_in_the_middle_of_a_canary_means_canary_0(floor):
    await staged(floor)
    await shifted(floor, 50)
    await floor.up()
    assert await floor.served(50) == {"1.4.1": 50}
    assert (await observed(floor))["candidate"]["weight_percent"] == 0


async def test_the_way_back_is_impossible_while_nothing_stable_is_healthy(floor):
    way = (await probes.rollback_path(floor.ctx(), service="shop", version="1.4.2")).data
    assert way["rollback"]["verdict"] == "safe"
    await floor.launcher.stop("blue")
    await unhealthy(floor, "stable")
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
    assert (await observed(floor, launch=""))["stable"]["version"] == ""
    with pytest.raises(ActionFailedError, match="launch"):
        await actions.stage(floor.ctx(launch=""), service="shop", version="1.4.2")


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
