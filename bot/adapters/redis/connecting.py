"""Connects to the store: a client for single commands and a batcher for scripts, for any kind of server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as ServerLostError
from redis.exceptions import ReadOnlyError, RedisClusterException

from bot.adapters.redis.address import Address, Login
from bot.adapters.redis.closed import closed_is_lost
from bot.adapters.redis.cluster import ClusterBatcher
from bot.adapters.redis.command_batcher import CommandBatcher

_SENTINEL_S = 1.0
"""In seconds; a Sentinel that does not answer in this time is skipped."""
_TRIES, _PAUSE_S, _LONGEST_PAUSE_S = 3, 0.02, 0.5


@dataclass(frozen=True, kw_only=True)
class Link:
    """A connection to the store; nothing is opened until it is used.

    What goes over ``lasting`` is answered once the replicas have it too.
    """

    client: Redis
    wire: CommandBatcher | ClusterBatcher
    lasting: CommandBatcher | ClusterBatcher
    closing: tuple[Callable[[], Awaitable[None]], ...]

    async def aclose(self) -> None:
        """Close every connection."""
        for close in self.closing:
            await close()


class _Cluster(RedisCluster):
    """redis-py's cluster, with its own failures raised as those of a server out of reach."""

    async def initialize(self, *args: Any, **options: Any) -> RedisCluster:  # noqa: ANN401  # as redis-py has it
        """Find out which node serves which slot, once."""
        try:
            return await super().initialize(*args, **options)
        except RedisClusterException as error:
            raise ServerLostError(str(error)) from error

    async def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as redis-py has it
        """Send one command to the node that serves its key."""
        try:
            return await _answered(super().execute_command(*args, **options))
        except RedisClusterException as error:
            raise ServerLostError(str(error)) from error


class _Server(Redis):
    """redis-py's client of one server, whose own failures are those of a server out of reach."""

    async def execute_command(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # as redis-py has it
        """Send one command."""
        return await _answered(super().execute_command(*args, **options))  # type: ignore[no-untyped-call]


async def _answered(asking: Awaitable[Any]) -> Any:  # noqa: ANN401  # whatever the command answers
    """Wait for the answer to a command, and raise a cancellation that redis-py swallows.

    ``asyncio.wait_for``, with which redis-py sends, swallows one that meets its result, before Python 3.12: a
    worker that was asked to end would go on for ever.
    """
    task = asyncio.current_task()
    before = 0 if task is None else task.cancelling()
    with closed_is_lost():
        answer = await asking
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError
    return answer


def link_to(address: Address, *, connections: int, replicas: int) -> Link:
    """Return a link with at most ``connections`` to a server, besides those of the batchers.

    A lasting write is answered once ``replicas`` have it.
    """
    match address.kind:
        case "server":
            return _to_server(address, connections, replicas)
        case "sentinel":
            return _to_service(address, connections, replicas)
        case "cluster":
            return _to_cluster(address, connections, replicas)


def _to_server(address: Address, connections: int, replicas: int) -> Link:
    client = _Server.from_url(address.url, max_connections=connections, decode_responses=True, **_patience())
    return _over_one(client, replicas)


def _to_service(address: Address, connections: int, replicas: int) -> Link:
    """Connect to the primary, asking the Sentinels again for each new connection."""
    sentinel = Sentinel(  # type: ignore[no-untyped-call]
        list(address.hosts),
        sentinel_kwargs={
            "socket_timeout": _SENTINEL_S,
            "socket_connect_timeout": _SENTINEL_S,
            "ssl": address.tls,
            "decode_responses": True,
            "retry": Retry(NoBackoff(), 0),  # ask the next Sentinel instead
            **_words(address.sentinel_login),
        },
    )
    client: Redis = sentinel.master_for(
        address.service,
        redis_class=_Server,
        db=address.db,
        ssl=address.tls,
        max_connections=connections,
        decode_responses=True,
        **_words(address.login),
        **_patience(),
    )
    return _over_one(client, replicas, sentinel.aclose)


def _to_cluster(address: Address, connections: int, replicas: int) -> Link:
    client = _Cluster(
        startup_nodes=[ClusterNode(host, port) for host, port in address.hosts],
        ssl=address.tls,
        max_connections=connections,
        decode_responses=True,
        **_words(address.login),
    )
    wire = ClusterBatcher(client)
    lasting = ClusterBatcher(client, replicas=replicas) if replicas else wire
    return Link(
        # It has the commands of a client for one server; the multi-key ones, of which none is used, fail.
        client=cast("Redis", client),
        wire=wire,
        lasting=lasting,
        closing=(wire.aclose, lasting.aclose, client.aclose),
    )


def _over_one(client: Redis, replicas: int, *more: Callable[[], Awaitable[None]]) -> Link:
    pool = client.connection_pool

    def line() -> AbstractConnection:
        return cast("AbstractConnection", pool.make_connection())  # type: ignore[no-untyped-call]

    wire = CommandBatcher(line)
    lasting = CommandBatcher(line, replicas=replicas) if replicas else wire
    return Link(
        client=client,
        wire=wire,
        lasting=lasting,
        closing=(wire.aclose, lasting.aclose, client.aclose, *more),
    )


def _patience() -> dict[str, Any]:
    """Return how to retry: reconnect a few times, even if a server is no longer the primary."""
    return {
        "retry": Retry(ExponentialWithJitterBackoff(base=_PAUSE_S, cap=_LONGEST_PAUSE_S), _TRIES),
        "retry_on_error": [ReadOnlyError],
    }


def _words(login: Login) -> dict[str, Any]:
    return {"username": login.username, "password": login.password}
