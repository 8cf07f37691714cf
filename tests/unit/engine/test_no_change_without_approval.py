"""Whatever people click and whenever the bot looks: no change without the approvals of the plan as it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.intent import CancelRun, CastVote, SteerRun
from bot.domain.people import Person
from bot.domain.runs.event import ApprovalRequested, EffectIntended, Event, PlanRendered, VoteCast
from bot.domain.runs.run import Run, fold
from bot.engine.engine import Engine
from bot.services.intent_handler import IntentHandler
from bot.testing.memory import MemoryStore
from bot.testing.stores import memory_stores
from tests.support.worlds import (
    ANA,
    BEN,
    CHI,
    HandClock,
    People,
    Told,
    deps_over,
    renew,
    started,
)
from tests.unit.engine.small_world import CATALOGUE, UNDO, Books, act, book, diagnose
from tests.unit.engine.test_judged_steps import JUDGE, verdict

GUS = Person(id="U0GUEST", name="gus")
DAN = Person(id="U0DANIEL", name="dan")
"""A member who is in no group."""
PEOPLE = (ANA, BEN, CHI, GUS, DAN)
QUORUM = {"": 2, "second": 1}
STORY = book(
    {"kind": "plan", "id": "plan", "of": "fix", "title": "Plan"},
    {
        "kind": "pipeline",
        "id": "fix",
        "approval": {"quorum": QUORUM[""], "expires_s": 600},
        "steps": [
            act("first", undo=UNDO, judge={**JUDGE, "for_s": 2, "ask": {"expires_s": 60}}),
            act("second", undo=UNDO, approval={"quorum": QUORUM["second"], "expires_s": 300}),
            act("third", no_undo="it is the last"),
        ],
    },
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("vote"), st.sampled_from(PEOPLE), st.sampled_from(("approve", "approve", "reject"))),
        st.tuples(st.just("old vote"), st.sampled_from(PEOPLE), st.just("approve")),
        st.tuples(st.just("steer"), st.sampled_from(PEOPLE), st.sampled_from(("promote", "pause", "resume", "abort"))),
        st.tuples(st.just("later"), st.integers(1, 700), st.none()),
        st.tuples(st.just("another plan"), st.none(), st.none()),
        st.tuples(st.just("cancel"), st.sampled_from(PEOPLE), st.none()),
    ),
    max_size=14,
)  # fmt: skip


@dataclass
class Theatre:
    """One run of the story, and everything people may do to it."""

    store: MemoryStore
    clock: HandClock
    engine: Engine
    desk: IntentHandler
    clicks: int = 0

    async def read(self) -> Run:
        return fold("r1", await self.store.load("r1"))

    async def play(self, move: tuple[str, Any, Any]) -> None:
        """Make one move, then let the bot look."""
        what, who, how = move
        run = await self.read()
        self.clicks += 1
        common = {"key": f"c{self.clicks}", "at": self.clock.now(), "channel": "C1"}
        match what:
            case "vote" | "old vote" if run.approvals:
                gates = list(run.approvals)
                gate = gates[-1] if what == "vote" else gates[0]
                await self.desk.handle(CastVote(approval_id=gate, verdict=how, by=who, **common))
            case "steer":
                await self.desk.handle(SteerRun(run_id="r1", word=how, by=who, **common))
            case "cancel":
                await self.desk.handle(CancelRun(run_id="r1", by=who, **common))
            case "later":
                self.clock.forward(who)
            case "another plan" if (plan := run.plan_for("fix")) is not None and run.outcome is None:
                changed = replace_plan(plan, number=self.clicks)
                event = PlanRendered(at=self.clock.now(), phase="plan", plan=changed)
                await self.store.interject("r1", (event,), length=run.length, wake=True)
        await self.engine.advance("r1")


def replace_plan(plan, *, number):
    """Give the plan with one argument of its last step changed."""
    *before, last = plan.steps
    other = last.but(arguments={**last.arguments, "name": f"third-{number}"})
    return plan.but(steps=(*before, other), pinned_digest="").pinned()


async def theatre(decision: str) -> Theatre:
    renew()
    store, clock, people, told = MemoryStore(), HandClock(), People(outsiders={GUS.id}), Told()

    def judge(case):
        clock.forward(1)
        return verdict(decision)

    deps = deps_over(
        memory_stores(clock, store=store),
        http=httpx.AsyncClient(transport=httpx.AsyncBaseTransport()),  # nothing here uses the network
        library=Books(),
        catalogue=CATALOGUE,
        clock=clock,
        reducers={"rank_causes": diagnose},
        judge=judge,
        directory=people,
    )
    desk = IntentHandler(deps, directory=people, notifier=told)
    await store.start("r1", started(STORY, at=clock.now()))
    made = Theatre(store, clock, Engine(deps), desk)
    await made.engine.advance("r1")
    return made


def unapproved(events: tuple[Event, ...]) -> list[str]:
    """List the changes whose gates were not passed by enough people for the plan as it then stood.

    Told from the journal alone, and from nothing that the engine decided: who voted for what, and when.
    """
    digest, gates, votes, wrong = "", {}, {}, []
    for event in events:
        match event:
            case PlanRendered():
                digest = event.plan.digest
            case ApprovalRequested():
                gates[event.approval.step] = event.approval
                votes[event.approval.id] = set()
            case VoteCast(verdict="approve"):
                gate = next(gate for gate in gates.values() if gate.id == event.approval_id)
                if event.at < gate.requested_at + timedelta(seconds=gate.policy.expires_s):
                    votes[gate.id].add(event.by.id)
            case EffectIntended(undo=False):
                for step in {"", event.step} & QUORUM.keys():
                    gate = gates.get(step)
                    agreed = set() if gate is None else votes[gate.id] & {BEN.id, CHI.id}
                    if gate is None or len(agreed) < QUORUM[step] or gate.plan_hash != digest:
                        wrong.append(event.step)
    return wrong


@settings(max_examples=150, deadline=None)
@given(moves=MOVES, decision=st.sampled_from(("proceed", "stop", "ask")))
async def test_nothing_is_changed_without_the_approvals_of_the_current_plan(moves, decision):
    stage = await theatre(decision)
    for move in moves:
        await stage.play(move)
    assert unapproved(await stage.store.load("r1")) == []


async def test_the_way_that_people_agree_to_is_gone_to_its_end():
    stage = await theatre("proceed")
    for who in (BEN, CHI, BEN):
        await stage.play(("vote", who, "approve"))
    run = await stage.read()
    assert run.outcome == "done"
    assert unapproved(await stage.store.load("r1")) == []


async def test_an_approval_is_void_once_anything_in_the_plan_has_changed():
    stage = await theatre("proceed")
    await stage.play(("vote", BEN, "approve"))
    await stage.play(("another plan", None, None))
    await stage.play(("vote", CHI, "approve"))
    events = await stage.store.load("r1")
    assert not [event for event in events if isinstance(event, EffectIntended)]


async def test_the_oracle_sees_what_was_not_agreed_to():
    stage = await theatre("proceed")
    for who in (BEN, CHI, BEN):
        await stage.play(("vote", who, "approve"))
    events = tuple(e for e in await stage.store.load("r1") if not (isinstance(e, VoteCast) and e.by == CHI))
    assert unapproved(events) == ["first", "second", "third"]
