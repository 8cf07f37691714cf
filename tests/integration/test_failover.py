"""What was acknowledged outlives the primary, and work goes on at whoever takes its place."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.exceptions import ConnectionError as ServerLostError
from redis.exceptions import RedisError

from bot.adapters.redis.command_batcher import NotReplicatedError
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.work import RedisWork
from bot.domain.errors import NotFoundError, StoreUnavailableError
from bot.domain.intent import CancelRun
from bot.domain.runs.event import CancelRequested
from tests.integration.test_takeover import BOOK, serving
from tests.support.valkeys import SERVICE, Server, fleet, opened
from tests.support.waiting import LIMIT_S, until
from tests.support.worlds import ANA, START, started

pytestmark = pytest.mark.server

WORD = CancelRequested(at=START, by=ANA)
"""A person's word, which must count for good once it is acknowledged."""


@pytest.fixture
def servers():
    with fleet() as made:
        yield made


async def insist(ask: Callable[[], Awaitable[object]], *, within_s: float = LIMIT_S) -> object:
    """Ask until the store takes it, as whoever waits does."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await ask()
            except (RedisError, OSError):
                await asyncio.sleep(0.05)  # real time: as long as it takes, within the limit


@contextlib.asynccontextmanager
async def handling(store: RedisStore, handled: set[str]) -> AsyncIterator[None]:
    """Serve as a worker that owns each run and ends it."""
    journal = RedisJournal(store)

    async def handle(run_id: str) -> None:
        taken = await journal.take(run_id)
        if taken is not None:
            await journal.finish(run_id, (WORD,), epoch=taken.epoch)
        handled.add(run_id)

    async with serving(RedisWork(store, consumer="one", lease_s=1), handle):
        yield


async def until_all(handled: set[str], wanted: set[str], *, within_s: float = LIMIT_S) -> None:
    await until(lambda: wanted <= handled, what="every run handled", within_s=within_s)


async def until_it_leads(replica: Server, *, within_s: float = LIMIT_S) -> None:
    """Wait until a replica is the primary; it drops its connections while it becomes one."""

    async def leads() -> None:
        if replica.ask("ROLE")[0] != "master":
            raise ServerLostError("not yet")

    await insist(leads, within_s=within_s)


async def test_work_goes_on_at_the_promoted_replica_when_the_primary_dies(servers):
    primary, replica = servers.primary_with_replica()
    sentinel = servers.sentinel(primary)
    handled: set[str] = set()
    url = f"redis+sentinel://127.0.0.1:1,{sentinel.address}/{SERVICE}/0"  # one Sentinel is down
    async with opened(url) as store, handling(store, handled):
        journal = RedisJournal(store)
        for number in range(20):
            await journal.start(f"before-{number}", started(BOOK))
        await until_all(handled, {f"before-{number}" for number in range(20)})
        primary.kill()
        for number in range(20):
            await insist(lambda number=number: journal.start(f"after-{number}", started(BOOK)))
        await until_all(handled, {f"after-{number}" for number in range(20)})
    assert replica.ask("ROLE")[0] == "master"


async def test_work_goes_on_when_the_primary_is_demoted_and_stays_up(servers):
    primary, replica = servers.primary_with_replica()
    sentinel = servers.sentinel(primary)
    handled: set[str] = set()
    async with opened(f"redis+sentinel://{sentinel.address}/{SERVICE}") as store, handling(store, handled):
        journal = RedisJournal(store)
        await journal.start("before", started(BOOK))
        await until_all(handled, {"before"})
        sentinel.ask("SENTINEL", "FAILOVER", SERVICE)
        await until_it_leads(replica)
        # As the Sentinel does, some seconds later.
        await insist(lambda: asyncio.to_thread(primary.ask, "REPLICAOF", "127.0.0.1", replica.port))
        await insist(lambda: journal.start("after", started(BOOK)))
        await until_all(handled, {"before", "after"})


async def test_a_primary_that_takes_no_writes_is_waited_for_and_is_no_failure_of_the_work(servers):
    primary = servers.server()
    tries: list[str] = []
    async with opened(primary.url) as store:
        journal = RedisJournal(store)

        async def handle(run_id: str) -> None:
            tries.append(run_id)
            if len(tries) == 1:
                primary.ask("REPLICAOF", "127.0.0.1", 1)  # a replica of nobody, which keeps what it has
            if len(tries) == 8:  # more often than work may fail
                primary.ask("REPLICAOF", "NO", "ONE")
            taken = await journal.take(run_id)
            await journal.finish(run_id, (WORD,), epoch=taken.epoch)

        async with serving(RedisWork(store, consumer="one", lease_s=0.1), handle):
            await insist(lambda: journal.start("r1", started(BOOK)))

            async def finished() -> bool:
                return await store.field(store.keys.shared.run("r1"), "st") == "finished"

            await until(finished, what="a run that has ended")
    assert primary.ask("XLEN", "{pilothouse:s0}:dead") == 0


async def say(store: RedisStore, *, runs: range) -> set[str]:
    """Write a person's word into each run, all at the same time; gives those whose word was acknowledged."""
    journal, acknowledged = RedisJournal(store), set()

    async def one(run_id: str) -> None:
        with contextlib.suppress(NotReplicatedError):
            await journal.interject(run_id, (WORD,), length=1, wake=False)
            acknowledged.add(run_id)

    await asyncio.gather(*(one(f"r{number}") for number in runs))
    return acknowledged


