"""What was posted about each topic, and which topics have to be checked, in Redis."""

from __future__ import annotations

import asyncio

from bot.adapters.redis.keys import Shard
from bot.adapters.redis.store import RedisStore
from bot.domain.board import Hold, PostedMessage, Topic
from bot.domain.errors import HoldLostError


class RedisMessageBoard:
    """One renderer a topic at a time, over all workers; a renderer that dies is replaced after its lease."""

    def __init__(self, store: RedisStore, *, retention_s: int = 30 * 86_400) -> None:
        """Store what is posted for ``retention_s`` seconds after the last post."""
        self._store = store
        self._retention_s = retention_s

    async def claim(self, *, limit: int, lease_s: float) -> tuple[Hold, ...]:
        """Claim topics that changed; other renderers do not get them for ``lease_s`` seconds."""
        found: list[Hold] = []
        for shard in self._store.keys.all:
            flat = await self._store.run("claim", (shard.dirty,), shard.holds, limit, int(lease_s * 1000))
            for name, mark in zip(flat[::2], flat[1::2], strict=True):
                kind, _, topic_id = name.partition(":")
                found.append(Hold(topic=Topic(kind=kind, id=topic_id), mark=mark))
        return tuple(found)

    async def release(self, hold: Hold, *, again_in_s: float | None = None) -> None:
        """Release a topic; it stays marked if it changed meanwhile, or if it is due again later."""
        shard, name = self._shard(hold.topic), _name(hold.topic)
        again = "" if again_in_s is None else int(again_in_s * 1000)
        await self._store.run("release", (shard.dirty, shard.holds + name), name, hold.mark, again)

    async def mark(self, topic: Topic) -> None:
        """Mark a topic as changed."""
        await self._store.run("mark", (self._shard(topic).dirty,), _name(topic))
        self._store.changed.set()

    async def posted(self, topic: Topic) -> dict[str, PostedMessage]:
        """Return what is known to be posted, by slot."""
        key = self._shard(topic).messages(_name(topic))
        fields: dict[str, str] = await self._store.hash(key)
        return {slot: PostedMessage.model_validate_json(text) for slot, text in fields.items()}

    async def record(self, hold: Hold, slot: str, posted: PostedMessage) -> None:
        """Record what is posted or, without a ``ts``, that a post begins."""
        shard, name = self._shard(hold.topic), _name(hold.topic)
        keys = (shard.messages(name), shard.holds + name)
        # Without what is not set, so that an older version of the bot can read what this one wrote.
        text = posted.model_dump_json(exclude_defaults=True)
        if not await self._store.run("record", keys, slot, text, self._retention_s, hold.mark):
            raise HoldLostError(f"{name} is no longer held by this renderer.")

    async def wait(self, *, timeout_s: float) -> None:
        """Sleep until a topic of this process changed, or ``timeout_s`` seconds."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._store.changed.wait()
        except TimeoutError:
            return
        finally:
            self._store.changed.clear()

    def _shard(self, topic: Topic) -> Shard:
        return self._store.keys.of(topic.id) if topic.kind == "run" else self._store.keys.shared


def _name(topic: Topic) -> str:
    return f"{topic.kind}:{topic.id}"
