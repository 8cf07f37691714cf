"""A failed call is understood for what it is."""

from __future__ import annotations

import logging

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.client import Identity, open_client
from bot.adapters.slack.failures import SLACK_ERRORS, Backoff, SlackFailure, ThrottledLogger, slack_failure_of


async def _trouble(answer: web.StreamResponse | None, *, call_s: float = 5) -> SlackFailure:
    """Ask a server that gives ``answer``, or none at all, and tell what the failure means."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return answer

    app = web.Application()
    app.router.add_route("*", "/api/{method}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        async with open_client(
            token="xoxb-t", api_url=f"http://127.0.0.1:{port}/api/", call_s=call_s
        ) as client:
            return await _failing(client)
    finally:
        await runner.cleanup()


async def _failing(client: AsyncWebClient) -> SlackFailure:
    with pytest.raises(SLACK_ERRORS) as caught:
        await client.chat_postMessage(channel="C0GENERAL1", text="hello")
    return slack_failure_of(caught.value)


async def test_a_no_of_slack_is_a_refusal():
    assert await _trouble(web.json_response({"ok": False, "error": "is_archived"})) == SlackFailure(
        kind="refused", code="is_archived"
    )


async def test_too_many_calls_carry_the_time_to_wait():
    answer = web.json_response(
        {"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "7"}
    )
    assert await _trouble(answer) == SlackFailure(kind="limited", code="ratelimited", retry_s=7)


async def test_too_many_calls_without_advice_wait_half_a_minute():
    assert (await _trouble(web.json_response({"ok": False, "error": "ratelimited"}))).retry_s == 30


@pytest.mark.parametrize(
    "answer",
    [
        web.json_response({"ok": False, "error": "internal_error"}),
        web.json_response({"ok": False, "error": "fatal_error"}),
        web.Response(text="<html>bad gateway</html>", status=502, content_type="text/html"),
        web.Response(text="service unavailable", status=503),
        web.Response(text="{not json", status=200, content_type="application/json"),
    ],
    ids=["internal", "fatal", "gateway", "unavailable", "garbage"],
)
async def test_an_answer_that_says_nothing_leaves_it_in_doubt(answer):
    assert (await _trouble(answer)).kind == "unsure"


async def test_a_connection_that_ends_without_an_answer_leaves_it_in_doubt():
    assert (await _trouble(None)).kind == "unsure"


async def test_nothing_was_sent_where_nobody_listens():
    async with open_client(token="xoxb-t", api_url="http://127.0.0.1:1/api/") as client:
        assert (await _failing(client)).kind == "unreached"


async def test_a_call_that_takes_too_long_is_in_doubt():
    assert slack_failure_of(TimeoutError()).kind == "unsure"
    assert slack_failure_of(aiohttp.ServerDisconnectedError()).kind == "unsure"


async def test_an_identity_that_cannot_be_asked_says_so():
    async with open_client(token="xoxb-t", api_url="http://127.0.0.1:1/api/") as client:
        with pytest.raises(aiohttp.ClientError):
            await Identity(client).get()


def test_an_outage_doubles_its_rests_up_to_the_most(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    outage = Backoff(least_s=1, most_s=5)
    rests = []
    for _ in range(5):
        rests.append(outage.failed())
        now[0] += rests[-1]
    assert rests == [1, 2, 4, 5, 5]
    outage.over()
    assert outage.rest_s == 0
    assert outage.failed() == 1


def test_calls_that_fail_together_count_once(monkeypatch):
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    outage = Backoff(least_s=1, most_s=30)
    assert [outage.failed() for _ in range(3)] == [1, 1, 1]


def test_the_same_trouble_is_logged_once_a_minute(monkeypatch, caplog):
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    loud = ThrottledLogger(logging.getLogger("test"))
    for _ in range(3):
        loud.log("slack_unreachable", {"code": "x"})
    loud.log("slack_unreachable", {"code": "y"}, about="another")
    now[0] += 61
    loud.log("slack_unreachable", {"code": "x"})
    assert [record.message for record in caplog.records] == ["slack_unreachable"] * 3
