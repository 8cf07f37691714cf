"""Sends each script to the node of a cluster that serves its keys, wherever they move."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AskError, ClusterDownError, MovedError, RedisClusterException, TryAgainError
from redis.exceptions import ConnectionError as ServerLostError
from redis.exceptions import TimeoutError as ServerSlowError

from bot.adapters.redis.command_batcher import Command, CommandBatcher, key_of

log = logging.getLogger(__name__)

_TRIES = 5
_PAUSE_S = 0.1
_PASSING = (AskError, TryAgainError, ClusterDownError, ServerLostError, ServerSlowError, OSError)
"""Transient: a slot that moves, a node that is replaced.  A ``MovedError`` is also an ``AskError``."""


@dataclass(frozen=True)
class _Way:
    """The node to try, and the command to send it first."""

    node: ClusterNode
    ahead: tuple[Command, ...] = ()


class ClusterBatcher:
    """A batcher for each node with slots.  All keys of one call are in one slot, by their hash tag."""

    def __init__(self, client: RedisCluster, *, replicas: int = 0) -> None:
        """Find nodes by ``client``; an answer counts once ``replicas`` of its node have the write."""
        self._client = client
        self._replicas = replicas
        self._wires: dict[str, CommandBatcher] = {}

    async def send(self, *commands: Command) -> list[Any]:
        """Send commands that share a slot over one connection to its node, and wait for their answers.

        Raises:
            RedisError: the node refuses one, or no node is found for it after several tries.
        """
        way = _Way(await self._owner(commands[0]))
        for attempt in range(1, _TRIES):
            try:
                return await self._try(way, commands)
            except _PASSING as error:
                log.info("redis_node_changed", extra={"error": type(error).__name__, "node": way.node.name})
                way = await self._next(error, way, commands[0], pause_s=_PAUSE_S * attempt)
        return await self._try(way, commands)

    async def aclose(self) -> None:
        """Close the connections to every node."""
        for wire in self._wires.values():
            await wire.aclose()
        self._wires = {}

    async def _try(self, way: _Way, commands: tuple[Command, ...]) -> list[Any]:
        node = way.node
        if node.name not in self._wires:
            self._wires[node.name] = CommandBatcher(lambda: _line(node), replicas=self._replicas)
        answers = await self._wires[node.name].send(*way.ahead, *commands)
        return answers[len(way.ahead) :]

    async def _next(self, error: Exception, way: _Way, command: Command, *, pause_s: float) -> _Way:
        """Return where to try next, after an answer or a node that did not answer."""
        if isinstance(error, MovedError):
            await self._client.nodes_manager.move_slot(error)
        elif isinstance(error, AskError):
            node = self._client.get_node(host=error.host, port=error.port)
            if node is not None:
                return _Way(node, (("ASKING",),))
        else:
            await asyncio.sleep(pause_s)
        if not isinstance(error, MovedError | TryAgainError):
            await self._look_again(way.node)
        return _Way(await self._owner(command))

    async def _owner(self, command: Command) -> ClusterNode:
        await self._client.initialize()
        try:
            node = self._client.get_node_from_key(key_of(command))
        except RedisClusterException as error:
            raise ServerLostError(str(error)) from error
        if node is None:
            raise ServerLostError("no node of the cluster serves this slot")
        return node

    async def _look_again(self, lost: ClusterNode) -> None:
        try:
            await self._client.nodes_manager.initialize(last_failed_node_name=lost.name)
        except RedisClusterException as error:
            raise ServerLostError(str(error)) from error


def _line(node: ClusterNode) -> AbstractConnection:
    return node.connection_class(**node.connection_kwargs)
