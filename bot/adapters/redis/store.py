"""The connection, the keys and the scripts that every Redis adapter shares."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, cast

from redis.exceptions import NoScriptError

from bot.adapters.redis.address import address_of
from bot.adapters.redis.connecting import Link, link_to
from bot.adapters.redis.keys import LANES, Keys
from bot.domain.errors import SettingsError

Argument = str | int | float

_SHARED_LANES = 2
"""The intents and the checks."""


@dataclass(frozen=True)
class _Script:
    text: str
    digest: str


class RedisStore:
    """One Redis or Valkey, or many as one; ``changed`` is set when this process marks a topic.

    ``client`` is for commands that wait or are rare; frequent ones go over the batcher, which has no pool
    to run dry.
    """

    def __init__(self, link: Link, keys: Keys) -> None:
        """Use ``link`` to reach the keys of ``keys``."""
        self.client = link.client
        self._link = link
        self.keys = keys
        self.changed = asyncio.Event()
        self._scripts: dict[str, _Script] = {}

    async def run(self, script: str, keys: Sequence[str], *arguments: Argument, lasting: bool = False) -> Any:  # noqa: ANN401  # what Lua returns
        """Run a script by the name of its file; a server that forgot it gets it again.

        It may run twice where a connection is lost, so every script is harmless when it is repeated.
        ``lasting`` waits until the replicas that the settings ask for have it too.

        Raises:
            NotReplicatedError: they did not confirm in time; it is written, but must not be relied on.
        """
        known = self._scripts.get(script) or self._read(script)
        wire = self._link.lasting if lasting else self._link.wire
        try:
            (answer,) = await wire.send(("EVALSHA", known.digest, len(keys), *keys, *arguments))
        except NoScriptError:
            (answer,) = await wire.send(("EVAL", known.text, len(keys), *keys, *arguments))
        return answer

    async def hash(self, key: str) -> dict[str, str]:
        """Return a whole hash; empty if it does not exist."""
        (answer,) = await self._link.wire.send(("HGETALL", key))
        if isinstance(answer, dict):
            return answer
        return dict(zip(answer[::2], answer[1::2], strict=True))  # as RESP2 has it

    async def field(self, key: str, name: str) -> str | None:
        """Return one field of a hash; none if it does not exist."""
        (answer,) = await self._link.wire.send(("HGET", key, name))
        return cast("str | None", answer)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._link.aclose()

    def _read(self, script: str) -> _Script:
        text = resources.files("bot.adapters.redis").joinpath(f"lua/{script}.lua").read_text("utf-8")
        digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        known = self._scripts[script] = _Script(text, digest)
        return known


def connect(
    url: str, *, prefix: str = "pilothouse", shards: int = 1, connections: int = 64, replicas: int = 0
) -> RedisStore:
    """Return a store for a URL as ``address_of`` reads it; nothing is opened yet.

    ``connections`` are in addition to those that wait for work.  What must outlive the loss of the server
    is answered once ``replicas`` have it.

    Raises:
        SettingsError: the URL cannot be read; the message shows no part of it.
    """
    try:
        address = address_of(url)
    except ValueError as error:
        raise SettingsError(f"The store's URL {error}.") from None
    keys = Keys(prefix, shards)
    most = connections + len(LANES) * shards + _SHARED_LANES
    return RedisStore(link_to(address, connections=most, replicas=replicas), keys)
