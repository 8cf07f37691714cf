"""Reads the health of Redis or Valkey."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError
from bot.domain.formatting import figure, listed
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.probes._redis_client import client_of
from bot.probes._shared.connect import SHARE_OF_TIME, problem_of


@probe(specialist="database")
async def health(ctx: Context, *, service: str) -> Measurement:
    """Whether a service's Redis or Valkey answers, saves and replicates: 1 if so, 0 if not or unreachable.

    Connects to ``url`` of the service's ``redis`` source.  Also 0 while it loads its data, when its last
    snapshot or its last write to the append-only file failed, and when a replica has lost its primary.
    ``data`` holds ``problems``, ``ping_s`` (s), ``memory_share`` (of ``maxmemory``; null without a limit),
    ``used_bytes``, ``clients``, ``role`` and ``replicas``.

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
            ping_s, info = await _read(url)
    except TimeoutError:
        return _measured(ctx, service, [f"no answer within {figure(limit_s, 's')}"], {})
    except OSError as error:
        _, why = problem_of(error, host="of the server")
        return _measured(ctx, service, [why], {})
    data = _data(info, ping_s=ping_s)
    return _measured(ctx, service, problems_of(info), data)


async def _read(url: str) -> tuple[float, dict[str, str]]:
    async with client_of(url) as client:
        # INFO first: while it loads its data, a server refuses to be pinged.
        info = _fields(await client.info())
        if info.get("loading") == "1":
            return 0.0, info
        started = time.perf_counter()
        await client.ping()
        return time.perf_counter() - started, info


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


def _data(info: Mapping[str, str], *, ping_s: float) -> JsonObject:
    try:
        used, most = int(info["used_memory"]), int(info.get("maxmemory", "0"))
        clients, replicas = int(info.get("connected_clients", "0")), int(info.get("connected_slaves", "0"))
    except ValueError as error:
        raise ProbeGarbageError("The server's INFO has text where Redis has numbers.") from error
    return {
        "ping_s": round(ping_s, 5),
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
