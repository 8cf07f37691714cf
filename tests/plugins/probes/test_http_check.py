"""The HTTP check against real servers that answer rightly, wrongly, late, elsewhere, or not at all."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.pattern import Pattern
from bot.engine.plugins import plugins_in
from bot.loader.template_refs import absent, result_of
from bot.probes.http import probes as http
from bot.probes.http.probes import check
from bot.templating.templates import truth
from tests.support.servers import answering, free_port, hanging, http_server
from tests.support.waiting import LIMIT_S

WELL = {"status": "ok", "queue": {"depth": 3}, "parts": ["a", "b"]}


def service(url: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"http": {"health": url}} if url else {}}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"method": "HEAD"},
        {"status": (200, 204)},
        {"body_contains": '"status": "ok"'},
        {"body_matches": Pattern(r'"depth": \d\b')},
        {"body_json": {"status": "ok", "queue.depth": 3, "parts.1": "b"}},
    ],
    ids=lambda given: next(iter(given), "any 2xx"),
)
async def test_an_answer_as_expected_is_1_and_tells_its_time(context, expected):
    async with http_server({"/": answering(WELL)}) as url:
        seen = await check(context(service(f"{url}/")), service="shop", **expected)
    assert (seen.value, seen.data["problem"], seen.data["status"]) == (1, "", 200)
    assert seen.data["took_s"] > 0
    assert "as expected" in seen.text


@pytest.mark.parametrize(
    ("expected", "problem", "said"),
    [
        ({"status": (204,)}, "status", "answers 200"),
        ({"body_contains": "degraded"}, "body", "`degraded` is not in its answer"),
        ({"body_matches": Pattern("^never$")}, "body", "does not match `^never$`"),
        ({"body_json": {"status": "ok", "queue.depth": 4}}, "field", "`queue.depth` is not as expected"),
        ({"body_json": {"queue.length": None}}, "field", "`queue.length` is not as expected"),
        ({"body_json": {"parts.2": "c", "status.deep": "x"}}, "field", "`parts.2` and `status.deep`"),
    ],
)
async def test_a_fast_wrong_answer_is_as_bad_as_none(context, expected, problem, said):
    async with http_server({"/": answering(WELL)}) as url:
        seen = await check(context(service(f"{url}/")), service="shop", **expected)
    assert (seen.value, seen.data["problem"]) == (0, problem)
    assert said in seen.text


async def test_a_server_error_is_0_and_right_only_where_it_is_expected(context):
    async with http_server({"/": answering("oh no", status=503)}) as url:
        ctx = context(service(f"{url}/"))
        assert (await check(ctx, service="shop")).value == 0
        assert (await check(ctx, service="shop", status=(503,))).value == 1


async def test_a_redirect_is_never_followed_and_says_where_it_leads(context):
    async def elsewhere(_: web.Request) -> web.Response:
        return web.Response(status=302, headers={"location": "/login?next=secret"})

    async with http_server({"/": elsewhere, "/login": answering("please log in")}) as url:
        ctx = context(service(f"{url}/"))
        seen = await check(ctx, service="shop")
        listed = await check(ctx, service="shop", status=(302,))
    assert (seen.value, seen.data["status"], seen.data["location"]) == (0, 302, f"{url}/login")
    assert listed.value == 1
    assert "secret" not in seen.model_dump_json()


async def test_a_path_is_asked_on_the_address_and_secrets_of_the_address_are_not_told(context):
    async with http_server({"/ready": answering(WELL)}) as url:
        address = url.replace("http://", "http://bot:hunter2@") + "/elsewhere?token=hunter3"
        seen = await check(context(service(address)), service="shop", path="/ready")
    assert (seen.value, seen.url) == (1, f"{url}/ready")
    assert "hunter" not in seen.model_dump_json()


async def test_an_answer_that_hangs_is_0_within_the_time_it_has(context):
    async with http_server({"/": hanging}) as url, asyncio.timeout(LIMIT_S):
        seen = await check(context(service(f"{url}/")), service="shop", within_s=0.2)
    assert (seen.value, seen.data["problem"], seen.data["status"]) == (0, "timeout", 0)
    assert "within 200 ms" in seen.text


async def test_a_refused_connection_is_the_finding_and_not_a_gap(context):
    seen = await check(context(service(f"http://127.0.0.1:{free_port()}/")), service="shop")
    assert (seen.value, seen.data["problem"]) == (0, "refused")


async def test_what_is_no_http_is_broken_and_what_is_no_tls_says_so(context):
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        plain = await check(context(service(f"http://127.0.0.1:{port}/")), service="shop")
        secure = await check(context(service(f"https://127.0.0.1:{port}/")), service="shop")
    assert (plain.value, plain.data["problem"]) == (0, "broken")
    assert (secure.value, secure.data["problem"]) == (0, "tls")
    assert "does not speak TLS" in secure.text


async def test_an_html_page_where_json_is_due_is_0(context):
    async with http_server({"/": answering("<html>", content_type="text/html")}) as url:
        seen = await check(context(service(f"{url}/")), service="shop", body_json={"status": "ok"})
    assert (seen.value, seen.data["problem"]) == (0, "field")
    assert "not JSON" in seen.text


async def test_only_the_first_megabyte_of_a_body_is_read(context):
    async with http_server({"/": answering("x" * 1_500_000 + "end")}) as url:
        ctx = context(service(f"{url}/"))
        assert (await check(ctx, service="shop", body_contains="x")).value == 1
        assert (await check(ctx, service="shop", body_contains="end")).value == 0


class NameServers:
    """The system's name look-up, failing with one error."""

    def __init__(self, number: int) -> None:
        self._number = number

    def getaddrinfo(self, *arguments: Any, **more: Any) -> Any:
        raise socket.gaierror(self._number, "as the test wants it")


