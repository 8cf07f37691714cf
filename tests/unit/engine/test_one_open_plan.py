"""A service has at most one plan that waits for approval, and one whose ground is gone is withdrawn."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bot.domain.diagnoses.finding import Facts
from bot.domain.intent import StartRun
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.ending import ending_of
from bot.domain.runs.event import Origin
from bot.domain.runs.run import Run
from bot.engine.engine import Engine
from bot.engine.phases import approval_gate as gate
from bot.engine.plugins import Context, Plugin, Plugins, params_of
from bot.services.intent_handler import IntentHandler
from bot.services.run_starter import run_id_of
from bot.testing.links import MemoryLinks
from bot.views import ids
from bot.views.thread.run import run_messages
from tests.support.worlds import BEN, BENCH
from tests.unit.engine.small_world import CATALOGUE, World, act, book, fix

SERVING = {"stable": "1.4.1", "candidate": ""}
SERVICE = {"service": {"type": "service"}, "dry_run": {"type": "boolean", "default": False}, "emergency": {}}


async def observe(ctx: Context, *, service: str) -> Facts:
    """Tell what serves."""
    versions = {role: {"version": version} for role, version in SERVING.items()}
    return Facts(summary="seen", data=versions)


OBSERVE = Plugin(
    name="deploy.observe",
    kind="probe",
    specialist="cicd",
    function=observe,
    params=params_of(observe),
    summary="x",
)
LOOK = {
    "kind": "explore",
    "id": "look",
    "steps": [{"id": "now", "probe": "deploy.observe", "with": {"service": "{{ params.service }}"}}],
}
DEPLOY = book(
    LOOK,
    {"kind": "plan", "id": "plan", "of": "fix", "summary": "Deploy 1.5.0"},
    fix(act("shift")),
    name="deploy-canary",
    params=SERVICE,
)
ROLLBACK = book(
    {"kind": "plan", "id": "plan", "of": "fix", "summary": "Roll back"},
    fix(act("back")),
    name="rollback",
    params=SERVICE,
)


def triage(service: str = "{{ params.service }}"):
    step = {**act("heal", no_undo="never"), "with": {"name": "heal"}}
    check = {"id": "errors", "title": "Errors", "probe": "worlds.measure", "expect": "result.value < 5"}
    return book(
        {"kind": "fan_out", "id": "evidence", "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}]},
        {"kind": "reduce", "id": "diagnosis", "reducer": "rank_causes", "over": ["evidence"]},
        {"kind": "plan", "id": "remedy", "diagnosis": "diagnosis", "verify": [check],
         "remedies": {"bad_release": [{"summary": "Heal it", "risk": "None.", "steps": [step]}]}},
        {"kind": "pipeline", "id": "fix", "plan": "remedy", "approval": {}},
        name="triage",
    )  # fmt: skip


@pytest.fixture(autouse=True)
def serving(world: World):
    SERVING.update(stable="1.4.1", candidate="")
    plugins = Plugins({**world.deps.plugins.by_name, "deploy.observe": OBSERVE})
    services = (*CATALOGUE.services, CATALOGUE.services[0].but(name="payments"))
    catalogue = CATALOGUE.but(services=services)
    world.deps = replace(world.deps, plugins=plugins, links=MemoryLinks(), catalogue=catalogue)
    world.engine = Engine(world.deps)
    world.desk = IntentHandler(world.deps, directory=world.people, notifier=world.told)
    for runbook in (DEPLOY, ROLLBACK, triage()):
        world.books.books[runbook.name] = runbook


def shown(run: Run) -> str:
    return "\n".join(message.text for message in run_messages(run, now=run.started_at))


def buttons(run: Run) -> list[str]:
    return [
        item["action_id"]
        for message in run_messages(run, now=run.started_at)
        for block in message.blocks
        if block["type"] == "actions"
        for item in block["elements"]
    ]


async def looked(world: World, run_id: str = "r1") -> Run:
    """Let half a minute pass, and whatever is due happen."""
    world.clock.forward(30)
    await world.store.pump(now=world.clock.now())
    return await world.go(run_id)


async def fires(world: World, *, status: str = "firing", service: str = "checkout") -> Alert:
    facts = {"fingerprint": "f", "name": "Errors", "service": service, "severity": "page"}
    alert = Alert.model_validate({**facts, "status": status, "starts_at": world.clock.now()})
    await world.stores.alerts.report(alert)
    return alert


async def ends(world: World, alert: Alert) -> None:
    over = alert.but(status="resolved", ends_at=world.clock.now())
    await world.stores.alerts.report(over)


async def test_a_second_plan_is_not_asked_for_and_points_to_the_first(world: World):
    await world.begin(DEPLOY, "r1")
    world.deps.links.known["r1"] = "https://chat.example/p1"
    second = await world.begin(DEPLOY, "r2")
    assert (second.outcome, second.approvals) == ("withdrawn", {})
    assert second.summary == (
        "Nothing was changed: a plan for `checkout` by Ana already waits for approval (“Deploy 1.5.0”):"
        " https://chat.example/p1."
    )
    assert ending_of(second) == "withdrawn"
    assert "https://chat.example/p1" in shown(second)
    assert (await world.read("r1")).waiting_for is not None


async def test_of_many_that_come_to_their_approval_at_the_same_instant_one_asks(world: World):
    runs = await asyncio.gather(*(world.begin(DEPLOY, f"r{number}") for number in range(10)))
    assert [run.outcome for run in runs].count("withdrawn") == 9
    assert sum(run.waiting_for is not None for run in runs) == 1


async def test_once_the_first_is_decided_the_next_may_ask(world: World):
    first = await world.begin(DEPLOY, "r1")
    await world.vote(first, BEN)  # approved, and not carried out yet
    assert (await world.begin(DEPLOY, "r2")).waiting_for is not None
    await world.vote(await world.read("r2"), BEN, verdict="reject", key="k2")
    await world.go("r2")
    assert (await world.begin(DEPLOY, "r3")).waiting_for is not None


async def test_another_service_has_a_plan_of_its_own(world: World):
    await world.begin(DEPLOY, "r1")
    assert (await world.begin(DEPLOY, "r2", service="payments")).waiting_for is not None


async def test_a_rollback_takes_the_place_of_a_deployment_that_waits_and_its_thread_says_so(world: World):
    await world.begin(DEPLOY, "r1")
    assert (await world.begin(ROLLBACK, "r2")).waiting_for is not None
    first = await world.go("r1")
    assert (first.outcome, first.waiting_for) == ("withdrawn", None)
    assert "a rollback of `checkout` was proposed" in first.summary
    assert "rollback of" in shown(first), shown(first)
    assert ids.APPROVE not in buttons(first)


async def test_a_deployment_that_is_just_asking_when_a_rollback_takes_its_place_is_withdrawn_too(
    world: World, monkeypatch
):
    begun: list[bool] = []
    find = gate.find_audience

    async def late(*args, **more):
        if not begun:
            begun.append(True)
            await world.begin(ROLLBACK, "r2")
        return await find(*args, **more)

    monkeypatch.setattr(gate, "find_audience", late)
    first = await world.begin(DEPLOY, "r1")
    assert begun
    assert (first.outcome, first.waiting_for) == ("withdrawn", None)
    assert "a rollback of `checkout` was proposed" in first.summary
    assert (await world.read("r2")).waiting_for is not None


async def test_a_deployment_and_a_second_rollback_wait_for_a_rollback_that_is_open(world: World):
    await world.begin(ROLLBACK, "r1")
    for number, runbook in enumerate((DEPLOY, ROLLBACK, triage()), start=2):
        run = await world.begin(runbook, f"r{number}")
        assert (run.outcome, run.waiting_for) == ("withdrawn", None)
    assert (await world.read("r1")).waiting_for is not None


async def ask(world: World, runbook: str, *, key: str = "k", **params) -> str:
    origin = Origin(kind="command", channel="C1")
    params = {"service": "checkout", **params}
    await world.desk.handle(
        StartRun(key=key, at=world.clock.now(), runbook=runbook, params=params, by=BEN, origin=origin)
    )
    return world.told.notices[-1].text if world.told.notices else ""


async def test_who_asks_for_a_second_one_is_told_at_once_and_nothing_starts(world: World):
    await world.begin(DEPLOY, "r1")
    world.deps.links.known["r1"] = "https://chat.example/p1"
    assert await ask(world, "deploy-canary") == (
        "Not started: a plan for `checkout` by Ana already waits for approval (“Deploy 1.5.0”):"
        " https://chat.example/p1. Decide that one first, or cancel it in its thread."
    )
    assert await world.store.recent() == ("r1",)


@pytest.mark.parametrize(
    ("runbook", "params"), [("deploy-canary", {"dry_run": True}), ("rollback", {}), ("triage", {})]
)
async def test_what_needs_no_approval_of_its_own_and_what_comes_first_is_started(
    world: World, runbook, params
):
    await world.begin(DEPLOY, "r1")
    assert await ask(world, runbook, **params) == ""
    assert run_id_of("k") in await world.store.recent()


async def test_an_emergency_rollback_is_never_held_up_by_an_open_plan(world: World):
    await world.begin(ROLLBACK, "r1")
    assert "Not started" in await ask(world, "rollback", key="k1")
    world.told.notices.clear()
    assert await ask(world, "rollback", key="k2", emergency="orders are lost") == ""
    assert run_id_of("k2") in await world.store.recent()


async def test_a_redelivered_request_is_not_refused_for_its_own_plan(world: World):
    await ask(world, "deploy-canary")
    await world.go(run_id_of("k"))
    assert await ask(world, "deploy-canary") == ""


async def test_a_plan_is_withdrawn_when_something_else_serves_than_it_was_made_from(world: World):
    run = await world.begin(DEPLOY, "r1")
    assert (await looked(world)).waiting_for is not None
    SERVING["stable"] = "1.4.9"
    run = await looked(world)
    assert run.outcome == "withdrawn"
    assert "what serves has changed: 1.4.1 then, 1.4.9 now" in run.summary
    assert ids.APPROVE not in buttons(run)
    assert "what serves has changed" in shown(run)
    assert (await world.vote(run, BEN)).outcome == "withdrawn", "a late click counts for nothing"


async def back_to(ctx: Context, *, service: str) -> Facts:
    """Tell where a rollback leads."""
    rolling = bool(SERVING["candidate"])
    data = {"version": "1.4.0", "current": "x", "serves": None if rolling else SERVING["stable"]}
    return Facts(summary="back", data=data)


def rollback_that_looks(world: World):
    plugin = replace(OBSERVE, name="deploy.back_to", function=back_to, params=params_of(back_to))
    plugins = Plugins({**world.deps.plugins.by_name, "deploy.back_to": plugin})
    world.deps = replace(world.deps, plugins=plugins)
    world.engine = Engine(world.deps)
    ground = {
        "kind": "explore",
        "id": "ground",
        "steps": [{"id": "back", "probe": "deploy.back_to", "with": {"service": "{{ params.service }}"}}],
    }
    plan = {"kind": "plan", "id": "plan", "of": "fix", "summary": "Roll back"}
    return book(ground, plan, fix(act("back")), name="rollback", params=SERVICE)


async def test_a_rollback_is_withdrawn_once_the_version_that_it_takes_back_serves_no_more(world: World):
    await world.begin(rollback_that_looks(world), "r1")
    SERVING["candidate"] = "1.3.9"  # what is kept warm does not matter
    assert (await looked(world)).waiting_for is not None
    SERVING["stable"] = "1.6.0"
    run = await looked(world)
    assert run.outcome == "withdrawn"
    assert "what serves has changed: 1.4.1 then, 1.6.0 now" in run.summary


async def test_a_rollback_of_a_rollout_under_way_is_not_withdrawn_by_the_end_of_that(world: World):
    SERVING["candidate"] = "1.5.0"
    await world.begin(rollback_that_looks(world), "r1")
    SERVING.update(stable="1.4.1", candidate="")
    assert (await looked(world)).waiting_for is not None


async def test_a_plan_stays_while_no_single_version_serves(world: World):
    await world.begin(DEPLOY, "r1")
    SERVING["stable"] = ""
    assert (await looked(world)).waiting_for is not None


async def test_the_fix_of_a_triage_is_withdrawn_once_its_alert_is_over_and_the_service_is_well(world: World):
    alert = await fires(world)
    BENCH.value = 7
    assert (await world.begin(triage())).waiting_for is not None
    await ends(world, alert)
    assert (await looked(world)).waiting_for is not None, "its errors are still high"
    BENCH.value = 1
    run = await looked(world)
    assert run.outcome == "withdrawn"
    assert "checkout has recovered: Errors is over, Errors: 1 errors" in run.summary
    assert ids.APPROVE not in buttons(run)


async def test_it_stays_while_an_alert_fires_or_nothing_can_be_measured(world: World):
    alert = await fires(world)
    await world.begin(triage())
    assert (await looked(world)).waiting_for is not None
    await ends(world, alert)
    BENCH.down.add("value")
    assert (await looked(world)).waiting_for is not None
    BENCH.down.clear()
    assert (await looked(world)).outcome == "withdrawn"


async def test_a_triage_without_an_alert_is_never_taken_for_recovered(world: World):
    await world.begin(triage())
    await ends(world, await fires(world, service="payments"))
    assert (await looked(world)).waiting_for is not None


async def test_a_plan_without_a_ground_to_check_wakes_no_worker(world: World):
    await world.begin(book(fix(act("a"))))
    world.clock.forward(30)
    assert await world.store.pump(now=world.clock.now()) == 0
