"""Signed HTTP: requests signed by Slack are handled as over a socket, all others are refused."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest

from bot.adapters.slack import app as slack_app
from bot.adapters.slack.client import open_client
from bot.domain.intent import CastVote, StartRun
from bot.views import ids
from tests.handlers.fronts import ANA, ONCALL, Front, http_front

COMMAND = urlencode(
    {
        "command": "/triage",
        "text": "checkout",
        "team_id": "T0LOCAL001",
        "user_id": ANA,
        "user_name": "ana",
        "channel_id": ONCALL,
        "trigger_id": "1.2.3",
    }
).encode()


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with http_front() as made:
        yield made


def _signed(front: Front, body: bytes, *, age_s: int = 0) -> dict[str, str]:
    stamp = str(int(time.time()) - age_s)  # noqa: TID251  # Slack signs with the time of day
    secret = front.slack.signing_secret.encode()
    digest = hmac.new(secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


async def _post(front: Front, body: bytes, headers: dict[str, str]) -> httpx.Response:
    url = front.slack.app.manifest.events_url
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        return await client.post(url, content=body, headers={**form, **headers})


async def test_a_command_that_was_taken_away_is_answered_with_those_that_are_there(front: Front):
    body = COMMAND.replace(b"%2Ftriage", b"%2Fdeploi")
    assert body != COMMAND
    answer = await _post(front, body, _signed(front, body))
    text = answer.json()["text"]
    assert "Unknown command `/deploi`" in text
    assert "`/deploy help`, `/monitor help`" in text


async def test_commands_mentions_and_clicks_arrive(front: Front):
    assert (await front.people.slash("/triage checkout", user="ana", channel="general")).ok
    await front.people.mention("triage payments", user="ana", channel="general")
    await front.settled(2)
    assert [i.params["service"] for i in front.inbox.intents if isinstance(i, StartRun)] == [
        "checkout",
        "payments",
    ]


async def test_a_click_arrives(front: Front):
    button = {"type": "button", "text": {"type": "plain_text", "text": "Yes"}, "action_id": ids.APPROVE}
    blocks = [{"type": "actions", "elements": [{**button, "value": "r1.gate"}]}]
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        ts = (await client.chat_postMessage(channel=ONCALL, text="card", blocks=blocks))["ts"]
    assert (await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id=ids.APPROVE)).ok
    assert isinstance(front.inbox.intents[0], CastVote)


async def test_a_signed_request_is_handled_and_its_replay_changes_nothing(front: Front):
    headers = _signed(front, COMMAND)
    assert (await _post(front, COMMAND, headers)).status_code == 200
    assert (await _post(front, COMMAND, headers)).status_code == 200
    assert len(front.inbox.intents) == 1


async def test_an_old_request_is_refused(front: Front):
    assert (await _post(front, COMMAND, _signed(front, COMMAND, age_s=301))).status_code == 401
    assert front.inbox.intents == []


async def test_a_changed_request_is_refused(front: Front):
    headers = _signed(front, COMMAND)
    assert (await _post(front, COMMAND.replace(b"checkout", b"payments"), headers)).status_code == 401
    assert front.inbox.intents == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Slack-Request-Timestamp": "now", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "²", "X-Slack-Signature": "v0=00"},
        {"X-Slack-Request-Timestamp": "1", "X-Slack-Signature": "v0=é"},
        {"X-Slack-Request-Timestamp": "9" * 400, "X-Slack-Signature": "v0=00"},
    ],
    ids=["none", "no-number", "odd-digit", "odd-signature", "endless"],
)
async def test_a_forged_request_is_refused_and_makes_no_noise(front: Front, headers: dict[str, str], caplog):
    latin = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await _post(front, COMMAND, latin)  # type: ignore[arg-type]  # bytes on purpose
    assert answer.status_code == 401
    assert front.inbox.intents == []
    assert "handler_crashed" not in caplog.text
    assert (await front.people.stats())["ephemerals"] == 0


@pytest.mark.parametrize("body", [b"{broken", b"\xff\xfe", b"payload=%7Bbroken"])
async def test_garbage_is_a_client_error(front: Front, body: bytes):
    assert 400 <= (await _post(front, body, _signed(front, body))).status_code < 500


DEEP = b'{"a":' * 100_000


@pytest.mark.parametrize(
    "body", [DEEP, b"payload=" + DEEP, b"{broken", b"\xff\xfe"], ids=["deep", "form", "broken", "bytes"]
)
async def test_what_slack_did_not_sign_is_refused_before_it_is_parsed(front: Front, monkeypatch, body: bytes):
    parsed: list[bytes] = []
    monkeypatch.setattr(slack_app, "to_async_bolt_request", lambda _request, body: parsed.append(body))
    stamp = _signed(front, body)["X-Slack-Request-Timestamp"]
    forged = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={'0' * 64}"}
    assert 400 <= (await _post(front, body, forged)).status_code < 500
    assert parsed == []


async def test_deep_nesting_is_a_client_error(front: Front):
    headers = {**_signed(front, DEEP), "Content-Type": "application/json"}
    assert (await _post(front, DEEP, headers)).status_code == 400


async def test_a_body_beyond_reason_is_not_read(front: Front):
    body = b"x" * 1_100_000
    assert (await _post(front, body, _signed(front, body))).status_code == 413
