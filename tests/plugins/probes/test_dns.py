"""The DNS probe against a small real name server that knows, does not know, refuses, lies or is silent."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.dns import resolve
from tests.support.servers import free_port

ZONE = {
    ("shop.example.", "A"): ["192.0.2.1", "192.0.2.2"],
    ("shop.example.", "MX"): ["10 Mail.example."],
    ("shop.example.", "TXT"): ['"v=spf1 -all"'],
}
Answer = Callable[[dns.message.Message], bytes]


def from_the_zone(question: dns.message.Message) -> bytes:
    asked = question.question[0]
    answer = dns.message.make_response(question)
    answer.flags |= dns.flags.AA
    name, kind = asked.name.to_text(), dns.rdatatype.to_text(asked.rdtype)
    if (name, kind) in ZONE:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *ZONE[(name, kind)]))
    elif all(known != name for known, _ in ZONE):
        answer.set_rcode(dns.rcode.NXDOMAIN)
    return answer.to_wire()


def failing(question: dns.message.Message) -> bytes:
    answer = dns.message.make_response(question)
    answer.set_rcode(dns.rcode.SERVFAIL)
    return answer.to_wire()


def babbling(_: dns.message.Message) -> bytes:
    return b"220 mail.example ESMTP"


def silent(_: dns.message.Message) -> bytes:
    return b""


class Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if said := self._answer(dns.message.from_wire(data)):
            self._transport.sendto(said, addr)


@contextlib.asynccontextmanager
async def name_server(answer: Answer = from_the_zone) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Udp(answer), local_addr=("127.0.0.1", 0))
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}"
    finally:
        transport.close()


def service(server: str, name: str = "shop.example") -> dict[str, Any]:
    return {"name": "shop", "sources": {"dns": {"server": server, "name": name}}}


async def test_a_name_tells_how_many_answers_it_has_and_which(context):
    async with name_server() as server:
        ctx = context(service(server))
        seen = await resolve(ctx, service="shop", expected=("192.0.2.2", "192.0.2.1"))
        mail = await resolve(ctx, service="shop", record="MX", expected=("10 mail.example",))
        text = await resolve(ctx, service="shop", record="TXT", expected=("v=spf1 -all",))
    assert (seen.value, seen.data["answers"]) == (2, ["192.0.2.1", "192.0.2.2"])
    assert seen.data["ttl_s"] == 60
    assert seen.data["took_s"] > 0
    assert (mail.value, text.value) == (1, 1)


async def test_answers_that_are_not_the_expected_ones_count_for_nothing(context):
    async with name_server() as server:
        seen = await resolve(context(service(server)), service="shop", expected=("192.0.2.1", "192.0.2.9"))
    assert (seen.value, seen.data["missing"], seen.data["unexpected"]) == (0, ["192.0.2.9"], ["192.0.2.2"])
    assert "192.0.2.1 and 192.0.2.2, expected 192.0.2.1 and 192.0.2.9" in seen.text


@pytest.mark.parametrize(("name", "record"), [("gone.example", "A"), ("shop.example", "AAAA")])
async def test_a_name_that_does_not_exist_has_0_answers_and_is_not_unavailable(context, name, record):
    async with name_server() as server:
        seen = await resolve(context(service(server, name)), service="shop", record=record)
    assert (seen.value, seen.data["answers"]) == (0, [])


@pytest.mark.parametrize("answer", [failing, babbling, silent])
async def test_a_server_that_cannot_say_is_unavailable_and_the_name_not_gone(context, answer):
    async with name_server(answer) as server:
        with pytest.raises(ProbeUnavailableError):
            await resolve(context(service(server), timeout_s=0.5), service="shop")


async def test_a_server_that_is_not_there_is_unavailable(context):
    with pytest.raises(ProbeUnavailableError):
        await resolve(context(service(f"127.0.0.1:{free_port()}"), timeout_s=0.5), service="shop")


@pytest.mark.parametrize(
    "source",
    [
        {"server": "127.0.0.1:53"},
        {"name": "a..b"},
        {"name": "shop.example", "server": "ns.example:53"},
        {"name": "shop.example", "server": "127.0.0.1"},
    ],
)
async def test_without_a_name_or_with_a_server_that_is_no_address_it_is_not_configured(context, source):
    with pytest.raises(ProbeNotConfiguredError):
        await resolve(context({"name": "shop", "sources": {"dns": source}}), service="shop")
