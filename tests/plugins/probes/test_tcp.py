"""The TCP check against ports that accept, refuse, or never answer."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.tcp import check
from tests.support.servers import free_port
from tests.support.waiting import LIMIT_S


def service(address: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"tcp": {"address": address}}}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_port_that_accepts_is_1_and_tells_its_time(context, host):
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        seen = await check(context(service(f"{host}:{port}")), service="shop")
    assert (seen.value, seen.data["problem"]) == (1, "")
    assert seen.data["took_s"] > 0
    assert seen.text.startswith(f"shop: {host}:{port} accepts in ")


async def test_a_port_that_refuses_is_0_and_not_unavailable(context):
    seen = await check(context(service(f"127.0.0.1:{free_port()}")), service="shop")
    assert (seen.value, seen.data["problem"]) == (0, "refused")


async def test_a_port_that_never_answers_is_0_within_the_time_it_has(context):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for each in waiting:  # the kernel drops what goes beyond the backlog
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            async with asyncio.timeout(LIMIT_S):
                seen = await check(context(service(f"127.0.0.1:{port}")), service="shop", within_s=0.2)
        finally:
            for each in waiting:
                each.close()
    assert (seen.value, seen.data["problem"]) == (0, "timeout")
    assert "within 200 ms" in seen.text


async def test_a_name_that_cannot_be_looked_up_is_unknown_and_not_down(context, monkeypatch):
    async def nobody(*arguments: Any, **more: Any) -> Any:
        raise socket.gaierror(number, "as the test wants it")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nobody)
    number = socket.EAI_AGAIN
    with pytest.raises(ProbeUnavailableError, match="cannot be looked up"):
        await check(context(service("db.example:5432")), service="shop")
    number = socket.EAI_NONAME
    assert (await check(context(service("db.example:5432")), service="shop")).data["problem"] == "name"


@pytest.mark.parametrize("address", ["db.example", ":5432", "db:port", "db:99999", "db:\u0665", ""])
async def test_an_address_that_is_no_host_and_port_is_not_configured(context, address):
    with pytest.raises(ProbeNotConfiguredError):
        await check(context(service(address)), service="shop")
