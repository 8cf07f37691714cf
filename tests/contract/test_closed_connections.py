"""A connection that somebody closes while it is used is a server out of reach, and nothing worse."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import ConnectionError as ServerLostError
from redis.exceptions import RedisError

from bot.adapters.redis.command_batcher import CommandBatcher
from tests.support.valkeys import fresh_store

pytestmark = pytest.mark.server

_CLOSED = 20


async def closing(connections):
    """Close connections as soon as they are open, as redis-py does when it looks anew for its servers."""
    closed = 0
    while closed < _CLOSED:
        for connection in tuple(connections):
            if connection.is_connected:
                await connection.disconnect(nowait=True)
                closed += 1
        await asyncio.sleep(0)


async def surprises(call, *, during):
    """Make a call again and again; returns what it raises besides what a lost server does."""
    found = []
    while not during.done():
        try:
            await call()
        except (RedisError, OSError):
            pass
        except Exception as error:  # noqa: BLE001  # it is what is looked for
            found.append(error)
    return found


async def test_the_client_reports_a_lost_server_when_its_connections_are_closed_under_it():
    async with fresh_store() as store:
        closer = asyncio.create_task(closing(store.client.connection_pool._in_use_connections))
        assert await surprises(lambda: store.client.incr("n"), during=closer) == []
        assert await store.client.incr("n") > 0


async def test_a_wire_whose_connections_are_closed_under_it_connects_again(caplog):
    async with fresh_store() as store:
        made = []

        def line():
            made.append(store.client.connection_pool.make_connection())
            return made[-1]

        wire = CommandBatcher(line)
        closer = asyncio.create_task(closing(made))
        assert await surprises(lambda: wire.send(("INCR", "n")), during=closer) == []
        (answer,) = await wire.send(("INCR", "n"))
        assert answer > 0
        await wire.aclose()
    assert "redis_line_crashed" not in caplog.messages


async def test_whoever_asks_the_client_again_and_again_can_be_cancelled_at_any_moment():
    async with fresh_store() as store:

        async def ask():
            while True:
                await store.client.incr("n")

        await store.client.incr("n")
        for steps in range(60):
            asking = asyncio.create_task(ask())
            for _ in range(steps):
                await asyncio.sleep(0)
            asking.cancel()
            for _ in range(20):
                await store.client.incr("other")
            swallowed = not asking.done()
            while not asking.done():
                asking.cancel()
                await asyncio.wait({asking}, timeout=0.01)
            assert not swallowed, steps


class Broken:
    """A connection with a fault that nobody knows of, once."""

    is_connected = True

    async def send_packed_command(self, *_arguments, **_named):
        raise TypeError("'NoneType' object is not callable")

    async def disconnect(self, *, nowait):
        pass


async def test_a_fault_that_nobody_knows_of_fails_one_call_and_not_all_that_follow():
    async with fresh_store() as store:
        made = [Broken(), Broken()]  # of each line the first
        wire = CommandBatcher(lambda: made.pop(0) if made else store.client.connection_pool.make_connection())
        for _ in range(2):
            with pytest.raises(ServerLostError):
                await wire.send(("INCR", "n"))
        assert await wire.send(("INCR", "n")) == [1]
        await wire.aclose()


class Swallowing:
    """A connection that loses a cancellation which meets its answer, as redis-py's can."""

    is_connected = True

    def __init__(self):
        self.asked = asyncio.Event()

    async def send_packed_command(self, *_arguments, **_named):
        self.asked.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return

    async def read_response(self):
        return 1

    async def disconnect(self, *, nowait):
        pass


async def test_a_wire_is_closed_although_a_cancellation_is_swallowed():
    connection = Swallowing()
    wire = CommandBatcher(lambda: connection)
    asking = asyncio.create_task(wire.send(("INCR", "n")))
    await connection.asked.wait()
    async with asyncio.timeout(60):
        await wire.aclose()
    assert await asking == [1]