async def test_a_name_that_does_not_exist_is_down_and_one_that_cannot_be_looked_up_is_unknown(
    context, monkeypatch
):
    ctx = context(service("http://shop.example/"))
    monkeypatch.setattr(socket, "getaddrinfo", NameServers(socket.EAI_NONAME).getaddrinfo)
    seen = await check(ctx, service="shop")
    assert (seen.value, seen.data["problem"]) == (0, "name")
    monkeypatch.setattr(socket, "getaddrinfo", NameServers(socket.EAI_AGAIN).getaddrinfo)
    with pytest.raises(ProbeUnavailableError, match="cannot be looked up"):
        await check(ctx, service="shop")


@pytest.mark.parametrize("address", ["not a url", "ftp://x/", "http://", "http://[::1"])
async def test_an_address_that_is_no_url_is_unavailable_and_not_down(context, address):
    with pytest.raises(ProbeUnavailableError, match="not a URL"):
        await check(context(service(address)), service="shop")


async def test_without_such_an_address_the_check_is_not_configured(context):
    with pytest.raises(ProbeNotConfiguredError):
        await check(context(service("http://x/")), service="shop", address="admin")


def test_a_pattern_or_a_limit_that_is_none_is_told_when_the_runbook_is_loaded():
    plugin = next(p for p in plugins_in(http) if p.name == "http.check")
    plugin.check({"service": "shop", "body_matches": "ok|fine", "status": [200], "within_s": 2})
    for wrong in ({"body_matches": "("}, {"body_matches": "(?=a)b"}, {"within_s": 0}, {"status": "ok"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            plugin.check({"service": "shop", **wrong})


async def test_an_expectation_may_refer_to_the_time_it_took(context):
    expect = "result.value == 1 and result.data.took_s < 60 and result.data.status == 200"
    plugin = next(p for p in plugins_in(http) if p.name == "http.check")
    assert absent(result_of(plugin), ("data", "took_s")) == ""
    async with http_server({"/": answering(WELL)}) as url:
        seen = await check(context(service(f"{url}/")), service="shop")
    assert truth(expect, {"result": seen})
    assert truth(expect, {"result": seen.model_dump(mode="json")})
    assert not truth(expect.replace("< 60", "> 60"), {"result": seen})
