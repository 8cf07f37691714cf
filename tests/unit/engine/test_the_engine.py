"""What the engine promises, told with the memory twins and a world of one number."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx
import pytest

from bot.adapters.memory import MemoryAlertBook, MemoryLedger, MemoryStore
from bot.domain.catalogue import Catalogue, Service
from bot.domain.diagnosis import Cause, CauseKind, Diagnosis
from bot.domain.event import EffectIntended, Origin, PhaseStarted, StepFinished, StepRef
from bot.domain.intent import CancelRun, CastVote, StartRun
from bot.domain.run import Run, fold
from bot.domain.runbook import Runbook
from bot.engine.deps import Deps, ReduceInput
from bot.engine.desk import Desk, run_id_of
from bot.engine.engine import Engine
from tests.worlds import ANA, BEN, BENCH, CHI, HandClock, People, Told, renew, started, world_plugins

CATALOGUE = Catalogue(services=(Service(name="checkout", approvers=("oncall",)),))


def step(name, **more):
    return {"id": name, "probe": "worlds.read", "with": {"name": name}, **more}


def act(name, **more):
    return {"id": name, "action": "worlds.act", "with": {"name": name}, **more}


def book(*phases, name="story", **more):
    return Runbook.model_validate(
        {
            "name": name,
            "summary": "A story.",
            "params": {"service": {"type": "service"}},
            "phases": phases,
            **more,
        }
    )


def fix(*steps, **more):
    return {"kind": "pipeline", "id": "fix", "steps": steps, "approval": {}, **more}


UNDO = {"action": "worlds.act", "with": {"name": "undo-{{ result.before.name }}"}}


class Books:
    """A library of whatever the test puts in."""

    def __init__(self):
        self.books = {}

    def get(self, name):
        return self.books[name]

    def names(self):
        return tuple(self.books)


@dataclass
class World:
    """The engine, its desk and everything around them."""

    store: MemoryStore
    clock: HandClock
    people: People
    told: Told
    books: Books
    engine: Engine
    desk: Desk
    deps: Deps

    async def begin(self, runbook, run_id="r1", **params):
        await self.store.start(run_id, started(runbook, at=self.clock.now(), **params))
        return await self.go(run_id)

    async def go(self, run_id="r1") -> Run:
        await self.engine.advance(run_id)
        return await self.read(run_id)

    async def read(self, run_id="r1") -> Run:
        return fold(run_id, await self.store.load(run_id))

    async def vote(self, run, who, verdict="approve", key="k1"):
        gate = list(run.approvals.values())[-1]
        intent = CastVote(
            key=key, at=self.clock.now(), approval_id=gate.id, verdict=verdict, by=who, channel="C0CHECKOUT"
        )
        await self.desk.handle(intent)
        return await self.read(run.id)


def diagnose(given: ReduceInput) -> Diagnosis:
    verdict = given.arguments.get("verdict", "cause_found")
    cause = Cause(
        kind=CauseKind.BAD_RELEASE,
        service="checkout",
        summary="1.4.2 fails",
        confidence=0.9,
        data={"version": "1.4"},
    )
    return Diagnosis(service="checkout", verdict=verdict, summary="1.4.2 fails", causes=(cause,))


@pytest.fixture
async def world():
    renew()
    store, clock, people, told, books = MemoryStore(), HandClock(), People(), Told(), Books()
    async with httpx.AsyncClient() as http:
        deps = Deps(
            journal=store,
            library=books,
            plugins=world_plugins(),
            reducers={"rank_causes": diagnose},
            catalogue=CATALOGUE,
            clock=clock,
            http=http,
            ledger=MemoryLedger(clock),
            settings={"watch_s": 30},
        )
        desk = Desk(deps, directory=people, alerts=MemoryAlertBook(), board=store.board, teller=told)
        yield World(store, clock, people, told, books, Engine(deps), desk, deps)


# --- gathering ---------------------------------------------------------------------------------------------


async def test_a_fan_out_runs_its_steps_at_once_and_keeps_each_answer(world):
    run = await world.begin(
        book({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b"), step("c")]})
    )
    assert run.state == "finished"
    assert run.phases["look"].outcome == "ok"
    assert [s.result["summary"] for s in run.phases["look"].steps.values()] == ["read a", "read b", "read c"]


async def test_a_hanging_step_costs_no_more_than_the_deadline_and_is_said_to_be_late(world):
    phase = {"kind": "fan_out", "id": "look", "deadline_s": 0.1, "steps": [step("a"), step("hangs")]}
    run = await world.begin(book(phase))
    assert run.phases["look"].outcome == "partial"
    assert run.phases["look"].steps["a"].outcome == "ok"
    assert run.phases["look"].steps["hangs"].outcome == "timed_out"


async def test_a_source_that_is_down_is_a_result_and_no_crash(world):
    BENCH.down.add("b")
    run = await world.begin(book({"kind": "explore", "id": "look", "steps": [step("a"), step("b")]}))
    assert run.phases["look"].steps["b"].outcome == "unavailable"
    assert run.phases["look"].steps["b"].error == "b does not answer."
    assert run.outcome == "done"


def answered(run, name):
    known = run.phases["look"].steps.get(name)
    return known is not None and known.outcome is not None


async def test_partial_answers_can_be_read_while_others_still_run(world):
    phase = {"kind": "fan_out", "id": "look", "deadline_s": 5, "steps": [step("a"), step("hangs")]}
    await world.store.start("r1", started(book(phase)))
    task = asyncio.create_task(world.engine.advance("r1"))
    async with asyncio.timeout(5):
        while not answered(await world.read(), "a"):  # noqa: ASYNC110  # the journal is what is waited for
            await asyncio.sleep(0.01)
    assert (await world.read()).phases["look"].steps["hangs"].outcome is None
    BENCH.hang.set()
    await task
    assert (await world.read()).phases["look"].steps["hangs"].outcome == "ok"


async def test_one_step_for_each_item_of_a_list(world):
    each = {"id": "look", "probe": "worlds.read", "with": {"name": "{{ item }}"}, "for_each": "['x', 'y']"}
    run = await world.begin(book({"kind": "fan_out", "id": "all", "steps": [each]}))
    assert [s.result["data"]["name"] for s in run.phases["all"].steps.values()] == ["x", "y"]


async def test_a_recorded_result_is_never_recomputed(world):
    runbook = book({"kind": "fan_out", "id": "look", "steps": [step("a"), step("b")]})
    await world.store.start("r1", started(runbook))
    taken = await world.store.take("r1")
    refs = (StepRef(id="a", title="a"), StepRef(id="b", title="b"))
    facts = (
        PhaseStarted(at=world.clock.now(), phase="look", steps=refs),
        StepFinished(at=world.clock.now(), phase="look", step="a", outcome="ok", result={"summary": "first"}),
    )
    await world.store.append("r1", facts, epoch=taken.epoch)
    run = await world.go()
    assert BENCH.calls == ["b"]
    assert run.phases["look"].steps["a"].result == {"summary": "first"}


# --- approval ----------------------------------------------------------------------------------------------


async def test_nothing_happens_before_somebody_else_approved(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    assert run.state == "waiting"
    assert (await world.go()).state == "waiting"
    assert BENCH.effects == []
    run = await world.vote(run, ANA)
    assert "you cannot approve it" in world.told.notices[-1].text
    assert BENCH.effects == []
    await world.vote(run, BEN, key="k2")
    run = await world.go()
    assert run.phases["fix"].outcome == "ok"
    assert len(BENCH.effects) == 1


@pytest.mark.parametrize(
    ("who", "prepare", "answer"),
    [
        (ANA, lambda w: None, "you cannot approve it"),
        (BEN, lambda w: w.people.groups["oncall"].discard(BEN.id), "Only members of @oncall"),
        (BEN, lambda w: w.people.outsiders.add(BEN.id), "you are a guest"),
        (BEN, lambda w: w.clock.forward(1801), "expired"),
    ],
)
async def test_a_click_that_may_not_count_is_answered_with_the_reason(world, who, prepare, answer):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    prepare(world)
    run = await world.vote(run, who)
    assert run.waiting_for is not None
    assert answer in world.told.notices[-1].text
    assert BENCH.effects == []


async def test_two_people_at_the_same_instant_make_one_decision_and_the_other_is_told(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await asyncio.gather(world.vote(run, BEN, key="k1"), world.vote(run, CHI, key="k2"))
    run = await world.go()
    assert len(run.approvals["".join(run.approvals)].approved_by) == 1
    assert [n for n in world.told.notices if "already approved" in n.text]
    assert len(BENCH.effects) == 1


async def test_the_same_click_delivered_twice_is_one_vote_of_two(world):
    run = await world.begin(book(fix(act("a", undo=UNDO), approval={"quorum": 2})))
    for _ in range(2):
        run = await world.vote(run, BEN, key="same")
    assert run.state == "waiting"
    assert len(run.waiting_for.approved_by) == 1
    await world.vote(run, CHI, key="other")
    assert (await world.go()).phases["fix"].outcome == "ok"


async def test_a_rejection_ends_the_run_and_changes_nothing(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN, verdict="reject")
    run = await world.go()
    assert (run.outcome, BENCH.effects) == ("rejected", [])


async def test_an_approval_that_nobody_gave_expires(world):
    await world.begin(book(fix(act("a", undo=UNDO))))
    world.clock.forward(1801)
    assert await world.store.pump(now=world.clock.now()) == 1
    run = await world.go()
    assert (run.outcome, BENCH.effects) == ("expired", [])


async def test_a_cancelled_run_ends_without_doing_more(world):
    await world.begin(book(fix(act("a", undo=UNDO))))
    await world.desk.handle(CancelRun(key="c", at=world.clock.now(), run_id="r1", by=BEN, channel="C1"))
    run = await world.go()
    assert (run.outcome, run.waiting_for, BENCH.effects) == ("cancelled", None, [])


async def test_a_step_with_a_gate_of_its_own_waits_for_it(world):
    run = await world.begin(book(fix(act("a", undo=UNDO), act("b", undo=UNDO, approval={}))))
    await world.vote(run, BEN)
    run = await world.go()
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a"]
    assert run.waiting_for.step == "b"
    await world.vote(run, BEN, verdict="reject", key="k2")
    run = await world.go()
    assert run.outcome == "rejected"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "undo-a"]


async def test_the_plan_that_was_shown_is_the_plan_that_is_carried_out(world):
    plan = {"kind": "plan", "id": "card", "of": "fix"}
    run = await world.begin(book(plan, fix(act("a", undo=UNDO))))
    assert run.waiting_for.plan_hash == run.phases["card"].plan.digest
    await world.vote(run, BEN)
    assert (await world.go()).phases["fix"].outcome == "ok"


# --- effects -----------------------------------------------------------------------------------------------


async def approved(world, *phases):
    run = await world.begin(book(*phases))
    await world.vote(run, BEN)
    return await world.go()


async def test_the_first_failure_stops_a_pipeline_and_undoes_in_reverse(world):
    BENCH.down.add("c")
    run = await approved(
        world, fix(act("a", undo=UNDO), act("b", undo=UNDO), act("c", undo=UNDO), act("d", undo=UNDO))
    )
    assert run.outcome == "failed"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "b", "undo-b", "undo-a"]
    assert "c was refused" in run.summary


async def crash_after_intent(world, *, done: bool):
    """An earlier owner wrote its intent and died, before or after the effect."""
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    taken = await world.store.take("r1")
    key = "r1:fix:a"
    intent = EffectIntended(at=world.clock.now(), phase="fix", step="a", key=key, epoch=taken.epoch)
    await world.store.append("r1", (intent,), epoch=taken.epoch)
    if done:
        BENCH.effects.append(f"a:{key}")
    return await world.go()


@pytest.mark.parametrize("done", [True, False])
async def test_an_effect_in_doubt_is_looked_for_before_it_is_done_again(world, done):
    run = await crash_after_intent(world, done=done)
    assert run.phases["fix"].outcome == "ok"
    assert BENCH.effects == ["a:r1:fix:a"]


async def test_a_worker_that_lost_its_run_writes_and_does_nothing_more(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    before = await world.store.load("r1")
    taking = world.store.take

    async def overtaken(run_id):
        mine = await taking(run_id)
        await taking(run_id)
        return mine

    world.store.take = overtaken
    await world.engine.advance("r1")
    assert await world.store.load("r1") == before
    assert BENCH.effects == []


# --- diagnosis, verification, watch ------------------------------------------------------------------------

CHECK = {
    "id": "errors",
    "probe": "worlds.measure",
    "expect": "result.value <= 1",
    "within_s": 0.3,
    "every_s": 0.02,
}


def triage(verdict="cause_found", **check):
    return (
        {"kind": "fan_out", "id": "evidence", "steps": [step("a")]},
        {
            "kind": "reduce",
            "id": "diagnosis",
            "reducer": "rank_causes",
            "over": ["evidence"],
            "with": {"verdict": verdict},
        },
        {
            "kind": "plan",
            "id": "remedy",
            "diagnosis": "diagnosis",
            "remedies": {
                "bad_release": [
                    {
                        "summary": "Roll {{ cause.service }} back from {{ cause.data.version }}",
                        "steps": [act("{{ cause.data.version }}", undo=UNDO) | {"id": "back"}],
                        "verify": [{**CHECK, **check}],
                    }
                ]
            },
        },
        {"kind": "pipeline", "id": "fix", "plan": "remedy", "approval": {}},
        {
            "kind": "background",
            "id": "watch",
            "after": "fix",
            "for_s": "settings.watch_s",
            "every_s": 10,
            "checks": [CHECK],
        },
    )


async def test_the_remedy_of_the_cause_is_approved_applied_verified_and_watched(world):
    run = await approved(world, *triage())
    assert run.phases["remedy"].plan.summary == "Roll checkout back from 1.4"
    assert run.phases["remedy"].plan.steps[0].arguments == {"name": "1.4"}
    assert (run.state, run.phases["fix"].outcome) == ("running", "ok")
    for _ in range(4):
        world.clock.forward(10)
        if await world.store.pump(now=world.clock.now()):
            run = await world.go()
    assert (run.outcome, run.phases["watch"].samples_total) == ("recovered", 3)


async def test_a_fix_that_does_not_help_is_said_not_to_have_helped(world):
    BENCH.value = 5
    run = await approved(world, *triage())
    assert run.outcome == "not_recovered"
    assert len(BENCH.effects) == 1


async def test_recovery_that_cannot_be_measured_is_not_recovery(world):
    BENCH.down.add("value")
    run = await approved(world, *triage())
    assert run.outcome == "not_recovered"
    assert run.phases["fix"].steps["verify:errors"].outcome == "unavailable"


async def test_trouble_that_comes_back_during_the_watch_is_said_and_may_start_a_runbook(world):
    world.books.books["again"] = book({"kind": "explore", "id": "look", "steps": [step("a")]}, name="again")
    phases = triage()
    phases[-1]["on_breach"] = "again"
    await approved(world, *phases)
    BENCH.value = 5
    for _ in range(2):
        world.clock.forward(10)
        await world.store.pump(now=world.clock.now())
        run = await world.go()
    assert run.outcome == "breached"
    assert (await world.read("r1-watch")).params == {"service": "checkout"}


@pytest.mark.parametrize("verdict", ["no_fault_found", "unclear"])
async def test_without_a_cause_nothing_is_proposed(world, verdict):
    run = await world.begin(book(*triage(verdict)))
    assert (run.outcome, run.approvals) == (verdict, {})


async def test_a_watch_beside_the_steps_stops_and_undoes_them(world):
    BENCH.value = 5
    slow = {
        "id": "errors",
        "probe": "worlds.measure",
        "expect": "result.value <= 1",
        "within_s": 2,
        "every_s": 0.05,
    }
    never = {**slow, "expect": "result.value < 0"}
    run = await approved(world, fix(act("a", undo=UNDO), watch=[slow], verify=[never]))
    assert run.phases["fix"].outcome == "breached"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "undo-a"]


# --- starting ----------------------------------------------------------------------------------------------


async def test_a_redelivered_command_is_one_run_and_an_outsider_starts_none(world):
    world.books.books["look"] = book({"kind": "explore", "id": "look", "steps": [step("a")]}, name="look")
    intent = StartRun(
        key="trigger-1",
        at=world.clock.now(),
        runbook="look",
        params={"service": "checkout"},
        by=ANA,
        origin=Origin(kind="command", channel="C1"),
    )
    for _ in range(2):
        await world.desk.handle(intent)
    assert await world.store.recent() == (run_id_of("trigger-1"),)
    world.people.outsiders.add(BEN.id)
    await world.desk.handle(intent.model_copy(update={"key": "trigger-2", "by": BEN}))
    assert len(await world.store.recent()) == 1
    assert "you are a guest" in world.told.notices[-1].text


async def test_an_alert_that_two_people_click_is_triaged_once_and_the_second_is_told_who_is_on_it(world):
    world.books.books["look"] = book(fix(act("a", undo=UNDO)), name="look")
    intents = [
        StartRun(
            key=f"trigger-{person.name}",
            at=world.clock.now(),
            runbook="look",
            params={"service": "checkout"},
            by=person,
            origin=Origin(kind="button", channel="C1", thread="1.0", alert="f-1"),
        )
        for person in (ANA, BEN)
    ]
    await asyncio.gather(*(world.desk.handle(intent) for intent in intents))
    (run_id,) = await world.store.recent()
    assert [(n.user, n.text[:15]) for n in world.told.notices] == [(BEN.id, "<@U0ANA00001> i")]
    await world.go(run_id)
    await world.desk.handle(CancelRun(key="c", at=world.clock.now(), run_id=run_id, by=BEN, channel="C1"))
    await world.go(run_id)
    await world.desk.handle(intents[1])
    assert len(await world.store.recent()) == 2
