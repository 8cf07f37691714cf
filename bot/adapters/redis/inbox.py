"""Where intents are written down before anything is answered, in Redis."""

from __future__ import annotations

from bot.adapters.redis.store import Store
from bot.domain.intent import Intent

_REMEMBER_KEY_S = 86_400


class RedisInbox:
    """A stream of intents, each key once."""

    def __init__(self, store: Store) -> None:
        """Keep the store."""
        self._store = store

    async def put(self, intent: Intent) -> bool:
        """Write an intent down; false if its key was seen within the last day."""
        shard = self._store.keys.shared
        keys = (shard.seen(f"{intent.type}:{intent.key}"), shard.inbox)
        text = intent.model_dump_json(by_alias=True)
        return bool(await self._store.run("put", keys, text, _REMEMBER_KEY_S))
