"""The connection, the keys and the scripts that every Redis adapter shares."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib import resources
from typing import Any, cast

from redis.asyncio import Redis
from redis.commands.core import AsyncScript

from bot.adapters.redis.keys import Keys

Argument = str | int | float


class Store:
    """One Redis or Valkey; ``changed`` is set when this process marks a topic."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        """Keep the client; scripts are read when first used."""
        self.client = client
        self.keys = keys
        self.changed = asyncio.Event()
        self._scripts: dict[str, AsyncScript] = {}

    async def run(self, script: str, keys: Sequence[str], *arguments: Argument) -> Any:  # noqa: ANN401  # what Lua returns
        """Run a script by the name of its file; a server that forgot it gets it again."""
        known = self._scripts.get(script)
        if known is None:
            text = resources.files("bot.adapters.redis").joinpath(f"lua/{script}.lua").read_text("utf-8")
            known = self._scripts[script] = self.client.register_script(text)
        return await known(keys=list(keys), args=list(arguments))

    async def hash(self, key: str) -> dict[str, str]:
        """Read a whole hash; empty if there is none."""
        return cast("dict[str, str]", await self.client.hgetall(key))

    async def field(self, key: str, name: str) -> str | None:
        """Read one field of a hash."""
        return cast("str | None", await self.client.hget(key, name))


def connect(url: str, *, prefix: str = "pilothouse", shards: int = 1, connections: int = 64) -> Store:
    """Make a store for ``redis://``, ``rediss://`` or ``unix://`` URLs; nothing is opened yet."""
    client = Redis.from_url(url, decode_responses=True, max_connections=connections)
    return Store(client, Keys(prefix, shards))
