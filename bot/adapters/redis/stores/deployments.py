"""The record of deployments in Redis: one hash a deployment, and two indexes by time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bot.adapters.redis.store import RedisStore
from bot.domain.clock import Clock
from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError


class RedisDeploymentStore:
    """Every deployment since its request; the script that changes a record also announces it."""

    def __init__(self, store: RedisStore, clock: Clock, *, retention_s: int = 400 * 86_400) -> None:
        """Read and write through ``store``; "recent" is by ``clock``."""
        self._store = store
        self._shard = store.keys.shared
        self._clock = clock
        self._retention_s = retention_s

    async def record(self, deployment: Deployment) -> bool:
        """Store a deployment's current state; return false, and store nothing, if it has already ended."""
        shard = self._shard
        keys = (
            shard.deployment(deployment.id),
            shard.deployments_of(deployment.service),
            shard.deployments,
            shard.dirty,
        )
        kept = await self._store.run(
            "book",
            keys,
            deployment.id,
            # Without what is not set, so that an older version of the bot can read what this one wrote.
            deployment.model_dump_json(exclude_defaults=True),
            int(deployment.finished_at is not None),
            _ms(deployment.requested_at.timestamp()),
            self._retention_s,
            f"deployment:{deployment.id}",
            lasting=True,
        )
        self._store.changed.set()
        return bool(kept)

    async def get(self, deployment_id: str) -> Deployment:
        """Return a deployment.

        Raises:
            NotFoundError: no deployment has that id.
        """
        text = await self._store.field(self._shard.deployment(deployment_id), "record")
        if text is None:
            raise NotFoundError(f"The deployment {deployment_id} is not in my records.")
        return Deployment.model_validate_json(text)

    async def of(self, service: str, *, limit: int) -> tuple[Deployment, ...]:
        """Return the latest deployments of a service's address, or of all if it is empty, newest first."""
        key = self._shard.deployments_of(service) if service else self._shard.deployments
        return await self._read(await self._store.client.zrevrange(key, 0, limit - 1))

    async def since(self, seconds: float) -> tuple[Deployment, ...]:
        """Return all deployments that were requested in the last ``seconds``, oldest first."""
        oldest = _ms(self._clock.now().timestamp() - seconds)
        return await self._read(
            await self._store.client.zrangebyscore(self._shard.deployments, oldest, "+inf")
        )

    async def _read(self, ids: Iterable[object]) -> tuple[Deployment, ...]:
        keys = [self._shard.deployment(str(deployment_id)) for deployment_id in ids]
        texts = await asyncio.gather(*(self._store.field(key, "record") for key in keys))
        return tuple(Deployment.model_validate_json(text) for text in texts if text is not None)


def _ms(at_s: float) -> int:
    return int(at_s * 1000)
