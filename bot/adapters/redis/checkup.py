"""Checks that a Redis or Valkey will not lose runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, cast

from redis.asyncio import RedisCluster
from redis.exceptions import NoPermissionError, RedisError, ResponseError

from bot.adapters.redis.store import RedisStore
from bot.domain.checkup import CheckupItem, doubtful, good, wrong
from bot.domain.clock import Clock
from bot.domain.documentation import DOCS

_OLDEST = {"redis": 7, "valkey": 8}
_SKEW_S, _BAD_SKEW_S = 1.0, 30.0
_ADMIN = "Run this once with a PILOTHOUSE_REDIS_URL whose user has these permissions: it changes nothing."
_PAGE = f"See {DOCS}/how-to/run-redis.md."


async def check_redis(store: RedisStore, clock: Clock) -> tuple[CheckupItem, ...]:
    """Check version, durability, eviction, the default user's trap and the clocks; change nothing."""
    try:
        await cast("Awaitable[Any]", store.client.ping())
    except (RedisError, OSError) as error:
        todo = "Check PILOTHOUSE_REDIS_URL, its login, and that the server is up."
        return (wrong("redis", f"does not answer: {type(error).__name__}", todo=todo),)
    if isinstance(store.client, RedisCluster):
        todo = "Check each node separately, with a redis:// URL."
        return (doubtful("redis", "a cluster answers; its nodes were not checked", todo=todo),)
    looks: Iterable[tuple[str, Callable[[RedisStore], Awaitable[CheckupItem]]]] = (
        ("redis version", _version),
        ("redis append-only file", _append_only),
        ("redis eviction", _eviction),
        ("redis default user", _default_user),
    )
    found = [good("redis", "answers")]
    for name, look in looks:
        try:
            found.append(await look(store))
        except NoPermissionError:
            found.append(doubtful(name, "this user has no permission to check", todo=_ADMIN))
        except ResponseError as error:
            found.append(doubtful(name, f"the server does not report it: {error}", todo=_PAGE))
    return (*found, await _skew(store, clock))


async def _version(store: RedisStore) -> CheckupItem:
    """Read the version from HELLO, which every user may call."""
    answer: Any = await _ask(store, "HELLO")
    told = answer if isinstance(answer, dict) else dict(zip(answer[::2], answer[1::2], strict=True))
    told = {_text(key): _text(value) for key, value in told.items()}
    server, version = told.get("server", "redis"), told.get("version", "0")
    text = f"{server} {version}"
    if int(version.partition(".")[0]) < _OLDEST.get(server, 0):
        return wrong("redis version", text, todo="Use Redis 7 or Valkey 8, or newer.")
    return good("redis version", text)


async def _ask(store: RedisStore, *words: str) -> Any:  # noqa: ANN401  # what the server answers
    send: Callable[..., Awaitable[Any]] = store.client.execute_command
    return await send(*words)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


async def _append_only(store: RedisStore) -> CheckupItem:
    told = await store.client.config_get("append*")
    if told.get("appendonly") != "yes":
        todo = f"Set `appendonly yes`: otherwise a restart loses acknowledged writes. {_PAGE}"
        return wrong("redis append-only file", "is off", todo=todo)
    sync = told.get("appendfsync", "")
    if sync == "no":
        todo = "Set `appendfsync everysec` or `always`."
        return wrong("redis append-only file", "is written whenever the operating system decides", todo=todo)
    return good("redis append-only file", f"is on, {sync}")


async def _eviction(store: RedisStore) -> CheckupItem:
    policy = (await store.client.config_get("maxmemory-policy")).get("maxmemory-policy", "")
    if policy != "noeviction":
        todo = f"Set `maxmemory-policy noeviction`: otherwise a full server deletes runs. {_PAGE}"
        return wrong("redis eviction", f"is {policy}", todo=todo)
    return good("redis eviction", "noeviction")


async def _default_user(store: RedisStore) -> CheckupItem:
    """Find the trap: a default user that is off without permissions loses writes at a reload of the file."""
    name = "redis default user"
    user = cast("dict[str, Any]", await cast("Awaitable[Any]", store.client.acl_getuser("default")))
    if "off" not in user["flags"]:
        return good(name, "is on")
    key = store.keys.shared.inbox
    try:
        answer = _text(await _ask(store, "ACL", "DRYRUN", "default", "HSET", key, "a", "b"))
    except ResponseError as error:
        answer = str(error)
    if answer == "OK":
        return good(name, "is off and keeps its permissions")
    todo = f"Write `user default off ~* resetchannels &* +@all`: otherwise a restart loses runs. {_PAGE}"
    return wrong(name, "is off and has no permissions", todo=todo)


async def _skew(store: RedisStore, clock: Clock) -> CheckupItem:
    before = clock.now().timestamp()
    seconds, micros = await store.client.time()
    after = clock.now().timestamp()
    skew_s = seconds + micros / 1e6 - (before + after) / 2
    text = f"{abs(skew_s):.3f} s {'ahead of' if skew_s > 0 else 'behind'} this machine's"
    todo = "Run NTP (chrony) on both: deadlines and timers are wrong by this much."
    if abs(skew_s) > _BAD_SKEW_S:
        return wrong("redis clock", text, todo=todo)
    if abs(skew_s) > _SKEW_S + (after - before):
        return doubtful("redis clock", text, todo=todo)
    return good("redis clock", text)
