"""A rollback that an incident's remedy carries out is a deployment like any other: recorded once, and counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError
from bot.domain.runs.effect import ActionResult
from bot.engine.engine import Engine
from bot.engine.plugins import Context, Plugin, Plugins, params_of
from bot.services.delivery_metrics import delivery
from bot.testing.deployments import MemoryDeploymentStore
from bot.views.deployment import history_lines
from tests.support.worlds import ANA, BEN, BENCH, CHI
from tests.unit.engine.small_world import World, act, book, fix

TO, FROM = "1.3", "1.4"


async def rollback(
    ctx: Context,
    *,
    service: str,
    version: str = "",
    to_version: str = "",
    previous_version: str = "",
    by: str = "",
) -> ActionResult:
    """Take a version back, once a key."""
    assert ctx.effect is not None
    BENCH.effects.append(f"rollback:{ctx.effect.key}")
    back = to_version or previous_version
    return ActionResult(
        summary=f"{service} is back at {back}", before={"version": version}, after={"version": back}
    )


async def already(
    ctx: Context,
    *,
    service: str,
    version: str = "",
    to_version: str = "",
    previous_version: str = "",
    by: str = "",
) -> ActionResult | None:
    """Look whether it was taken back."""
    assert ctx.effect is not None
    done = f"rollback:{ctx.effect.key}" in BENCH.effects
    return ActionResult(summary="It was.", after={"version": to_version}) if done else None


def plugin(name: str) -> Plugin:
    return Plugin(
        name=name, kind="action", specialist="cicd", function=rollback, params=params_of(rollback),
        summary="Take back.", in_doubt="retry", look=already,
    )  # fmt: skip


class FrailBook(MemoryDeploymentStore):
    """Dies once, right after it has recorded a rollback with this outcome."""

    fatal = ""

    async def record(self, deployment: Deployment) -> bool:
        kept = await super().record(deployment)
        if deployment.is_rollback and deployment.outcome == self.fatal:
            self.fatal = ""
            raise ConnectionError("the worker is gone")
        return kept


@pytest.fixture
def kept(world: World) -> FrailBook:
    kept = FrailBook(world.clock, board=world.store.board)
    names = ("deploy.rollback", "haproxy.rollback")
    plugins = Plugins({**world.deps.plugins.by_name, **{name: plugin(name) for name in names}})
    world.deps = replace(world.deps, stores=replace(world.deps.stores, deployments=kept), plugins=plugins)
    world.engine = Engine(world.deps)
    return kept


def triage(*, action: str = "deploy.rollback", verified: str = "result.value < 5", **arguments: str):
    step = {
        "id": "rollback",
        "action": action,
        "with": {"service": "{{ cause.service }}", "version": FROM, "to_version": TO, **arguments},
        "no_undo": "It is a story.",
    }
    if action == "haproxy.rollback":
        step["with"]["previous_version"] = step["with"].pop("to_version")
    check = {"id": "errors", "probe": "worlds.measure", "expect": verified, "within_s": 0.1, "every_s": 0.05}
    watch = {
        "kind": "background", "id": "watch", "after": "fix", "for_s": 60,
        "checks": [{"id": "late", "probe": "worlds.measure", "expect": "result.value < 5"}],
    }  # fmt: skip
    remedies = {
        "bad_release": [{"summary": "Roll back", "risk": "Some.", "steps": [step], "verify": [check]}]
    }
    return book(
        {"kind": "fan_out", "id": "evidence", "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}]},
        {"kind": "reduce", "id": "diagnosis", "reducer": "rank_causes", "over": ["evidence"]},
        {"kind": "plan", "id": "remedy", "diagnosis": "diagnosis", "remedies": remedies},
        {"kind": "pipeline", "id": "fix", "plan": "remedy", "approval": {}},
        watch,
        name="triage",
    )  # fmt: skip


async def _deployed(world: World, run_id: str, version: str) -> None:
    run = await world.begin(book(fix(act("shift")), name="deploy-canary"), run_id, version=version)
    await world.vote(run, BEN, key=run_id)
    await world.go(run_id)
    world.clock.forward(600)


async def _cured(world: World, runbook, run_id: str = "r1") -> None:
    run = await world.begin(runbook, run_id)
    assert run.waiting_for is not None
    world.clock.forward(90)
    await world.vote(run, BEN, key=run_id)
    await world.go(run_id)


async def test_a_rollback_in_an_incident_is_recorded_with_who_approved_and_what_it_takes_back(world, kept):
    await _deployed(world, "r0", FROM)
    await _cured(world, triage())
    record = await kept.get("r1")
    assert (record.strategy, record.service, record.previous_version, record.version) == (
        "rollback", "checkout", FROM, TO,
    )  # fmt: skip
    assert (record.rollback_of, record.outcome, record.changed) == ("r0", "succeeded", True)
    assert (record.requested_by, record.approved_by, record.why) == (ANA, (BEN,), "1.4.2 fails")
    assert (record.started_at - record.requested_at).total_seconds() == 90
    listed = history_lines(await kept.of("checkout", limit=9), service="checkout", now=world.clock.now())
    assert "`1.4` → `1.3`" in listed[1]
    assert "rollback, deployed" in listed[1]


async def test_it_counts_as_the_failure_of_what_it_took_back_and_as_the_time_to_restore(world, kept):
    await _deployed(world, "r0", FROM)
    asked_at = world.clock.now()
    await _cured(world, triage())
    known = await kept.of("checkout", limit=9)
    found = delivery(known, service="checkout", days=7, until=world.clock.now())
    assert (found.deployments, found.rollbacks) == (1, 1)
    assert (found.failures.some, found.failures.of, found.unrecovered) == (1, 1, 0)
    restored_s = ((await kept.get("r1")).finished_at - asked_at).total_seconds()
    assert found.recovery is not None
    assert (found.recovery.count, found.recovery.median_s) == (1, restored_s)
    assert found.impaired_s == restored_s >= 90


async def test_nothing_is_recorded_of_a_rollback_that_was_only_proposed(world, kept):
    run = await world.begin(triage())
    with pytest.raises(NotFoundError):
        await kept.get("r1")
    await world.vote(run, CHI, "reject")
    await world.go()
    with pytest.raises(NotFoundError):
        await kept.get("r1")


@pytest.mark.parametrize("outcome", ["running", "succeeded"])
async def test_a_worker_that_dies_beside_the_record_leaves_one_rollback_and_one_record(world, kept, outcome):
    await _deployed(world, "r0", FROM)
    kept.fatal = outcome
    with pytest.raises(ConnectionError):
        await _cured(world, triage())
    await world.go()
    rollbacks = [one for one in await kept.of("checkout", limit=9) if one.is_rollback]
    assert [(one.id, one.outcome, one.rollback_of) for one in rollbacks] == [("r1", "succeeded", "r0")]
    assert sum(effect.startswith("rollback:") for effect in BENCH.effects) == 1


async def test_a_rollback_that_does_not_help_has_failed(world, kept):
    await _deployed(world, "r0", FROM)
    await _cured(world, triage(verified="result.value < -1"))
    assert (await kept.get("r1")).outcome == "failed"
    found = delivery(await kept.of("checkout", limit=9), days=7, until=world.clock.now())
    assert (found.failures.some, found.unrecovered) == (1, 1)


async def test_the_older_name_of_the_action_is_recorded_alike(world, kept):
    await _deployed(world, "r0", FROM)
    await _cured(world, triage(action="haproxy.rollback"))
    record = await kept.get("r1")
    assert (record.previous_version, record.version, record.rollback_of) == (FROM, TO, "r0")


async def test_what_was_deployed_since_then_under_another_name_is_not_blamed(world, kept):
    await _deployed(world, "r0", FROM)
    await _deployed(world, "flag", "new-cart")
    await _cured(world, triage())
    assert (await kept.get("r1")).rollback_of == "r0"


async def test_a_version_that_the_bot_did_not_deploy_charges_no_deployment(world, kept):
    await _deployed(world, "r0", "1.2")
    await _cured(world, triage())
    assert (await kept.get("r1")).rollback_of == ""
    found = delivery(await kept.of("checkout", limit=9), days=7, until=world.clock.now())
    assert (found.failures.some, found.rollbacks) == (0, 1)
