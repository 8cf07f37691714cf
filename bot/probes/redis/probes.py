"""Reads the health of Redis or Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    OutOfMemoryError,
    RedisError,
)

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError
from bot.domain.formatting import figure, listed
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.probes._shared.connect import SHARE_OF_TIME, problem_of
from bot.probes.redis.client import client_of

_REFUSALS_BY_CLASS: Mapping[type[RedisError], str] = {
    BusyLoadingError: "it is loading its data",
    MasterDownError: "it has lost its primary",
    ClusterDownError: "its cluster is down",
    OutOfMemoryError: "its memory is full",
}
_REFUSALS_BY_CODE = {
    "MISCONF": "it refuses writes because it cannot save them to disk",
    "NOREPLICAS": "it refuses writes because too few replicas are connected",
    "BUSY": "a script or function blocks it",
    "UNKILLABLE": "a script or function blocks it",
}


@probe(specialist="database")
async def health(ctx: Context, *, service: str) -> Measurement:
    """Whether a service's Redis or Valkey answers, saves and replicates: 1 if so, 0 if not or unreachable.

    Asks ``url`` of the service's ``redis`` source.  0 also while it loads its data, when its last snapshot or
    its last write to the append-only file failed, when a replica has lost its primary, and while a script
    blocks it.  ``data`` holds ``problems``, ``ping_s`` (seconds; none where it refuses to be pinged),
    ``memory_share`` (of ``maxmemory``; none without a limit), ``used_bytes``, ``clients``, ``role`` and
    ``replicas``; of a server that refuses to report about itself only ``problems``.

    Raises:
        ProbeNotConfiguredError: the service has no ``redis`` source with a ``url``.
        ProbeUnavailableError: the server denies the bot access, or its name cannot be looked up.
        ProbeGarbageError: the server is not Redis.
    """
    url = ctx.source(service, "redis").get("url")
    if not url:
        raise ProbeNotConfiguredError(f"The `redis` source of {service} has no `url`.")
    limit_s = ctx.timeout_s * SHARE_OF_TIME
    try:
        async with asyncio.timeout(limit_s):
            ping_s, info, refusals = await _read(url)
    except TimeoutError:
        return _measured(ctx, service, [f"no answer within {figure(limit_s, 's')}"], {})
    except OSError as error:
        _, why = problem_of(error, host="of the server")
        return _measured(ctx, service, [why], {})
    data = _data(info, ping_s=ping_s) if info else {}
    return _measured(ctx, service, list(dict.fromkeys([*problems_of(info), *refusals])), data)


async def _read(url: str) -> tuple[float | None, dict[str, str], list[str]]:
    """Return how long a ping took (seconds), what the server reports, and why it refuses to answer.

    A refusal is an answer: a server that cannot do its work refuses even pings, and gives the reason.
    """
    async with client_of(url) as client:
        try:
            info = _fields(await client.info())
        except RedisError as error:
            if not (refusal := _refusal(error)):
                raise
            return None, {}, [refusal]
        started = time.perf_counter()
        try:
            await client.ping()
        except RedisError as error:
            if refusal := _refusal(error):
                return None, info, [refusal]
            if isinstance(error, NoPermissionError):  # It reported how it does; that is enough.
                return None, info, []
            raise
        return time.perf_counter() - started, info, []


def _refusal(error: RedisError) -> str:
    """Return what is wrong with a server that refuses a question; nothing where the question is at fault."""
    known = next((words for kind, words in _REFUSALS_BY_CLASS.items() if isinstance(error, kind)), "")
    return known or _REFUSALS_BY_CODE.get(str(error).partition(" ")[0], "")


def _fields(answer: object) -> dict[str, str]:
    info = {name: str(value) for name, value in answer.items()} if isinstance(answer, dict) else {}
    if "used_memory" not in info:
        raise ProbeGarbageError("The server did not answer INFO as Redis does.")
    return info


def problems_of(info: Mapping[str, str]) -> list[str]:
    """Return the problems that a server reports about itself; pure."""
    checks = (
        ("loading", "0", "it is loading its data"),
        ("rdb_last_bgsave_status", "ok", "its last snapshot failed"),
        ("aof_last_write_status", "ok", "its last write to the append-only file failed"),
        ("aof_last_bgrewrite_status", "ok", "its last rewrite of the append-only file failed"),
        ("master_link_status", "up", "it has lost its primary"),
    )
    return [text for name, good, text in checks if info.get(name, good) != good]


def _data(info: Mapping[str, str], *, ping_s: float | None) -> JsonObject:
    try:
        used, most = int(info["used_memory"]), int(info.get("maxmemory", "0"))
        clients, replicas = int(info.get("connected_clients", "0")), int(info.get("connected_slaves", "0"))
    except ValueError as error:
        raise ProbeGarbageError("The server's INFO has text where Redis has numbers.") from error
    return {
        "ping_s": None if ping_s is None else round(ping_s, 5),
        "memory_share": used / most if most else None,
        "used_bytes": used,
        "clients": clients,
        "role": info.get("role", ""),
        "replicas": replicas,
    }


def _measured(ctx: Context, service: str, problems: list[str], data: JsonObject) -> Measurement:
    well = "answers, saves and replicates"
    return Measurement(
        value=0.0 if problems else 1.0,
        unit="1 = healthy",
        at=ctx.clock.now(),
        text=f"{service}: Redis {well}" if not problems else f"{service}: Redis: {listed(problems, most=4)}",
        data={**data, "problems": list(problems)},
    )
