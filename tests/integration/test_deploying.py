"""The strategies that ship, carried out on a real HAProxy: the right outcome, and no request lost to them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.deployments.checklist import ItemMark
from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.deployments.flag import Flag
from bot.domain.deployments.gate import Gates
from bot.services.run_starter import run_id_of
from bot.views.thread.ending import ending_lines
from bot.views.thread.rollout import rollout_why_modal
from bot.views.thread.run import run_messages
from demo.scenarios.deploying import decided_by, ending_of
from tests.integration.deployments import QUICK, actions_in, effects, failed, stage_with
from tests.support.waiting import until
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.views.oracle import assert_valid_message

pytestmark = pytest.mark.server


async def test_a_good_canary_gets_more_and_then_all_of_the_traffic():
    async with stage_with() as stage, stage.floor.load() as seen:
        run_id = await stage.ask("deploy-canary", f"shop 1.5.0 {QUICK}")
        assert effects(await stage.events(run_id)) == []  # nothing before somebody has agreed
        run = await stage.approve(run_id)
        assert effects(await stage.events(run_id)) == ["stage", "shift-1", "shift-2", "promote"]
        assert run.phases["rollout"].outcome == "ok"
        assert ending_of(run, await stage.events(run_id)) == "promoted"
        assert await stage.recorded(run_id) == ("succeeded", "1.4.1", "1.5.0", "")
        assert await stage.floor.served(50) == {"1.5.0": 50}
    assert failed(seen) == 0
    assert seen["1.4.1"] > 0


async def test_a_canary_that_fails_is_stopped_by_its_errors_and_all_traffic_goes_back_at_once():
    async with stage_with() as stage, stage.floor.load() as seen:
        run_id = await stage.ask("deploy-canary", f"shop 1.5.1-bad {QUICK}")
        run = await stage.approve(run_id)
        verdict = run.phases["rollout"].steps["judge:shift-1"].verdict
        assert verdict is not None
        assert (verdict.decision, verdict.decided_by) == ("stop", ("errors",))
        assert effects(await stage.events(run_id)) == ["stage", "shift-1", "-shift-1", "-stage"]
        assert run.outcome == "failed"
        assert "the judge stopped it" in run.summary
        assert (ending_of(run, await stage.events(run_id)), decided_by(run)) == ("rolled_back", ("errors",))
        assert await stage.recorded(run_id) == ("rolled_back", "1.4.1", "1.5.1-bad", "")
        assert await stage.floor.served(50) == {"1.4.1": 50}
        assert stage.floor.launcher.running.keys() == {"blue"}
    assert failed(seen) == 0


async def test_a_tenant_has_the_canary_to_itself_and_is_judged_by_before_anybody_else_gets_it():
    words = "shop 1.5.0 weights 0,50 routes acme pause 1s patience 20s"
    async with stage_with() as stage, stage.floor.load() as seen:
        deploying = asyncio.create_task(stage.approve(await stage.ask("deploy-canary", words)))
        run_id = (await stage.judged(run_id_of("k"))).id
        assert await stage.floor.served(30, tenant="acme") == {"1.5.0": 30}
        assert await stage.floor.served(30, tenant="globex") == {"1.4.1": 30}
        assert (await stage.floor.weights())["canary"] == 0
        assert seen["1.5.0"] == 0, "nobody without a tenant was given it"
        while not deploying.done():  # enough of the one tenant's requests for a verdict
            await stage.floor.served(20, tenant="acme")
        run = await deploying
        assert effects(await stage.events(run_id)) == ["stage", "shift-1", "shift-2", "promote"]
        first = run.phases["rollout"].steps["judge:shift-1"].verdict
        assert first is not None
        assert first.decision == "proceed"
        assert ending_of(run, await stage.events(run_id)) == "promoted"
    assert failed(seen) == 0


async def test_a_tenant_is_saved_from_a_bad_canary_that_nobody_else_ever_saw():
    words = "shop 1.5.1-bad weights 0,50 routes acme pause 1s patience 20s"
    async with stage_with() as stage, stage.floor.load() as seen:
        deploying = asyncio.create_task(stage.approve(await stage.ask("deploy-canary", words)))
        run_id = (await stage.judged(run_id_of("k"))).id
        while not deploying.done():
            await stage.floor.served(20, tenant="acme")
        assert ending_of(await deploying, await stage.events(run_id)) == "rolled_back"
        assert await stage.floor.served(20, tenant="acme") == {"1.4.1": 20}
    assert seen.keys() == {"1.4.1"}


async def test_a_canary_without_traffic_passes_nothing_and_is_put_to_a_person():
    async with stage_with() as stage:
        run_id = await stage.ask("deploy-canary", "shop 1.5.0 pause 1s patience 2s weights 20")
        plan = (await stage.read(run_id)).phases["plan"].plan
        assert plan is not None
        assert "A good canary cannot pass without a person" in plan.risk  # it warns before the canary begins
        deploying = asyncio.create_task(stage.approve(run_id))
        await stage.judged(run_id, looks=4)
        run = await stage.read(run_id)
        shown = {m.slot: m for m in run_messages(run, now=stage.deps.clock.now())}
        root, card = shown["root"], shown["phase:rollout"]
        assert_valid_message(root)
        assert_valid_message(card)
        assert "*20* ▸ 100 % of the traffic" in str(root.blocks)
        assert {"rollout_promote", "rollout_pause", "rollout_abort"} <= actions_in(root)
        assert {"rollout_promote", "rollout_pause", "rollout_abort", "rollout_why"} <= actions_in(card)
        assert "no_data" not in str(rollout_why_modal(run))
        (asked,) = [gate for gate in run.approvals.values() if gate.step]
        assert asked.decision is None
        assert not {"-shift-1", "promote"} & {*effects(await stage.events(run_id))}
        await stage.steer(run_id, "abort")
        run = await deploying
        assert "aborted" in run.summary
        assert ending_of(run, await stage.events(run_id)) == "asked"
        assert await stage.floor.served(20) == {"1.4.1": 20}


@pytest.mark.parametrize("when", ["before the click", "after the click"])
@pytest.mark.parametrize("strategy", ["canary", "blue-green"])
async def test_an_approval_is_void_once_something_else_serves_than_the_plan_says(strategy, when):
    async with stage_with() as stage:
        run_id = await stage.ask(f"deploy-{strategy}", "shop 1.5.0")
        if when == "before the click":
            await stage.floor.launcher.start("blue", "1.4.9")
            run = await stage.approve(run_id)
            assert run.outcome == "withdrawn"
            assert "what serves has changed" in run.summary
            said = stage.told.notices[-1].text
        else:
            gate = list((await stage.read(run_id)).approvals.values())[-1]
            await stage.vote(gate.id)
            await stage.floor.launcher.start("blue", "1.4.9")
            run = await stage.go(run_id)
            assert run.phases["rollout"].outcome == "failed"
            said = run.phases["rollout"].why
        assert "what serves has changed: 1.4.1 then, 1.4.9 now" in said
        assert effects(await stage.events(run_id)) == []


async def test_blue_and_green_are_switched_at_once_and_one_command_brings_the_old_one_back():
    async with stage_with() as stage, stage.floor.load() as seen:
        run_id = await stage.ask("deploy-blue-green", "shop 1.5.0")
        await stage.approve(run_id)
        assert await stage.floor.served(50) == {"1.5.0": 50}
        assert stage.floor.launcher.running["canary"][0] == "1.4.1"  # kept warm
        back = await stage.ask("rollback", "shop", key="back")
        run = await stage.read(back)
        assert run.waiting_for is not None
        assert (run.phases["plan"].plan.summary) == "Roll shop back to 1.4.1 (now 1.5.0)"
        run = await stage.approve(back)
        assert (run.outcome, effects(await stage.events(back))) == ("done", ["rollback"])
        assert await stage.recorded(back) == ("succeeded", "1.5.0", "1.4.1", run_id)
        assert await stage.floor.served(50) == {"1.4.1": 50}
    assert failed(seen) == 0


async def test_one_command_turns_a_flag_off_for_everybody_and_touches_no_version():
    async with stage_with(beside={"flags": {"flag": "new-cart"}}) as stage:
        await stage.deps.stores.flags.put("shop", Flag(key="new-cart", percent=100), run_id="r", epoch=1)
        back = await stage.ask("rollback", "shop by flags", key="back")
        run = await stage.read(back)
        plan = run.phases["plan"].plan
        assert plan is not None
        assert plan.summary == "Roll shop back to off (now new-cart)"
        assert [step.title for step in plan.steps] == ["Turn new-cart off for all users"]
        run = await stage.approve(back)
        assert (run.outcome, effects(await stage.events(back))) == ("done", ["rollback"])
        assert await stage.deps.stores.flags.find("shop", "new-cart") == Flag(key="new-cart")
        assert "serves" not in stage.floor.ledger.changes[-1].data, "no version serves that did not before"
        assert await stage.floor.served(10) == {"1.4.1": 10}
        again = await stage.read(await stage.ask("rollback", "shop by flags", key="again"))
        assert (again.outcome, effects(await stage.events(again.id))) == ("failed", [])


async def test_in_an_emergency_a_rollback_asks_nobody_and_says_so():
    async with stage_with() as stage:
        await stage.approve(await stage.ask("deploy-blue-green", "shop 1.5.0"))
        back = await stage.ask("rollback", 'shop emergency "orders are lost"', key="back")
        run = await stage.read(back)
        assert run.outcome == "done"
        assert not run.approvals
        assert [waiver.phase for waiver in run.waived] == ["back"]
        assert await stage.floor.served(20) == {"1.4.1": 20}


async def test_a_rolling_deployment_stops_at_the_first_instance_that_does_not_come_up_and_restores():
    async with stage_with(("a", "b", "c")) as stage, stage.floor.load() as seen:
        good = await stage.ask("deploy-rolling", "shop 1.5.0")
        run = await stage.approve(good)
        assert run.phases["rollout"].outcome == "ok"
        assert effects(await stage.events(good)) == ["replace-1", "replace-2", "replace-3"]
        assert await stage.floor.served(30) == {"1.5.0": 30}
        stage.floor.launcher.refuse = "1.5.4"
        run = await stage.approve(await stage.ask("deploy-rolling", "shop 1.5.4", key="bad"))
        assert run.outcome == "failed"
        assert decided_by(run) == ("replace-1",)
        assert await stage.floor.served(30) == {"1.5.0": 30}
    assert failed(seen) == 0


async def test_a_dry_run_shows_the_plan_and_changes_nothing():
    async with stage_with() as stage:
        run_id = await stage.ask("deploy-canary", "shop 1.5.0 dry_run")
        run = await stage.read(run_id)
        plan = run.phases["plan"].plan
        assert plan is not None
        assert run.outcome == "done"
        assert [step.id for step in plan.steps] == [
            "still_open",
            "before",
            "stage",
            "shift-1",
            "shift-2",
            "shift-3",
            "promote",
        ]
        assert not run.approvals
        assert effects(await stage.events(run_id)) == []


async def test_a_rollback_ends_a_canary_that_is_under_way():
    async with stage_with() as stage, stage.floor.load() as seen:
        canary = await stage.ask("deploy-canary", "shop 1.5.0 pause 20s patience 30s weights 30")
        deploying = asyncio.create_task(stage.approve(canary))
        await stage.judged(canary)
        back = await stage.ask("rollback", "shop", key="back")
        run = await deploying
        assert run.steering.aborted_by is not None
        assert effects(await stage.events(canary))[-2:] == ["-shift-1", "-stage"]
        assert await stage.floor.served(30) == {"1.4.1": 30}
        await stage.approve(back)
        assert await stage.floor.served(30) == {"1.4.1": 30}
    assert failed(seen) == 0


async def test_nothing_is_deployed_while_an_item_is_open_and_nobody_waives_one_for_themselves():
    gates = Gates.model_validate({"checklist": {"team_told": {}}})
    async with stage_with(gates=gates) as stage:
        refused = await stage.read(await stage.ask("deploy-canary", f"shop 1.5.0 {QUICK}", key="k1"))
        assert refused.phases["gates"].steps["all"].reason == "checklist_team_told"
        assert (refused.outcome, refused.approvals) == ("failed", {})
        waiver = ItemMark(item="team_told", kind="waiver", by=ANA, at=stage.deps.clock.now(), text="late")
        await stage.deps.stores.checklists.mark("shop", "1.5.0", waiver)  # Ana is who asks
        refused = await stage.read(await stage.ask("deploy-canary", f"shop 1.5.0 {QUICK}", key="k2"))
        assert refused.phases["gates"].steps["all"].reason == "checklist_team_told"
        await stage.deps.stores.checklists.mark("shop", "1.5.0", waiver.but(by=BEN))
        run = await stage.read(await stage.ask("deploy-canary", f"shop 1.5.0 {QUICK}", key="k3"))
        assert run.waiting_for is not None
        card = " ".join(message.text for message in run_messages(run, now=stage.deps.clock.now()))
        assert "WAIVED (team_told by Ben, for others' deployments: late)" in card


async def test_a_gate_that_closes_while_people_decide_lets_nothing_begin():
    async with stage_with() as stage:
        run_id = await stage.ask("deploy-canary", f"shop 1.5.0 {QUICK}")
        at = stage.deps.clock.now()
        lock = DeployLock(service="shop", by=CHI, reason="the fair", at=at, until=at + timedelta(hours=1))
        await stage.deps.stores.deploy_locks.lock(lock)
        run = await stage.approve(run_id)
        assert effects(await stage.events(run_id)) == []
        assert run.phases["rollout"].steps["still_open"].reason == "locked"
        assert run.outcome == "failed"


@pytest.mark.parametrize(
    ("version", "ended", "words"),
    [("1.5.0", "ok", "errors since the switch: 0 of"), ("1.5-bad", "breached", "errors since the switch: ")],
)
async def test_the_watch_after_a_switch_reads_the_errors_of_the_new_version(version, ended, words):
    async with stage_with() as stage, stage.floor.load():
        run_id = await stage.ask("deploy-blue-green", f"shop {version}")
        run = await stage.approve(run_id)

        async def watched():
            state = (await stage.go(run_id)).phases["watch"]
            return state if state.outcome else None

        state = await until(watched, what="the watch has ended")
        assert run.phases["rollout"].outcome == "ok"
        assert words in state.samples[-1].text
        assert state.outcome == ended
        if ended == "breached":
            back = await stage.go(f"{run_id}-watch")
            assert (back.runbook.name, back.waiting_for is not None) == ("rollback", True)
        else:
            told = " ".join(ending_lines(await stage.read(run_id)))
            assert "All well for" in told
            assert words in told.replace("Errors", "errors")
