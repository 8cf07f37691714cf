"""Stores intents in Redis before anything is answered."""

from __future__ import annotations

from redis.exceptions import OutOfMemoryError, RedisError

from bot.adapters.redis.command_batcher import NotReplicatedError
from bot.adapters.redis.store import RedisStore
from bot.domain.errors import BusyError, StoreUnavailableError
from bot.domain.intent import Intent, StartRun

_REMEMBER_KEY_S = 86_400


class RedisInbox:
    """A stream of intents, each key once."""

    def __init__(self, store: RedisStore, *, most_waiting: int = 10_000) -> None:
        """Store intents in ``store``; while ``most_waiting`` messages wait, no new run is accepted."""
        self._store = store
        self._most_waiting = most_waiting

    async def put(self, intent: Intent) -> bool:
        """Store an intent; return false if its key was seen within the last day.

        A click or an alert, which cannot simply be repeated, is on the replicas when this returns.

        Raises:
            BusyError: too many messages wait for a new run to be on time; nothing was stored.
            StoreUnavailableError: the store takes no writes, or does not answer.
        """
        shard = self._store.keys.shared
        keys = (shard.seen(f"{intent.type}:{intent.key}"), shard.inbox, shard.queue("normal"))
        most = self._most_waiting if isinstance(intent, StartRun) else ""
        text = intent.model_dump_json(by_alias=True)
        try:
            written = await self._store.run("put", keys, text, _REMEMBER_KEY_S, most, lasting=not most)
        except OutOfMemoryError as error:
            raise StoreUnavailableError("My store is full, so I did not start this.") from error
        except NotReplicatedError as error:
            raise StoreUnavailableError("My store has lost its replica, so I may lose this.") from error
        except (RedisError, OSError) as error:
            raise StoreUnavailableError(
                "My store is out of reach, so I may not have recorded this."
            ) from error
        if written < 0:
            raise BusyError(
                f"I'm overloaded ({self._most_waiting} requests waiting), so I did not start this."
            )
        return bool(written)
