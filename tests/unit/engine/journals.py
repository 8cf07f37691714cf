"""Plausible journals, drawn by lot: what a run's life may look like, told by one owner or by several."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

from hypothesis import strategies as st

from bot.domain.runs.approval import Approval
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalReminded,
    ApprovalRequested,
    CancelRequested,
    EffectIntended,
    Event,
    PhaseFinished,
    PhaseOutcome,
    PhaseStarted,
    PlanRendered,
    RunFinished,
    RunOutcome,
    StepFinished,
    StepOutcome,
    StepRef,
    StepUndone,
    TurnAwaited,
    TurnTaken,
    VoteCast,
    WatchSampled,
)
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.runbook import ApprovalPolicy
from tests.support.worlds import ANA, BEN, CHI, START, started
from tests.unit.engine.small_world import UNDO, act, book, fix, step

BOOK = book(
    {"kind": "fan_out", "id": "evidence", "steps": [step("x"), step("y")]},
    {"kind": "reduce", "id": "judged", "reducer": "rank_causes", "over": ["evidence"]},
    fix(act("a", undo=UNDO), act("b", undo=UNDO)),
    {
        "kind": "background",
        "id": "watch",
        "checks": [{"id": "errors", "probe": "worlds.measure", "expect": "result.value < 5"}],
    },
)
AT = st.integers(0, 3600).map(lambda seconds: START + timedelta(seconds=seconds))
STEP_OUTCOMES = st.sampled_from(get_args(StepOutcome))
TEXTS = st.text(max_size=12)

Facts = st.SearchStrategy[list[Event]]


def results(phase: str, *steps: str) -> Facts:
    """Results of steps in any order; a late one may come after the one that stands."""
    one = st.builds(
        StepFinished,
        at=AT,
        phase=st.just(phase),
        step=st.sampled_from(steps),
        outcome=STEP_OUTCOMES,
        result=st.none() | st.just({"value": 1}),
        error=TEXTS,
    )
    return st.lists(one, max_size=2 * len(steps))


def finished(phase: str) -> Facts:
    outcomes = st.sampled_from(get_args(PhaseOutcome))
    return st.builds(PhaseFinished, at=AT, phase=st.just(phase), outcome=outcomes, why=TEXTS).map(
        lambda e: [e]
    )


def begun(phase: str, *steps: str) -> Facts:
    refs = tuple(StepRef(id=name, title=name) for name in steps)
    return st.builds(PhaseStarted, at=AT, phase=st.just(phase), steps=st.just(refs)).map(lambda e: [e])


def turns(phase: str) -> Facts:
    awaited = st.builds(TurnAwaited, at=AT, phase=st.just(phase), behind=st.just(("r0",)))
    return st.just([]) | st.tuples(awaited, st.builds(TurnTaken, at=AT, phase=st.just(phase))).map(list)


@st.composite
def gates(draw: st.DrawFn) -> list[Event]:
    """A gate, clicks of which some are delivered again, and its end, if any."""
    gate = Approval(
        id="r1.gate",
        phase="fix",
        plan_hash="hash",
        policy=ApprovalPolicy(quorum=2),
        groups=("oncall",),
        requested_by=ANA,
        requested_at=START,
        expires_at=START + timedelta(hours=1),
    )
    people = draw(st.lists(st.sampled_from((ANA, BEN, CHI)), unique_by=lambda person: person.id))
    votes: list[Event] = [
        VoteCast(at=draw(AT), approval_id=gate.id, by=who, verdict="approve", key=f"click of {who.id}")
        for who in people
    ]
    again = draw(st.lists(st.sampled_from(votes), max_size=2)) if votes else []
    reminded = [ApprovalReminded(at=draw(AT), approval_id=gate.id)]
    decision = draw(st.sampled_from(("expired", "cancelled")))
    ended = [ApprovalEnded(at=draw(AT), approval_id=gate.id, decision=decision)]
    rest = draw(st.permutations([*votes, *again, *draw(st.sampled_from(([], reminded, ended)))]))
    return [ApprovalRequested(at=START, approval=gate), *rest]


@st.composite
def effects(draw: st.DrawFn) -> list[Event]:
    """Intents, results and undos of two actions; owners that died have left gaps."""
    facts: list[Event] = []
    for name in ("a", "b"):
        for epoch in range(1, 1 + draw(st.integers(0, 3))):
            key = f"r1:fix:{name}"
            facts.append(EffectIntended(at=draw(AT), phase="fix", step=name, key=key, epoch=epoch))
        facts += draw(results("fix", name))
    for name in draw(st.sampled_from(((), ("b",), ("b", "a")))):
        key = f"r1:fix:{name}:undo"
        facts.append(EffectIntended(at=draw(AT), phase="fix", step=name, key=key, epoch=4, undo=True))
        facts += draw(
            st.lists(
                st.builds(StepUndone, at=AT, phase=st.just("fix"), step=st.just(name), outcome=STEP_OUTCOMES),
                max_size=1,
            )
        )
    return facts


def planned() -> Facts:
    plan = RenderedPlan(summary="Mend").pinned()
    return st.builds(PlanRendered, at=AT, phase=st.just("fix"), plan=st.just(plan)).map(lambda e: [e])


def watched() -> Facts:
    sample = st.builds(WatchSampled, at=AT, phase=st.just("watch"), ok=st.none() | st.booleans(), text=TEXTS)
    return st.lists(sample, max_size=5)


def ended() -> Facts:
    outcomes = st.sampled_from(get_args(RunOutcome))
    return st.builds(RunFinished, at=AT, outcome=outcomes, summary=TEXTS).map(lambda e: [e])


PARTS: tuple[Facts, ...] = (
    *(begun("evidence", "x", "y"), turns("evidence"), results("evidence", "x", "y"), finished("evidence")),
    *(begun("judged"), finished("judged")),
    *(planned(), begun("fix", "a", "b"), gates(), turns("fix"), effects(), finished("fix")),
    *(begun("watch"), watched(), finished("watch")),
)
END = ended()


@st.composite
def journals(draw: st.DrawFn) -> list[Event]:
    """A whole journal, from the run's start to its end, perhaps with a cancellation anywhere within."""
    facts = [fact for part in PARTS for fact in draw(part)]
    if draw(st.booleans()):
        facts.insert(draw(st.integers(0, len(facts))), CancelRequested(at=draw(AT), by=BEN))
    return [started(BOOK), *facts, *draw(END)]


def shuffled() -> Facts:
    """A journal with its middle in any order, as facts of others may come at any moment; gates before clicks."""
    return journals().flatmap(
        lambda facts: st.permutations(facts[1:-1]).map(
            lambda mixed: [facts[0], *_gates_first(mixed), facts[-1]]
        )
    )


def _gates_first(facts: list[Event]) -> list[Event]:
    return sorted(facts, key=lambda fact: not isinstance(fact, ApprovalRequested))
