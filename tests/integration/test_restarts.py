"""A store that crashes, restarts, stalls or is full loses nothing that was acknowledged, and is waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from redis.exceptions import OutOfMemoryError

from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.redis.work import RedisWork
from bot.domain.errors import StoreUnavailableError
from bot.domain.intent import CancelRun
from bot.views.answers import error_text
from tests.integration.test_failover import handling, insist, until_all
from tests.integration.test_takeover import BOOK, forever, nothing, serving
from tests.support.valkeys import fleet, opened
from tests.support.waiting import LIMIT_S, until
from tests.support.worlds import ANA, START, started

pytestmark = pytest.mark.server

RUN = "{pilothouse:s0}:run:r1"
KEEPER = ("keeper", "kept")
DURABLE = ("--appendonly", "yes", "--appendfsync", "everysec")
GUIDE = Path(__file__).parents[2] / "docs/how-to/run-redis.md"


@pytest.fixture
def servers():
    with fleet() as made:
        yield made


def recommended_users() -> str:
    """Read the users that the guide recommends; one more looks on."""
    users = [line for line in GUIDE.read_text("utf-8").splitlines() if line.startswith("user ")]
    assert len(users) == 2
    return "\n".join((*users, f"user {KEEPER[0]} on >{KEEPER[1]} ~* &* +@all"))


def intent(key: str) -> CancelRun:
    return CancelRun(key=key, at=START, run_id="r1", by=ANA, channel="C1")


async def test_a_crash_of_the_server_under_load_loses_nothing_and_stops_no_worker(servers):
    server = servers.server(*DURABLE)
    acknowledged, handled = set(), set()

    async def load(store, number):
        for turn in range(150):
            run_id = f"r{number}-{turn}"
            await insist(lambda run_id=run_id: RedisJournal(store).start(run_id, started(BOOK)))
            acknowledged.add(run_id)

    async with opened(server.url) as store, handling(store, handled):
        loading = asyncio.gather(*(load(store, number) for number in range(4)))
        await until(lambda: len(acknowledged) >= 200, what="200 runs that were acknowledged")
        server.kill()
        at_the_crash = set(acknowledged)
        server.start()
        assert {
            run_id for run_id in at_the_crash if not server.ask("EXISTS", store.keys.of(run_id).run(run_id))
        } == set()
        await loading
        await until_all(handled, acknowledged)
    assert len(acknowledged) == 600


async def test_the_recommended_users_lose_nothing_when_the_server_reads_its_file_again(servers):
    server = servers.server(*DURABLE, config=recommended_users())
    url = f"redis://pilothouse:CHANGE-ME@{server.address}/0"
    async with opened(url) as store:
        journal, handled = RedisJournal(store), set()
        async with handling(store, handled):
            await journal.start("r1", started(BOOK))
            await RedisInbox(store).put(intent("k1"))
            await until_all(handled, {"r1"})
        await journal.start("r2", started(BOOK))
        before = await journal.load("r1")
    # Some versions read the file as the default user, and drop without a word what it may not do.
    for command in (("HSET", RUN, "a", "b"), ("XADD", RUN, "*", "a", "b"), ("ZADD", RUN, "1", "a")):
        assert server.ask("ACL", "DRYRUN", "default", *command, login=KEEPER) == "OK"
    server.kill()
    server.start()
    async with opened(url) as store:
        journal, handled = RedisJournal(store), set()
        assert await journal.load("r1") == before
        assert not await RedisInbox(store).put(intent("k1"))
        async with handling(store, handled):
            await until_all(handled, {"r2"})


async def test_a_server_that_stalls_longer_than_a_lease_makes_nobody_look_dead(servers):
    server = servers.server()
    begun, taken_over = asyncio.Event(), asyncio.Queue()

    async def long(_):
        begun.set()
        await forever()

    async with opened(server.url) as one, opened(server.url) as two:
        busy = RedisWork(one, consumer="busy", lease_s=0.5, drain_s=0)
        idle = RedisWork(two, consumer="idle", lease_s=0.5, drain_s=0)
        async with serving(busy, long):
            await RedisJournal(one).start("r1", started(BOOK))
            await asyncio.wait_for(begun.wait(), LIMIT_S)
            async with serving(idle, taken_over.put):
                await asyncio.sleep(0.3)  # real time: both look for each other's beats
                await asyncio.to_thread(server.ask, "DEBUG", "SLEEP", 1.5)
                await asyncio.sleep(1)  # real time: two leases, in which whoever looks dead is taken over
                assert taken_over.empty()


async def test_a_full_server_tells_the_person_and_loses_nothing(servers):
    server = servers.server("--maxmemory-policy", "noeviction")
    handled: set[str] = set()
    async with opened(server.url) as store:
        inbox, journal = RedisInbox(store), RedisJournal(store)
        await inbox.put(intent("k1"))
        await journal.start("r1", started(BOOK))
        server.ask("CONFIG", "SET", "maxmemory", "1mb")
        with pytest.raises(StoreUnavailableError) as caught:
            await inbox.put(intent("k2"))
        assert "My store is full, so I did not start this." in error_text(caught.value)
        with pytest.raises(OutOfMemoryError):
            await journal.start("r2", started(BOOK))
        async with handling(store, handled):  # what was taken on before is done when there is room again
            await asyncio.sleep(0.5)  # real time: it could have been handled by then
            assert handled == set()
            server.ask("CONFIG", "SET", "maxmemory", "0")
            await until_all(handled, {"r1"})
        assert await inbox.put(intent("k2"))
        assert not await inbox.put(intent("k1"))


async def test_a_message_handed_over_while_the_server_is_full_is_not_lost(servers):
    server = servers.server("--maxmemory-policy", "noeviction")
    begun = asyncio.Event()

    async def long(_):
        begun.set()
        server.ask("CONFIG", "SET", "maxmemory", "1mb")
        await forever()

    async with opened(server.url) as store:
        async with serving(RedisWork(store, consumer="one", lease_s=30, drain_s=0), long):
            await RedisJournal(store).start("r1", started(BOOK))
            await asyncio.wait_for(begun.wait(), LIMIT_S)
        server.ask("CONFIG", "SET", "maxmemory", "0")
        handled = asyncio.Queue()
        async with serving(RedisWork(store, consumer="two", lease_s=30), handled.put):
            assert await asyncio.wait_for(handled.get(), LIMIT_S) == "r1"


async def test_a_server_out_of_reach_is_said_to_the_person_who_asked(servers):
    server = servers.server()
    async with opened(server.url) as store:
        await RedisInbox(store).put(intent("k1"))
        server.kill()
        with pytest.raises(StoreUnavailableError, match="out of reach"):
            await RedisInbox(store).put(intent("k2"))


async def test_a_server_that_refuses_the_connection_itself_fails_what_was_asked_and_hangs_nothing(servers):
    server = servers.server()
    async with opened(server.url.removesuffix("/0") + "/99") as store:  # there are 16 databases
        for _ in range(2 * 3):  # more often than there are lines
            with pytest.raises(StoreUnavailableError):
                await asyncio.wait_for(RedisInbox(store).put(intent("k1")), LIMIT_S)


async def test_more_at_once_than_there_are_connections_waits_and_is_served(servers):
    server = servers.server()
    async with (
        opened(server.url, connections=1) as store,
        serving(RedisWork(store, consumer="one", lease_s=30), nothing),
    ):
        journal = RedisJournal(store)
        await journal.start("r1", started(BOOK))
        loaded = await asyncio.gather(*(journal.load("r1") for _ in range(500)))
        assert len(loaded) == 500
        assert int(server.ask("INFO", "clients")["connected_clients"]) < 12
