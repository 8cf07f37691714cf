"""The Redis probe against real Valkeys that are well, guarded, cut off from their primary, silent or gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.redis.probes import health, problems_of
from tests.support.servers import free_port, silent_server
from tests.support.valkeys import fresh_valkey
from tests.support.waiting import until

pytestmark = pytest.mark.server


def service(url: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"redis": {"url": url}}}


@contextlib.asynccontextmanager
async def listening(said: bytes) -> AsyncIterator[int]:
    """Run a server that answers ``said`` to anything and hangs up; gives its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(said)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def test_a_server_that_is_well_is_1_and_tells_its_figures(context):
    async with fresh_valkey() as url, Redis.from_url(url) as client:
        await client.config_set("maxmemory", 100_000_000)
        seen = await health(context(service(url)), service="shop")
    assert (seen.value, seen.data["problems"], seen.data["role"]) == (1, [], "master")
    assert 0 < seen.data["memory_share"] < 1
    assert seen.data["ping_s"] > 0
    assert seen.data["clients"] >= 1


async def test_a_replica_that_has_lost_its_primary_is_0_and_says_so(context):
    async with fresh_valkey() as url, Redis.from_url(url) as client:
        await client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))

        async def cut_off() -> bool:
            return (await health(context(service(url)), service="shop")).value == 0

        await until(cut_off, what="a lost primary")
        seen = await health(context(service(url)), service="shop")
    assert seen.data["problems"] == ["it has lost its primary"]
    assert seen.text == "shop: Redis: it has lost its primary"


async def test_a_replica_that_serves_nothing_without_its_primary_is_0(context):
    """It refuses even pings (redis/redis#9757; see tests/data/cases/07-redis-refuses-ping)."""
    async with fresh_valkey() as url, Redis.from_url(url) as client:
        await client.config_set("replica-serve-stale-data", "no")
        await client.execute_command("REPLICAOF", "127.0.0.1", str(free_port()))
        seen = await health(context(service(url)), service="shop")
    assert (seen.value, seen.data["problems"]) == (0, ["it has lost its primary"])
    assert (seen.data["role"], seen.data["ping_s"]) == ("slave", None)


async def test_a_server_that_cannot_save_is_0_and_says_so(context):
    async with fresh_valkey() as url, Redis.from_url(url) as client:
        where = await client.config_get("dir", "dbfilename")
        taken = Path(where["dir"]) / where["dbfilename"]
        (taken / "in-the-way").mkdir(parents=True)
        await client.config_set("save", "3600 1")
        await client.set("a", 1)
        await client.bgsave()

        async def failed() -> bool:
            return (await health(context(service(url)), service="shop")).value == 0

        await until(failed, what="a failed snapshot")
        seen = await health(context(service(url)), service="shop")
        await client.config_set("save", "")  # a server that cannot save refuses to end
    assert seen.data["problems"] == [
        "its last snapshot failed",
        "it refuses writes because it cannot save them to disk",
    ]


async def test_a_server_that_a_script_blocks_is_0_and_says_so(context):
    async with fresh_valkey() as url, Redis.from_url(url) as client, Redis.from_url(url) as other:
        await client.config_set("busy-reply-threshold", "10")
        endless = asyncio.create_task(other.eval("while true do end", 0))

        async def blocked() -> bool:
            return (await health(context(service(url)), service="shop")).value == 0

        await until(blocked, what="a blocked server")
        seen = await health(context(service(url)), service="shop")
        await client.script_kill()
        with pytest.raises(ResponseError):
            await endless
    assert seen.data["problems"] == ["a script or function blocks it"]


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "it is loading its data"),
        (b"-CLUSTERDOWN The cluster is down\r\n", "its cluster is down"),
        (b"-NOREPLICAS Not enough good replicas to write.\r\n", "too few replicas"),
        (b"-MASTERDOWN Link with MASTER is down\r\n", "it has lost its primary"),
    ],
)
async def test_a_server_that_refuses_every_question_for_its_own_state_is_0(context, said, problem):
    async with listening(said) as port:
        seen = await health(context(service(f"redis://127.0.0.1:{port}")), service="shop")
    assert seen.value == 0
    assert problem in seen.data["problems"][0]


async def test_what_a_login_may_read_is_used_where_it_may_not_ping(context):
    async with fresh_valkey() as url, Redis.from_url(url) as client:
        await client.execute_command("ACL", "SETUSER", "watcher", "on", ">hunter2", "+info")
        path = url.removeprefix("unix://")
        seen = await health(context(service(f"unix://watcher:hunter2@{path}")), service="shop")
    assert (seen.value, seen.data["ping_s"]) == (1, None)


async def test_a_password_is_sent_and_a_wrong_one_is_unavailable_and_never_told(context):
    async with fresh_valkey() as url, Redis.from_url(url) as client:
        await client.execute_command("ACL", "SETUSER", "watcher", "on", ">hunter2", "+info", "+ping")
        await client.config_set("requirepass", "hunter3")
        path = url.removeprefix("unix://")
        named = await health(context(service(f"unix://watcher:hunter2@{path}")), service="shop")
        plain = await health(context(service(f"unix://:hunter3@{path}")), service="shop")
        for wrong in (f"unix://:hunter4@{path}", url):
            with pytest.raises(
                ProbeUnavailableError, match=r"refused (the login|a connection without a password)"
            ) as failed:
                await health(context(service(wrong)), service="shop")
            assert "hunter" not in str(failed.value)
    assert (named.value, plain.value) == (1, 1)


async def test_a_server_that_is_gone_or_hangs_is_0_and_not_a_gap(context):
    gone = await health(context(service(f"redis://127.0.0.1:{free_port()}")), service="shop")
    async with silent_server() as address:
        hung = await health(context(service(f"redis://{address}"), timeout_s=0.2), service="shop")
    assert (gone.value, gone.data["problems"]) == (0, ["the connection is refused"])
    assert (hung.value, hung.data["problems"]) == (0, ["no answer within 170 ms"])


@pytest.mark.parametrize(
    "said", [b"220 mail.example\r\n", b"$5\r\nhello\r\n", b"$99999999\r\n", b"+OK\r\n", b""]
)
async def test_what_is_no_redis_is_garbage(context, said):
    async with listening(said) as port:
        with pytest.raises(ProbeGarbageError):
            await health(context(service(f"redis://127.0.0.1:{port}")), service="shop")


async def test_tls_is_spoken_where_the_url_says_so_and_its_absence_is_named(context):
    async with listening(b"-ERR no TLS here\r\n") as port:
        seen = await health(context(service(f"rediss://127.0.0.1:{port}")), service="shop")
    assert (seen.value, seen.data["problems"]) == (0, ["it does not speak TLS"])


@pytest.mark.parametrize("url", ["", "http://x", "redis://", "redis://x:port", "nonsense"])
async def test_without_a_url_of_a_redis_it_is_not_configured(context, url):
    with pytest.raises(ProbeNotConfiguredError):
        await health(context(service(url)), service="shop")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"rdb_last_bgsave_status": "err"}, "snapshot failed"),
        ({"aof_last_write_status": "err"}, "append-only file failed"),
        ({"loading": "1"}, "loading its data"),
        ({"master_link_status": "down"}, "lost its primary"),
    ],
)
def test_what_a_server_says_is_wrong_with_itself_is_put_into_words(told, said):
    (problem,) = problems_of(told)
    assert said in problem
    assert (
        problems_of(dict.fromkeys(told, "up" if "link" in next(iter(told)) else "ok") | {"loading": "0"})
        == []
    )
