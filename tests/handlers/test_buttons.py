"""Buttons on alerts, approvals and runs: each click is stored exactly once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.client import open_client
from bot.domain.intent import AcknowledgeAlert, CancelRun, CastVote, CloseAlert, SilenceAlert, StartRun
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.domain.runs.event import Origin, RunStarted
from bot.views import ids
from bot.views.alert import alert_message
from tests.handlers.desks import TRIAGE
from tests.handlers.fronts import ANA, BEN, OLGA, ONCALL, Front
from tests.support.waiting import until

NOW = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)
ALERT = Alert(
    fingerprint="abc",
    name="CheckoutErrors",
    service="checkout",
    severity="critical",
    summary="Checkout fails for many",
    status="firing",
    starts_at=NOW,
)


async def _post(front: Front, *buttons: tuple[str, str], thread: str = "", **more: object) -> str:
    """Post a message of the bot with these buttons (action id, value); return its timestamp."""
    elements = [
        {
            "type": "button",
            "text": {"type": "plain_text", "text": action},
            "action_id": action,
            "value": value,
        }
        for action, value in buttons
    ]
    blocks = [{"type": "actions", "elements": [{**element, **more} for element in elements]}]
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        return await _say(client, blocks, thread=thread)


async def _say(client: AsyncWebClient, blocks: list[dict[str, object]], *, thread: str = "") -> str:
    answer = await client.chat_postMessage(
        channel=ONCALL, text="card", blocks=blocks, thread_ts=thread or None
    )
    return str(answer["ts"])


async def test_triage_on_an_alert_asks_for_its_service_in_its_thread(front: Front):
    await front.stores.alerts.report(ALERT)
    message = alert_message(ALERT, known_service=True, now=NOW)
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        ts = await _say(client, list(message.blocks))
    done = await front.people.click(user="ana", channel="checkout-oncall", ts=ts, action_id=ids.TRIAGE)
    assert done.ok
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert intent.key == done.trigger_id
    assert intent.params == {"service": "checkout", "since": 1800.0}
    assert intent.origin == Origin(kind="button", channel=ONCALL, thread=ts, alert=ALERT.id)


async def test_triage_on_a_forgotten_alert_says_so_to_that_person_alone(front: Front):
    ts = await _post(front, (ids.TRIAGE, "gone-1"))
    assert (await front.people.click(user="ana", channel="checkout-oncall", ts=ts, action_id=ids.TRIAGE)).ok
    seen = await front.people.wait(
        "no longer know this alert", channel="checkout-oncall", user="ana", thread_ts=ts
    )
    assert seen.is_ephemeral
    assert front.inbox.intents == []


@pytest.mark.parametrize(
    ("action", "kind"), [(ids.ACKNOWLEDGE, AcknowledgeAlert), (ids.MARK_OVER, CloseAlert)]
)
async def test_acknowledging_an_alert_or_marking_it_as_over_is_written_down(
    front: Front, action: str, kind: type[AcknowledgeAlert | CloseAlert]
):
    ts = await _post(front, (action, ALERT.id))
    done = await front.people.click(user="ana", channel="checkout-oncall", ts=ts, action_id=action)
    assert done.ok
    (intent,) = front.inbox.intents
    assert isinstance(intent, kind)
    assert (intent.key, intent.alert_id, intent.by.id) == (done.trigger_id, ALERT.id, ANA)
    assert (intent.channel, intent.thread) == (ONCALL, ts)


async def test_silencing_an_alert_is_written_down_for_an_hour(front: Front):
    ts = await _post(front, (ids.SILENCE, ALERT.id))
    done = await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id=ids.SILENCE)
    assert done.ok
    (intent,) = front.inbox.intents
    assert isinstance(intent, SilenceAlert)
    assert (intent.key, intent.alert_id, intent.by.id) == (done.trigger_id, ALERT.id, BEN)
    assert (intent.seconds, intent.channel, intent.thread) == (3600, ONCALL, ts)


@pytest.mark.parametrize(("action", "verdict"), [(ids.APPROVE, "approve"), (ids.REJECT, "reject")])
async def test_a_click_is_written_down_as_a_vote(front: Front, action: str, verdict: str):
    root = await _post(front, ("other", "x"))
    ts = await _post(front, (action, "r1.gate"), thread=root)
    done = await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id=action)
    assert done.ok
    (intent,) = front.inbox.intents
    assert isinstance(intent, CastVote)
    assert (intent.key, intent.approval_id, intent.verdict) == (done.trigger_id, "r1.gate", verdict)
    assert (intent.by.id, intent.channel, intent.thread) == (BEN, ONCALL, root)


async def test_a_click_that_is_delivered_twice_is_one_vote(front: Front):
    ts = await _post(front, (ids.APPROVE, "r1.gate"))
    async with front.people.faulty(double_delivery=True):
        await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id=ids.APPROVE)
        await until(lambda: front.inbox.puts >= 2, what="a second delivery")
    assert len(front.inbox.intents) == 1


async def test_two_clicks_are_two_votes_for_the_engine_to_judge(front: Front):
    ts = await _post(front, (ids.APPROVE, "r1.gate"))
    async with front.people.faulty(double_click=True):
        await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id=ids.APPROVE)
    await front.settled(2)
    assert len({intent.key for intent in front.inbox.intents}) == 2


async def test_cancel_is_written_down(front: Front):
    ts = await _post(front, (ids.CANCEL_RUN, "r1"))
    await front.people.click(user="ana", channel="checkout-oncall", ts=ts, action_id=ids.CANCEL_RUN)
    (intent,) = front.inbox.intents
    assert isinstance(intent, CancelRun)
    assert (intent.run_id, intent.by.id, intent.thread) == ("r1", ANA, ts)


async def test_triage_again_asks_for_the_same_in_the_same_thread(front: Front):
    origin = Origin(kind="button", channel=ONCALL, thread="1.0", alert=ALERT.id)
    params = {"service": "payments", "since": 600.0}
    event = RunStarted(at=NOW, runbook=TRIAGE, params=params, requested_by=Person(id=BEN), origin=origin)
    await front.store.start("r1", event)
    ts = await _post(front, (ids.TRIAGE_AGAIN, "r1"))
    await front.people.click(user="ana", channel="checkout-oncall", ts=ts, action_id=ids.TRIAGE_AGAIN)
    (intent,) = front.inbox.intents
    assert isinstance(intent, StartRun)
    assert (intent.runbook, intent.params, intent.by.id) == ("triage", params, ANA)
    assert intent.origin == Origin(kind="button", channel=ONCALL, thread=ts, alert=ALERT.id)


async def test_a_fault_of_ours_after_a_click_is_told_in_its_thread(front: Front):
    async def explode() -> None:
        raise RuntimeError("the store is gone")

    front.inbox.before = explode
    ts = await _post(front, (ids.APPROVE, "r1.gate"))
    assert (await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id=ids.APPROVE)).ok
    seen = await front.people.wait(
        "Something broke on our side", channel="checkout-oncall", user="ben", thread_ts=ts
    )
    assert seen.is_ephemeral


async def test_a_button_of_an_older_version_is_answered(front: Front):
    ts = await _post(front, ("was_there_once", "x"))
    assert (
        await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id="was_there_once")
    ).ok
    seen = await front.people.wait(
        "This button no longer works", channel="checkout-oncall", user="ben", thread_ts=ts
    )
    assert seen.is_ephemeral
    assert "`/deploy help`, `/monitor help`, `/rollback help`, `/triage help`" in seen.text


async def test_a_link_is_followed_without_a_word(front: Front):
    ts = await _post(front, ("open_graph", "x"), url="https://example.com/graph")
    assert (await front.people.click(user="ben", channel="checkout-oncall", ts=ts, action_id="open_graph")).ok
    assert (await front.people.stats())["ephemerals"] == 0


async def test_somebody_of_another_workspace_is_turned_away_politely(front: Front):
    ts = await _post(front, (ids.APPROVE, "r1.gate"))
    assert (await front.people.click(user=OLGA, channel="checkout-oncall", ts=ts, action_id=ids.APPROVE)).ok
    seen = await front.people.wait(
        "members of the workspace", channel="checkout-oncall", user=OLGA, thread_ts=ts
    )
    assert seen.is_ephemeral
    assert front.inbox.intents == []
