"""On a cluster, work goes on while slots move and nodes are replaced."""

from __future__ import annotations

import pytest
from redis.exceptions import RedisError

from bot.adapters.redis.command_batcher import NotReplicatedError
from bot.adapters.redis.stores.journal import RedisJournal
from tests.integration.test_failover import WORD, handling, insist, until_all
from tests.integration.test_takeover import BOOK
from tests.support.valkeys import fleet, opened
from tests.support.worlds import started

pytestmark = pytest.mark.server


@pytest.fixture
def servers():
    with fleet() as made:
        yield made


def serving_node(servers, key):
    """Tell who serves a key, and its slot."""
    slot = servers[0].ask("CLUSTER", "KEYSLOT", key)
    for entry in servers[0].ask("CLUSTER", "SLOTS"):
        if entry[0] <= slot <= entry[1]:
            (node,) = (server for server in servers if server.port == entry[2][1])
            return node, slot
    raise AssertionError(f"Nobody serves slot {slot}.")


async def test_work_goes_on_while_its_slot_moves_to_another_node(servers):
    url, handled, names = servers.cluster(2), set(), iter(f"r{number}" for number in range(1000))

    async with opened(url) as store, handling(store, handled):
        journal = RedisJournal(store)

        async def start_some() -> set[str]:
            some = {next(names) for _ in range(5)}
            for run_id in some:
                await insist(lambda run_id=run_id: journal.start(run_id, started(BOOK)))
            return some

        all_runs = await start_some()
        await until_all(handled, all_runs)
        old, slot = serving_node(servers.servers, store.keys.shared.due)
        (new,) = (server for server in servers.servers if server is not old)
        new.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", old.ask("CLUSTER", "MYID"))
        old.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", new.ask("CLUSTER", "MYID"))
        while keys := old.ask("CLUSTER", "GETKEYSINSLOT", slot, 2):  # answers are ASK and TRYAGAIN now
            old.ask("MIGRATE", "127.0.0.1", new.port, "", 0, 1000, "KEYS", *keys)
            assert await journal.load("r0") != ()
        for node in (new, old):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", new.ask("CLUSTER", "MYID"))
        all_runs |= await start_some()  # and MOVED from here on
        await until_all(handled, all_runs)
    assert new.ask("EXISTS", store.keys.shared.run("r0")) == 1


async def test_a_node_that_dies_is_replaced_by_its_replica_and_no_word_is_lost(servers):
    url = servers.cluster(3)
    dying, _ = serving_node(servers.servers, "{pilothouse:s0}")
    replica = servers.follower(dying)
    async with opened(url, replicas=1) as store:
        journal = RedisJournal(store)
        await journal.start("r1", started(BOOK))
        assert await journal.interject("r1", (WORD,), length=1, wake=False)
        dying.kill()
        assert await insist(lambda: journal.load("r1")) == (started(BOOK), WORD)
        assert await insist(lambda: journal.start("r2", started(BOOK)))
        with pytest.raises(NotReplicatedError):  # nobody follows the heir
            await journal.interject("r2", (WORD,), length=1, wake=False)
    assert replica.ask("ROLE")[0] == "master"


async def test_a_cluster_of_which_no_node_is_there_is_out_of_reach_like_any_server(servers):
    url, handled = servers.cluster(1), set()
    async with opened(url) as store, handling(store, handled):
        await RedisJournal(store).start("r1", started(BOOK))
        await until_all(handled, {"r1"})
        (node,) = servers.servers
        node.kill()
        with pytest.raises(RedisError):
            await store.client.ping()
        node.start()
        await insist(lambda: RedisJournal(store).start("r2", started(BOOK)))
        await until_all(handled, {"r2"})
