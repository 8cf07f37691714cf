"""What happens to a run while it goes: one function a mode, each undone when the run has ended."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

from bench.crashing.world import Crew, World
from bot.adapters.redis.lanes import GROUP
from bot.adapters.redis.store import RedisStore
from localslack.client import LocalSlackClient

Disturbance = Callable[[World, Crew, RedisStore, random.Random], Awaitable[None]]

_SHORT_S = 0.6


async def redis_killed(world: World, _crew: Crew, _store: RedisStore, chance: random.Random) -> None:
    """Kill the server with -9 and start it again on what it had written."""
    await asyncio.sleep(chance.uniform(0, _SHORT_S))
    await world.restart_valkey(after_s=chance.uniform(0, 0.3))


async def clock_killed(_world: World, crew: Crew, _store: RedisStore, chance: random.Random) -> None:
    """Kill one of the clocks with -9; the other goes on alone."""
    await asyncio.sleep(chance.uniform(0, _SHORT_S))
    await asyncio.to_thread(crew.kill, chance.choice(crew.of("clock")))


async def slack_cut(world: World, _crew: Crew, _store: RedisStore, chance: random.Random) -> None:
    """Take Slack away, lose its answers, or have it refuse for a while."""
    fault = chance.choice(
        (
            {"api_down": True},
            {"drop_after": {"chat.postMessage": 2, "chat.update": 1}},
            {"rate_limit": {"chat.postMessage": 2, "chat.update": 2}},
            {"slow_api_s": 0.3},
        )
    )
    await asyncio.sleep(chance.uniform(0, _SHORT_S))
    async with LocalSlackClient(world.slack["url"]) as slack, slack.faulty(**fault):
        await asyncio.sleep(chance.uniform(0.2, 1.0))


async def messages_doubled(_world: World, _crew: Crew, store: RedisStore, chance: random.Random) -> None:
    """Deliver every message of the queue again, several times, while it is worked on."""
    stream = store.keys.shared.queue("urgent")
    for _ in range(6):
        await asyncio.sleep(chance.uniform(0, _SHORT_S / 6))
        for _, fields in await store.client.xrange(stream) or ():
            await store.client.xadd(stream, fields)


async def messages_lost(_world: World, _crew: Crew, store: RedisStore, chance: random.Random) -> None:
    """Lose the queue's messages, or the whole stream with its group."""
    stream = store.keys.shared.queue("urgent")
    await asyncio.sleep(chance.uniform(0, _SHORT_S))
    if chance.random() < 0.5:  # noqa: PLR2004  # a coin
        await store.client.delete(stream)
        return
    for message_id, _ in await store.client.xrange(stream) or ():
        await store.client.xack(stream, GROUP, message_id)
        await store.client.xdel(stream, message_id)


DISTURBANCES: dict[str, Disturbance] = {
    "redis": redis_killed,
    "clock": clock_killed,
    "slack": slack_cut,
    "doubled": messages_doubled,
    "lost": messages_lost,
}
