"""The connection, the keys and the scripts that every Redis adapter shares."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from bot.adapters.redis.keys import Keys
from bot.adapters.redis.wire import Command, Wire

Argument = str | int | float

_WAIT_MS = 1000


class NotReplicatedError(RedisError):
    """What was written is on too few replicas to be relied on; try again."""


@dataclass(frozen=True)
class _Script:
    text: str
    digest: str


class Store:
    """One Redis or Valkey; ``changed`` is set when this process marks a topic."""

    def __init__(self, client: Redis, keys: Keys, *, replicas: int = 0) -> None:
        """Keep the client; ``replicas`` must have what has to outlive the loss of the server."""
        self.client = client
        self.keys = keys
        self.changed = asyncio.Event()
        self._replicas = replicas
        self._wire = Wire(client)
        self._scripts: dict[str, _Script] = {}

    async def run(self, script: str, keys: Sequence[str], *arguments: Argument, lasting: bool = False) -> Any:  # noqa: ANN401  # what Lua returns
        """Run a script by the name of its file; a server that forgot it gets it again.

        It may run twice where a connection is lost, so every script is harmless when it is repeated.
        ``lasting`` waits until the replicas that the settings ask for have it too.

        Raises:
            NotReplicatedError: they do not have it in time; it is written, but must not be relied on.
        """
        known = self._scripts.get(script) or self._read(script)
        try:
            return await self._send(("EVALSHA", known.digest, len(keys), *keys, *arguments), lasting=lasting)
        except NoScriptError:
            return await self._send(("EVAL", known.text, len(keys), *keys, *arguments), lasting=lasting)

    async def _send(self, command: Command, *, lasting: bool) -> Any:  # noqa: ANN401  # what Lua returns
        if not (lasting and self._replicas):
            (answer,) = await self._wire.send(command)
            return answer
        answer, reached = await self._wire.send(command, ("WAIT", self._replicas, _WAIT_MS))
        if reached < self._replicas:
            raise NotReplicatedError(f"{reached} of {self._replicas} replicas have it after {_WAIT_MS} ms")
        return answer

    async def hash(self, key: str) -> dict[str, str]:
        """Read a whole hash; empty if there is none."""
        return cast("dict[str, str]", await self.client.hgetall(key))

    async def field(self, key: str, name: str) -> str | None:
        """Read one field of a hash."""
        return cast("str | None", await self.client.hget(key, name))

    async def aclose(self) -> None:
        """Close every connection."""
        await self._wire.aclose()
        await self.client.aclose()

    def _read(self, script: str) -> _Script:
        text = resources.files("bot.adapters.redis").joinpath(f"lua/{script}.lua").read_text("utf-8")
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        known = self._scripts[script] = _Script(text, digest)
        return known


def connect(
    url: str, *, prefix: str = "pilothouse", shards: int = 1, connections: int = 64, replicas: int = 0
) -> Store:
    """Make a store for ``redis://``, ``rediss://`` or ``unix://`` URLs; nothing is opened yet."""
    client = Redis.from_url(url, decode_responses=True, max_connections=connections)
    return Store(client, Keys(prefix, shards), replicas=replicas)
