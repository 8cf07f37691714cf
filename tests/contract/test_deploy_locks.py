"""People's locks are kept alike by the memory twin and by a real Valkey, and outlive nobody's patience."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.deploy_locks import RedisDeployLocks
from bot.adapters.redis.stores.locks import RedisLocks
from bot.domain.board import Topic
from bot.domain.clock import SystemClock
from bot.domain.deployments.deploy_lock import MOST_S, DeployLock, LockChange
from bot.domain.people import Person
from bot.ports.gates import DeployLockStore
from bot.ports.locks import LockQueue, Locks
from bot.testing.gates import MemoryDeployLocks
from bot.testing.records import MemoryLocks
from tests.support.valkeys import fresh_store, fresh_valkey, opened
from tests.support.waiting import until
from tests.support.worlds import ANA, BEN, CHI

ROOT = Path(__file__).parents[2]
HOLDER = """
import asyncio, sys
from tests.contract.test_deploy_locks import lock_of
from tests.support.worlds import ANA
from bot.adapters.redis.stores.deploy_locks import RedisDeployLocks
from bot.adapters.redis.store import connect

async def main():
    await RedisDeployLocks(connect(sys.argv[1])).lock(lock_of(ANA, seconds=6))
    print("locked", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


def lock_of(
    by: Person, *, service: str = "checkout", seconds: float = 3600, reason: str = "fair"
) -> DeployLock:
    at = SystemClock().now().replace(microsecond=0)
    return DeployLock(service=service, by=by, reason=reason, at=at, until=at + timedelta(seconds=seconds))


@pytest.fixture(params=["memory", "redis"])
async def locks(request: pytest.FixtureRequest) -> AsyncIterator[DeployLockStore]:
    if request.param == "memory":
        yield MemoryDeployLocks()
        return
    async with fresh_store() as store:
        yield RedisDeployLocks(store)


@pytest.fixture(params=["memory", "redis"])
async def places(request: pytest.FixtureRequest) -> AsyncIterator[Locks]:
    if request.param == "memory":
        yield MemoryLocks()
        return
    async with fresh_store() as store:
        yield RedisLocks(store)


async def test_a_lock_is_kept_whole_and_the_second_person_is_told_of_the_first(locks):
    anas = lock_of(ANA)
    assert await locks.lock(anas) == anas
    assert await locks.lock(lock_of(BEN)) == anas
    assert await locks.held(("payments", "checkout")) == (anas,)
    assert await locks.held(()) == ()


async def test_of_many_who_lock_at_once_one_holds_it_and_all_are_told_who(locks):
    people = [Person(id=f"U{number}") for number in range(50)]
    told = await asyncio.gather(*(locks.lock(lock_of(person)) for person in people))
    assert len({lock.by.id for lock in told}) == 1


async def test_the_owner_may_change_the_lock_and_services_are_locked_apart(locks):
    await locks.lock(lock_of(ANA))
    longer = lock_of(ANA, seconds=7200, reason="a longer fair")
    assert await locks.lock(longer) == longer
    bens = lock_of(BEN, service="checkout@staging")
    assert await locks.lock(bens) == bens
    assert await locks.held(("checkout", "checkout@staging")) == (longer, bens)


async def test_only_the_lock_of_the_named_owner_is_taken_off(locks):
    anas = await locks.lock(lock_of(ANA))
    assert await locks.unlock("checkout", owner=BEN.id) is None
    assert await locks.held(("checkout",)) == (anas,)
    assert await locks.unlock("checkout", owner=ANA.id) == anas
    assert await locks.unlock("checkout", owner=ANA.id) is None
    assert await locks.held(("checkout",)) == ()


async def test_a_lock_is_handed_over_by_its_owner_alone(locks):
    await locks.lock(lock_of(ANA))
    assert not await locks.hand_over(lock_of(CHI), owner=BEN.id)
    bens = lock_of(BEN)
    assert await locks.hand_over(bens, owner=ANA.id)
    assert await locks.held(("checkout",)) == (bens,)
    assert not await locks.hand_over(lock_of(CHI), owner=ANA.id)


def change_of(lock: DeployLock, kind: str, *, by: Person = ANA, key: str = "k") -> LockChange:
    return LockChange.model_validate({"key": key, "kind": kind, "by": by, "at": lock.at, "lock": lock})


async def test_what_was_done_with_a_lock_is_kept_with_it_and_only_if_it_was_done(locks):
    anas = lock_of(ANA)
    locked = change_of(anas, "locked")
    for _ in range(2):  # delivered twice
        await locks.lock(anas, change=locked)
    refused = lock_of(BEN)
    await locks.lock(refused, change=change_of(refused, "locked", by=BEN, key="refused"))
    assert await locks.unlock("checkout", owner=BEN.id, change=change_of(anas, "unlocked", key="no")) is None
    bens = anas.but(by=BEN)
    handed = change_of(bens, "handed_over", key="over").but(at=anas.at + timedelta(seconds=1))
    assert await locks.hand_over(bens, owner=ANA.id, change=handed)
    off = change_of(bens, "unlocked", by=CHI, key="off").but(at=anas.at + timedelta(seconds=2))
    assert await locks.unlock("checkout", owner=BEN.id, change=off) == bens
    assert await locks.changes(locked.episode) == (locked, handed, off)
    assert await locks.changes("payments:1") == ()


async def test_a_change_of_a_lock_marks_its_topic_in_the_same_step():
    async with fresh_store() as store:
        lock = lock_of(ANA)
        await RedisDeployLocks(store).lock(lock, change=change_of(lock, "locked"))
        (hold,) = await RedisMessageBoard(store).claim(limit=9, lease_s=9)
        assert hold.topic == Topic(kind="lock", id=change_of(lock, "locked").episode)


async def test_a_lock_that_has_expired_is_gone_and_the_next_may_lock(locks):
    await locks.lock(lock_of(ANA, seconds=2))

    async def expired() -> bool:
        return await locks.held(("checkout",)) == ()

    await until(expired, what="a lock that has expired")
    assert not await locks.hand_over(lock_of(CHI), owner=ANA.id)
    assert await locks.unlock("checkout", owner=ANA.id) is None
    bens = lock_of(BEN)
    assert await locks.lock(bens) == bens


async def test_no_lock_outlives_its_expiry_after_its_holder_was_killed():
    async with fresh_valkey() as url, opened(url) as store:
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDER, url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"locked\n"
        holder.send_signal(signal.SIGKILL)
        await holder.wait()
        locks = RedisDeployLocks(store)
        (left,) = await locks.held(("checkout",))
        assert left.by == ANA
        left_s = max(0, (left.until - SystemClock().now()).total_seconds())
        await asyncio.sleep(left_s + 0.05)  # real time: it has expired by then
        assert await locks.held(("checkout",)) == ()


async def test_of_two_hundred_in_line_each_has_its_turn_in_the_order_of_asking(places):
    runs = [f"r{number:03}" for number in range(200)]
    random.Random(7).shuffle(runs)  # so that no order of names passes for the order of asking
    for number, run_id in enumerate(runs):
        before = await places.acquire("change:checkout", run_id=run_id, most=1)
        assert before == tuple(runs[:number])
    assert [(await places.release(run_id)) for run_id in runs] == [*((heir,) for heir in runs[1:]), ()]


async def test_whoever_leaves_the_line_is_passed_over_and_nobody_else_loses_a_place(places):
    runs = [f"r{number:03}" for number in range(200)]
    for run_id in runs:
        await places.acquire("change:checkout", run_id=run_id, most=1)
    for run_id in runs[1::2]:
        assert await places.release(run_id) == ()
    left = runs[::2]
    assert [(await places.release(run_id)) for run_id in left] == [*((heir,) for heir in left[1:]), ()]


async def test_who_goes_ahead_is_next_but_takes_nobodys_place_and_waits_behind_who_went_ahead_before(places):
    for run_id in ("holds", "a", "b", "urgent"):
        await places.acquire("change:checkout", run_id=run_id, most=1)
    for run_id in ("urgent", "late", "urgent", "late"):  # one was in line before, one was not
        before = await places.acquire("change:checkout", run_id=run_id, most=1, ahead=True)
        assert before == (("holds",) if run_id == "urgent" else ("holds", "urgent"))
    assert await places.acquire("change:checkout", run_id="urgent", most=1) == ("holds",)
    assert await places.acquire("change:checkout", run_id="c", most=1) == (
        "holds",
        "urgent",
        "late",
        "a",
        "b",
    )
    runs = ["holds", "urgent", "late", "a", "b"]
    assert [await places.release(run_id) for run_id in runs] == [*((heir,) for heir in runs[1:]), ("c",)]


async def test_a_line_is_told_in_the_order_of_turns_and_an_empty_one_as_empty(places):
    assert await places.lines(()) == ()
    for run_id in ("c", "b", "a"):
        await places.acquire("change:checkout", run_id=run_id, most=1)
        await places.acquire("read:checkout", run_id=run_id, most=2)
    told = await places.lines(("change:payments", "change:checkout", "read:checkout"))
    assert told == (
        LockQueue(),
        LockQueue(held=("c",), waiting=("b", "a")),
        LockQueue(held=("b", "c"), waiting=("a",)),
    )
    await places.release("c")
    assert await places.lines(("change:checkout",)) == (LockQueue(held=("b",), waiting=("a",)),)


@pytest.mark.parametrize("seconds", [0, -1, MOST_S + 1])
def test_a_lock_of_no_time_or_of_more_than_a_week_is_refused(seconds):
    with pytest.raises(ValidationError, match="7 days"):
        lock_of(ANA, seconds=seconds)


def test_a_lock_without_a_reason_is_refused():
    with pytest.raises(ValidationError, match="reason"):
        lock_of(ANA, reason="  ")
