"""Whatever is asked of a store, in whatever order and by whichever owner, it answers as its model does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.stores.locks import RedisLocks
from bot.adapters.redis.work import RedisWork
from bot.domain.errors import StaleEpochError
from bot.domain.runs.event import CancelRequested, Event, RunFinished
from bot.domain.runs.runbook import Runbook
from bot.ports.journal import Journal
from bot.ports.locks import Locks
from bot.ports.work import Work
from bot.testing.memory import MemoryStore
from bot.testing.records import MemoryLocks
from tests.contract.store_model import ModelStore
from tests.support.valkeys import fresh_valkey
from tests.support.worlds import ANA, START, started

BOOK = Runbook.model_validate(
    {
        "name": "look",
        "summary": "Look.",
        "phases": [
            {
                "kind": "explore",
                "id": "look",
                "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}],
            }
        ],
    }
)
RUNS = st.sampled_from(("r1", "r1", "r1", "r2"))
"""Mostly the same one: what goes wrong does so when much happens to one run."""
HOLDERS = st.sampled_from("abcd")
PLACES = st.sampled_from((("change:checkout", 1), ("read:checkout", 2)))
STALE = st.sampled_from((0, 0, 0, 0, 1, 2))
"""How many epochs the writer is behind; mostly it is the owner."""
BEHIND = st.sampled_from((0, 0, 0, 1))
"""How many facts the writer has not read."""
UNTIL_S = st.none() | st.integers(1, 6)
WORKERS = st.integers(0, 1)
_NEVER_GIVEN = 1_000_000
"""An epoch that no taking has given."""


@dataclass(frozen=True, kw_only=True)
class Ports:
    """One implementation; two workers' journals over the same store."""

    journals: tuple[Journal, Journal]
    work: Work
    locks: Locks
    aclose: Callable[[], Awaitable[None]]


Maker = Callable[[], Ports]


class StoreMachine(RuleBasedStateMachine):
    """Asks the store and the model the same, and compares every answer."""

    def __init__(self, runner: asyncio.Runner, make: Maker) -> None:
        super().__init__()
        self.runner, self.ports, self.model = runner, make(), ModelStore()

    def teardown(self) -> None:
        self.ask(self.ports.aclose())

    def ask(self, question: Awaitable[Any]) -> Any:
        return self.runner.get_loop().run_until_complete(question)


class PlaceMachine(StoreMachine):
    """Places at a service: asked for, waited for, given back."""

    @rule(run_id=HOLDERS, place=PLACES)
    def acquire(self, run_id: str, place: tuple[str, int]) -> None:
        name, most = place
        before = self.ask(self.ports.locks.acquire(name, run_id=run_id, most=most))
        holders, in_line = self.model.acquire(name, run_id, most=most)
        assert (set(before[: len(holders)]), list(before[len(holders) :])) == (holders, in_line)

    @rule(run_id=HOLDERS)
    def release(self, run_id: str) -> None:
        assert sorted(self.ask(self.ports.locks.release(run_id))) == self.model.release(run_id)


