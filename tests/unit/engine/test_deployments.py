"""Each deployment has one record: from before its first change to its end, whatever falls over in between."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from bot.domain.board import Topic
from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError
from bot.domain.intent import CancelRun
from bot.domain.runs.runbook import Runbook
from bot.engine.deps import Deps
from bot.engine.engine import Engine
from bot.services.delivery_metrics import delivery
from bot.testing.deployments import MemoryDeploymentStore
from tests.support.worlds import ANA, BEN, BENCH, CHI
from tests.unit.engine.small_world import UNDO, World, act, book, fix, step

SEEN = {"id": "ground", "kind": "explore", "steps": [step("look")]}


@dataclass
class NotingBook(MemoryDeploymentStore):
    """Notes what had been done outside whenever something was recorded."""

    world: World
    seen: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.world.clock, board=self.world.store.board)

    async def record(self, deployment: Deployment) -> bool:
        self.seen.append((deployment.outcome, len(BENCH.effects)))
        return await super().record(deployment)


@pytest.fixture
def kept(world: World) -> NotingBook:
    kept = NotingBook(world)
    world.engine = Engine(_with(world.deps, kept))
    return kept


def _with(deps: Deps, kept: NotingBook) -> Deps:
    return replace(deps, stores=replace(deps.stores, deployments=kept))


def canary(*steps: object, name: str = "deploy-canary", **more: object):
    return book(SEEN, fix(*steps, **more), name=name)


async def _deployed(world: World, runbook, run_id: str = "r1", **params: str) -> None:
    run = await world.begin(runbook, run_id, version="1.4.2", why="faster carts", **params)
    world.clock.forward(60)
    await world.vote(run, BEN, key=run_id)
    await world.go(run_id)


async def test_a_deployment_is_recorded_before_its_first_change_and_at_its_end(world, kept):
    await _deployed(world, canary(act("shift"), act("promote")))
    assert kept.seen == [("running", 0), ("running", 1), ("succeeded", 2), ("succeeded", 2)]
    record = await kept.get("r1")
    assert (record.service, record.strategy, record.version, record.why) == (
        "checkout", "canary", "1.4.2", "faster carts",
    )  # fmt: skip
    assert (record.requested_by, record.approved_by, record.decided_by) == (ANA, (BEN,), BEN)
    assert (record.changed, record.is_rollback, record.emergency) == (True, False, "")


async def test_waiting_for_an_approval_is_no_part_of_how_long_it_took(world, kept):
    await _deployed(world, canary(act("shift")))
    record = await kept.get("r1")
    assert (record.started_at - record.requested_at).total_seconds() == 60
    assert record.duration_s == 0


def with_contract() -> Runbook:
    watch = {
        "kind": "background", "id": "watch", "after": "fix", "for_s": 30, "every_s": 10,
        "checks": [{"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"}],
    }  # fmt: skip
    end = {"kind": "plan", "id": "end", "of": "contract", "summary": "Contract", "risk": "No way back."}
    contract = {"kind": "pipeline", "id": "contract", "approval": {}, "steps": [act("contract")]}
    return book(SEEN, fix(act("shift")), watch, end, contract, name="deploy-migrate")


async def _until_the_contract_is_asked_about(world: World) -> None:
    await _deployed(world, with_contract())
    for _ in range(4):
        world.clock.forward(10)
        await world.go()
    assert (await world.read()).waiting_for.phase == "contract"


async def test_a_deployment_is_done_while_its_contract_waits_and_the_wait_is_no_part_of_how_long_it_took(
    world, kept
):
    await _until_the_contract_is_asked_about(world)
    record = await kept.get("r1")
    assert (record.outcome, record.duration_s) == ("succeeded", 0)
    assert "running" not in [outcome for outcome, effects in kept.seen if effects > 1]
    world.clock.forward(1200)
    await world.vote(await world.read(), BEN, key="contract")
    assert (await world.go()).outcome == "done"
    late = await kept.get("r1")
    assert (late.outcome, late.duration_s, late.waited_s) == ("succeeded", 0, 1240)
    assert late.finished_at == world.clock.now()


async def test_a_contract_that_fails_makes_a_failure_of_its_deployment(world, kept):
    await _until_the_contract_is_asked_about(world)
    BENCH.down.add("contract")
    await world.vote(await world.read(), BEN, key="contract")
    await world.go()
    assert (await kept.get("r1")).outcome == "failed"


async def test_a_contract_that_nobody_wants_leaves_a_deployment_as_long_as_it_was(world, kept):
    await _until_the_contract_is_asked_about(world)
    world.clock.forward(1200)
    await world.vote(await world.read(), CHI, "reject", key="contract")
    await world.go()
    record = await kept.get("r1")
    assert (record.outcome, record.duration_s, record.waited_s) == ("succeeded", 0, 0)


async def test_a_deployment_is_over_when_its_watch_begins_and_may_still_turn_out_a_failure(world, kept):
    watch = {
        "kind": "background", "id": "watch", "after": "fix", "for_s": 60,
        "checks": [{"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"}],
    }  # fmt: skip
    run = await world.begin(book(SEEN, fix(act("shift")), watch, name="deploy-canary"), version="1.4.2")
    await world.vote(run, BEN)
    run = await world.go()
    early = await kept.get("r1")
    assert (run.state, early.outcome, early.duration_s) == ("running", "succeeded", 0)
    BENCH.value = 7
    for _ in range(4):
        world.clock.forward(14)
        run = await world.go()
    late = await kept.get("r1")
    assert (run.outcome, late.outcome, late.finished_at) == ("breached", "failed", early.finished_at)


async def test_who_ends_the_watch_of_a_deployment_takes_nothing_back(world, kept):
    watch = {
        "kind": "background", "id": "watch", "after": "fix", "for_s": 60,
        "checks": [{"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"}],
    }  # fmt: skip
    await _deployed(world, book(SEEN, fix(act("shift")), watch, name="deploy-canary"))
    at = world.clock.now()
    await world.desk.handle(CancelRun(key="c", at=at, run_id="r1", by=CHI, channel="C0CHECKOUT"))
    assert (await world.go()).outcome == "cancelled"
    assert (await kept.get("r1")).outcome == "succeeded"


async def test_a_dry_run_is_no_deployment(world, kept):
    await world.begin(canary(act("shift"), when="not params.dry_run"), version="1.4.2", dry_run=True)
    assert kept.seen == []


async def test_what_was_put_back_is_told_so(world, kept):
    BENCH.down.add("promote")
    await _deployed(world, canary(act("shift", undo=UNDO), act("promote")))
    assert (await kept.get("r1")).outcome == "rolled_back"


async def test_what_failed_and_stays_as_it_is_has_failed(world, kept):
    BENCH.down |= {"promote", "undo-shift"}
    await _deployed(world, canary(act("shift", undo=UNDO), act("promote")))
    assert (await kept.get("r1")).outcome == "failed"


async def test_what_the_target_refused_has_changed_nothing_and_is_no_failure(world, kept):
    BENCH.down.add("stage")
    await _deployed(world, canary(act("stage"), act("shift")))
    record = await kept.get("r1")
    assert (record.outcome, record.changed) == ("failed", False)
    found = delivery([record], days=7, until=world.clock.now())
    assert (found.deployments, found.failures.some, found.not_changed) == (0, 0, 1)
    assert (found.impaired_s, found.duration) == (0, None)


async def test_what_fails_after_a_first_change_is_a_failure(world, kept):
    BENCH.down.add("shift")
    await _deployed(world, canary(act("stage"), act("shift")))
    record = await kept.get("r1")
    assert (record.outcome, record.changed) == ("failed", True)
    found = delivery([record], days=7, until=world.clock.now())
    assert (found.deployments, found.failures.some, found.not_changed) == (1, 1, 0)


async def test_a_rejected_deployment_is_kept_and_changed_nothing(world, kept):
    run = await world.begin(canary(act("shift")), version="1.4.2")
    await world.vote(run, CHI, "reject")
    await world.go()
    record = await kept.get("r1")
    assert (record.outcome, record.changed, record.decided_by) == ("rejected", False, CHI)


async def test_a_cancelled_deployment_is_kept(world, kept):
    await world.begin(canary(act("shift")), version="1.4.2")
    at = world.clock.now()
    await world.desk.handle(CancelRun(key="c", at=at, run_id="r1", by=CHI, channel="C0CHECKOUT"))
    await world.go()
    record = await kept.get("r1")
    assert (record.outcome, record.changed, record.decided_by) == ("cancelled", False, CHI)


async def test_a_run_that_is_given_up_has_failed(world, kept):
    await world.begin(canary(act("shift")), version="1.4.2")
    await world.engine.give_up("r1", "it crashed three times")
    assert (await kept.get("r1")).outcome == "failed"


async def test_a_crash_between_the_record_and_the_end_of_the_run_loses_neither(world, kept):
    class Dying(NotingBook):
        async def record(self, deployment: Deployment) -> bool:
            await super().record(deployment)
            if deployment.finished_at is not None and [end for end, _ in self.seen].count("succeeded") == 1:
                raise ConnectionError("the worker is gone")
            return True

    dying = Dying(world)
    world.engine = Engine(_with(world.deps, dying))
    with pytest.raises(ConnectionError):
        await _deployed(world, canary(act("shift")))
    assert (await dying.get("r1")).outcome == "succeeded"
    run = await world.go()
    assert (run.state, len(BENCH.effects)) == ("finished", 1)
    assert len(await dying.of("checkout", limit=9)) == 1


async def test_a_rollback_names_the_deployment_that_it_takes_back(world, kept):
    await _deployed(world, canary(act("shift")), "r1")
    world.clock.forward(60)
    await _deployed(world, canary(act("back"), name="rollback"), "r2")
    record = await kept.get("r2")
    assert (record.is_rollback, record.rollback_of) == (True, "r1")


async def test_a_rollback_after_what_was_put_back_by_itself_names_nothing(world, kept):
    BENCH.down.add("promote")
    await _deployed(world, canary(act("shift", undo=UNDO), act("promote")), "r1")
    world.clock.forward(60)
    await _deployed(world, canary(act("back"), name="rollback"), "r2")
    assert (await kept.get("r2")).rollback_of == ""


async def test_what_is_no_deployment_leaves_no_record(world, kept):
    await _deployed(world, canary(act("shift"), name="triage"))
    with pytest.raises(NotFoundError):
        await kept.get("r1")
    assert Topic(kind="deployment", id="r1") not in world.store.board._due


async def test_an_emergency_and_its_environment_are_told(world, kept):
    await _deployed(world, canary(act("shift")), emergency="carts are lost", environment="production")
    record = await kept.get("r1")
    assert (record.emergency, record.environment) == ("carts are lost", "production")
