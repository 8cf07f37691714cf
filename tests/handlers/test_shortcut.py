"""*Triage this* on a message, with and without the modal."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.adapters.slack.client import open_client
from bot.adapters.slack.messages import Messages
from bot.domain.board import Topic
from bot.domain.intent import StartRun
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.event import Origin
from bot.views import ids
from bot.views.alert import alert_message
from handlers.shortcut import SHORTCUT
from tests.handlers.fronts import ANA, ONCALL, Front
from tests.support.waiting import until

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)


def _alert(service: str = "payments") -> Alert:
    return Alert(
        fingerprint="abc",
        name="Errors",
        service=service,
        summary="The storefront complains about checkout",
        status="firing",
        starts_at=NOW,
    )


async def _show_alert(front: Front, alert: Alert) -> str:
    await front.stores.alerts.report(alert)
    message = alert_message(alert, known_service=True, now=NOW)
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        topic = Topic(kind="alert", id=alert.id)
        ts, _ = await Messages(client).post(topic, message, channel=ONCALL, thread="")
    return ts


async def _shortcut(front: Front, ts: str) -> None:
    done = await front.people.shortcut(SHORTCUT, user="ana", channel="checkout-oncall", ts=ts)
    assert done.ok


async def test_a_message_that_names_one_service_starts_its_triage_in_its_thread(front: Front):
    told = await front.people.post("is checkout broken?", user="ben", channel="checkout-oncall")
    await _shortcut(front, told.ts)
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.params == {"service": "checkout", "since": 1800.0}
    assert intent.by.id == ANA
    assert intent.origin == Origin(kind="shortcut", channel=ONCALL, thread=told.ts)


async def test_a_reply_starts_it_in_the_thread_it_is_in(front: Front):
    root = await front.people.post("help", user="ben", channel="checkout-oncall")
    told = await front.people.post("checkout!", user="ben", channel="checkout-oncall", thread_ts=root.ts)
    await _shortcut(front, told.ts)
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.origin.thread == root.ts


async def test_a_service_is_found_through_invisible_characters(front: Front):
    told = await front.people.post("pay\u00adments\u200b is slow", user="ben", channel="checkout-oncall")
    await _shortcut(front, told.ts)
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.params["service"] == "payments"


async def test_an_alert_of_ours_starts_the_triage_of_its_own_service(front: Front):
    ts = await _show_alert(front, _alert())
    await _shortcut(front, ts)
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.params["service"] == "payments"
    assert intent.origin == Origin(kind="shortcut", channel=ONCALL, thread=ts, alert=_alert().id)


@pytest.mark.parametrize(
    "text", ["everything is slow", "checkout or payments?", "pre-checkout-queue is full"]
)
async def test_anything_else_asks_which_service_is_meant(front: Front, text: str):
    told = await front.people.post(text, user="ben", channel="checkout-oncall")
    await _shortcut(front, told.ts)
    view = await _modal(front)
    assert view["callback_id"] == ids.PICK_SERVICE
    assert front.inbox.intents == []


async def test_the_answer_in_the_modal_starts_it_in_the_messages_thread(front: Front):
    told = await front.people.post("everything is slow", user="ben", channel="checkout-oncall")
    await _shortcut(front, told.ts)
    await _modal(front)
    values = {
        ids.SERVICE_BLOCK: {ids.SERVICE_INPUT: "storefront"},
        ids.SINCE_BLOCK: {ids.SINCE_INPUT: "1h"},
    }
    done = await front.people.submit(values, user="ana")
    assert done.ok, done.json
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.params == {"service": "storefront", "since": 3600.0}
    assert intent.origin == Origin(kind="shortcut", channel=ONCALL, thread=told.ts)
    assert await front.people.views(user="ana") == []


async def test_a_fault_of_ours_is_shown_in_the_modal_and_leaves_it_open(front: Front):
    async def explode() -> None:
        raise RuntimeError("the store is gone")

    front.inbox.before = explode
    told = await front.people.post("everything is slow", user="ben", channel="checkout-oncall")
    await _shortcut(front, told.ts)
    await _modal(front)
    done = await front.people.submit({ids.SERVICE_BLOCK: {ids.SERVICE_INPUT: "storefront"}}, user="ana")
    assert "Something broke on our side" in str(done.json["errors"])
    assert len(await front.people.views(user="ana")) == 1


async def test_a_modal_that_slack_refuses_to_open_is_told_with_another_way(front: Front):
    told = await front.people.post("everything is slow", user="ben", channel="checkout-oncall")
    async with front.people.faulty(fail={"views.open": "expired_trigger_id"}):
        await _shortcut(front, told.ts)
        seen = await front.people.wait(
            "took too long", channel="checkout-oncall", user="ana", thread_ts=told.ts
        )
    assert seen.is_ephemeral
    assert "/triage" in seen.text


async def _modal(front: Front) -> dict[str, object]:
    return dict((await until(lambda: front.people.views(user="ana"), what="a modal"))[0])