class RunMachine(StoreMachine):
    """Epochs, parking, facts from outside and time, by two workers of which one may be the last to know."""

    def __init__(self, runner: asyncio.Runner, make: Maker) -> None:
        super().__init__(runner, make)
        self.owners: dict[str, int] = {}
        self.numbers = itertools.count()
        self.now_s = 0

    def teardown(self) -> None:
        try:
            assert self.ask(self.ports.work.reconcile()) == 0  # a message stands for every run under way
        finally:
            super().teardown()

    @initialize()
    def one_run_is_owned(self) -> None:
        self.start("r1", 0)
        self.take("r1", 0)

    def fact(self) -> tuple[CancelRequested, str]:
        """Make a fact that no other is like, and the word that stands for it in the model."""
        summary = str(next(self.numbers))
        return CancelRequested(at=START, by=ANA.model_copy(update={"name": summary})), summary

    def as_owner(
        self, run_id: str, stale: int, write: Callable[[Journal, int], Awaitable[Any]]
    ) -> tuple[bool, Any]:
        """Write as whoever took the run ``stale`` takings ago; tells whether it may, and the answer."""
        run = self.model.runs.get(run_id)
        epoch = run.epoch - stale if run is not None and run.epoch > stale else _NEVER_GIVEN
        journal = self.ports.journals[self.owners.get(run_id, 0)]
        if self.model.owns(run_id, epoch):
            return True, self.ask(write(journal, epoch))
        with pytest.raises(StaleEpochError):
            self.ask(write(journal, epoch))
        return False, None

    @rule(run_id=RUNS, worker=WORKERS)
    def start(self, run_id: str, worker: int) -> None:
        journal = self.ports.journals[worker]
        assert self.ask(journal.start(run_id, started(BOOK))) == self.model.start(run_id)

    @rule(run_id=RUNS, worker=WORKERS)
    def take(self, run_id: str, worker: int) -> None:
        taken, epoch = self.ask(self.ports.journals[worker].take(run_id)), self.model.take(run_id)
        assert (None if taken is None else taken.epoch) == epoch
        if taken is not None:
            self.owners[run_id] = worker
            assert words(taken.events) == self.model.runs[run_id].facts

    @rule(run_id=RUNS, stale=STALE, many=st.integers(0, 3))
    def append(self, run_id: str, stale: int, many: int) -> None:
        facts = [self.fact() for _ in range(many)]
        events = tuple(event for event, _ in facts)
        owned, length = self.as_owner(run_id, stale, lambda j, epoch: j.append(run_id, events, epoch=epoch))
        if owned:
            assert length == self.model.append(run_id, [word for _, word in facts])

    @rule(run_id=RUNS, stale=STALE, behind=BEHIND, until_s=UNTIL_S)
    def park(self, run_id: str, stale: int, behind: int, until_s: int | None) -> None:
        length = len(self.model.runs[run_id].facts) - behind if run_id in self.model.runs else 1
        due_s = None if until_s is None else self.now_s + until_s
        until = None if due_s is None else START + timedelta(seconds=due_s)
        owned, parked = self.as_owner(
            run_id, stale, lambda j, epoch: j.park(run_id, epoch=epoch, length=length, until=until)
        )
        if owned:
            assert parked == self.model.park(run_id, length=length, until_s=due_s)

    @rule(run_id=RUNS, stale=STALE, lot=st.integers(0, 3))
    def finish(self, run_id: str, stale: int, lot: int) -> None:
        if lot:
            return  # runs that end early leave little to try
        word = str(next(self.numbers))
        end = RunFinished(at=START, outcome="done", summary=word)
        owned, _ = self.as_owner(run_id, stale, lambda j, epoch: j.finish(run_id, (end,), epoch=epoch))
        if owned:
            self.model.finish(run_id, word)

    @rule(run_id=RUNS)
    def wake(self, run_id: str) -> None:
        assert self.ask(self.ports.journals[0].wake(run_id)) == self.model.wake(run_id)

    @rule(run_id=RUNS, behind=BEHIND, wake=st.booleans(), worker=WORKERS)
    def interject(self, run_id: str, behind: int, wake: bool, worker: int) -> None:  # noqa: FBT001  # drawn by name
        event, word = self.fact()
        length = len(self.model.runs[run_id].facts) - behind if run_id in self.model.runs else 1
        written = self.ask(self.ports.journals[worker].interject(run_id, (event,), length=length, wake=wake))
        assert written == self.model.interject(run_id, word, length=length, wake=wake)

    @rule(seconds=st.integers(0, 6))
    def time_passes(self, seconds: int) -> None:
        self.now_s += seconds
        now = START + timedelta(seconds=self.now_s)
        assert self.ask(self.ports.work.pump(now=now)) == self.model.pump(self.now_s)

    @invariant()
    def the_journals_say_what_was_written_and_every_wake_up_is_one_message(self) -> None:
        async def seen() -> tuple[dict[str, list[str]], int]:
            journal = self.ports.journals[0]
            told = {run_id: words(await journal.load(run_id)) for run_id in self.model.runs}
            return told, await self.ports.work.depth()

        facts = {run_id: run.facts for run_id, run in self.model.runs.items()}
        assert self.ask(seen()) == (facts, self.model.messages)


def words(events: tuple[Event, ...]) -> list[str]:
    return [
        event.by.name if isinstance(event, CancelRequested) else getattr(event, "summary", "start")
        for event in events
    ]


def memory() -> Ports:
    async def aclose() -> None:
        return None

    store = MemoryStore()
    return Ports(journals=(store, store), work=store, locks=MemoryLocks(), aclose=aclose)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def valkey(runner: asyncio.Runner) -> Iterator[Maker]:
    """One Valkey for all examples; each has keys of its own."""
    server, numbers = fresh_valkey(), itertools.count()
    url = runner.run(server.__aenter__())

    def make() -> Ports:
        store = connect(url, prefix=f"example-{next(numbers)}")
        return Ports(
            journals=(RedisJournal(store), RedisJournal(store)),
            work=RedisWork(store, consumer="one", lease_s=1),
            locks=RedisLocks(store),
            aclose=store.aclose,
        )

    yield make
    runner.run(server.__aexit__(None, None, None))


def check(machine: Callable[[], StoreMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=80,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],  # a server is asked
        ),
    )


@pytest.mark.parametrize("machine", [RunMachine, PlaceMachine])
def test_the_memory_twin_answers_as_the_model_does(machine, runner):
    check(lambda: machine(runner, memory))


@pytest.mark.server
@pytest.mark.parametrize("machine", [RunMachine, PlaceMachine])
def test_a_real_valkey_answers_as_the_model_does(machine, runner, valkey):
    check(lambda: machine(runner, valkey))