async def lost(store: RedisStore, acknowledged: set[str]) -> set[str]:
    journal = RedisJournal(store)

    async def has_word(run_id: str) -> bool:
        try:
            return WORD in await journal.load(run_id)
        except NotFoundError:
            return False

    return {run_id for run_id in acknowledged if not await has_word(run_id)}


@pytest.mark.parametrize(("replicas", "risky"), [(1, False), (0, True)])
async def test_no_word_is_lost_with_the_old_primary_when_a_replica_must_have_it(servers, replicas, risky):
    primary, replica = servers.primary_with_replica()
    async with opened(primary.url, replicas=replicas) as cut_off, opened(replica.url) as survivor:
        for number in range(120):
            await RedisJournal(cut_off).start(f"r{number}", started(BOOK))
        before = await say(cut_off, runs=range(60))
        assert len(before) == 60
        replica.ask("REPLICAOF", "NO", "ONE")  # promoted, while the old primary is cut off and knows nothing
        after = await say(cut_off, runs=range(60, 120))
        assert len(before | after) == (120 if risky else 60)
        assert bool(await lost(survivor, before | after)) is risky
        assert not await lost(cut_off, before | after)


async def test_a_repeated_write_does_not_count_before_a_replica_has_it(servers, monkeypatch):
    primary, replica = servers.primary_with_replica()
    async with opened(primary.url, replicas=1) as store, opened(primary.url, replicas=1) as again:
        journal = RedisJournal(store)
        await journal.start("r1", started(BOOK))
        assert await journal.interject("r1", (WORD,), length=1, wake=False)
        replica.freeze()
        with pytest.raises(StoreUnavailableError, match="lost its replica"):
            await RedisInbox(store).put(CancelRun(key="k1", at=START, run_id="r1", by=ANA, channel="C1"))
        for asking in (store, again):  # over a connection that has written nothing itself, too
            with pytest.raises(NotReplicatedError):
                await RedisJournal(asking).interject("r1", (WORD,), length=1, wake=False)
        monkeypatch.setattr(
            "bot.adapters.redis.command_batcher._WAIT_MS", 4000
        )  # it waits while the others are answered
        others = asyncio.gather(*(store.field(store.keys.shared.run("r1"), "st") for _ in range(100)))
        waiting = asyncio.create_task(journal.interject("r1", (WORD,), length=1, wake=False))
        assert await others == ["ready"] * 100
        assert not waiting.done()  # they do not stand behind it
        replica.thaw()
        assert not await waiting
