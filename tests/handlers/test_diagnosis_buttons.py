"""The buttons below a diagnosis: reasons are shown to the person who clicked, ratings are stored."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.adapters.slack.client import open_client
from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback
from bot.domain.intent import RateDiagnosis
from bot.views import ids
from tests.handlers.fronts import ANA, BEN, ONCALL, Front
from tests.support.waiting import until
from tests.support.worlds import CHI
from tests.unit.views.story import Story

CHANNEL = "checkout-oncall"
RUN = Story().run.id


async def _shown(front: Front, story: Story, *, slot: str = "phase:diagnose") -> str:
    """Store a run and post one of its messages; return the timestamp."""
    begun, *rest = story.events
    await front.store.start(RUN, begun)
    taken = await front.store.take(RUN)
    await front.store.append(RUN, rest, epoch=taken.epoch)
    message: DesiredMessage = next(m for m in story.messages if m.slot == slot)
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        answer = await client.chat_postMessage(
            channel=ONCALL, text=message.text, blocks=list(message.blocks), thread_ts=None
        )
    return str(answer["ts"])


async def _click(front: Front, ts: str, action: str, *, user: str = "ana") -> None:
    done = await front.people.click(user=user, channel=CHANNEL, ts=ts, action_id=action)
    assert done.ok, done.json


async def _modal(front: Front, *, user: str = "ana") -> dict:
    return (await until(lambda: front.people.views(user=user), what="a modal"))[0]


@pytest.mark.parametrize(
    ("action", "title", "said"),
    [
        (ids.DETAILS, "Details", "CPU of the new version is as usual"),
        (ids.WHAT_ELSE, "What else?", "The bank answers slowly"),
    ],
)
async def test_what_is_asked_is_shown_in_a_modal_to_whoever_asked(front: Front, action, title, said):
    ts = await _shown(front, Story().diagnoses())
    await _click(front, ts, action)
    view = await _modal(front)
    assert view["title"]["text"] == title
    assert said in str(view["blocks"])
    assert await front.people.views(user="ben") == []
    assert front.inbox.intents == []


@pytest.mark.parametrize(("action", "opinion"), [(ids.SAY_RIGHT, "right"), (ids.SAY_WRONG, "wrong")])
async def test_a_word_is_written_down_with_its_place(front: Front, action, opinion):
    ts = await _shown(front, Story().diagnoses())
    await _click(front, ts, action, user="ben")
    await front.settled()
    (intent,) = front.inbox.intents
    assert isinstance(intent, RateDiagnosis)
    assert (intent.run_id, intent.opinion, intent.by.id) == (RUN, opinion, BEN)
    assert (intent.channel, intent.thread) == (ONCALL, ts)


async def test_what_it_was_instead_is_asked_and_written_down(front: Front):
    ts = await _shown(front, Story().diagnoses())
    await _click(front, ts, ids.SAY_OTHER)
    assert (await _modal(front))["callback_id"] == ids.FEEDBACK
    values = {
        ids.SERVICE_BLOCK: {ids.SERVICE_INPUT: "payments"},
        ids.KIND_BLOCK: {ids.KIND_INPUT: "saturation"},
        ids.TEXT_BLOCK: {ids.TEXT_INPUT: "It had no CPU left."},
    }
    done = await front.people.submit(values, user="ana")
    assert done.ok, done.json
    (intent,) = front.inbox.intents
    assert isinstance(intent, RateDiagnosis)
    assert (intent.opinion, intent.cause, intent.service) == ("other", CauseKind.SATURATION, "payments")
    assert (intent.text, intent.by.id, intent.thread) == ("It had no CPU left.", ANA, ts)


async def test_what_waits_is_reviewed_in_a_modal_with_the_buttons_to_decide(front: Front):
    ts = await _shown(front, Story().diagnoses().proposes(expires_s=10**9), slot="root")
    await _click(front, ts, ids.REVIEW, user="ben")
    view = await _modal(front, user="ben")
    assert view["title"]["text"] == "Review"
    assert "Orders in flight on 2.3.1 are retried once." in str(view["blocks"])
    buttons = [item.get("action_id") for block in view["blocks"] for item in block.get("elements", ())]
    assert {ids.APPROVE, ids.REJECT_WHY} <= {*buttons}


async def test_what_else_of_a_run_without_a_diagnosis_is_answered(front: Front):
    await front.store.start("r-else", Story().events[0])
    blocks = [
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "What else?"},
                    "action_id": ids.WHAT_ELSE,
                    "value": "r-else",
                }
            ],
        }
    ]
    async with open_client(token=front.slack.bot_token, api_url=front.slack.api_url) as client:
        answer = await client.chat_postMessage(channel=ONCALL, text="x", blocks=blocks)
    await _click(front, str(answer["ts"]), ids.WHAT_ELSE)
    seen = await front.people.wait(
        "There is no diagnosis yet", channel=CHANNEL, user="ana", thread_ts=str(answer["ts"])
    )
    assert seen.is_ephemeral


async def test_accuracy_is_told_to_whoever_asks(front: Front):
    now = front.desk.clock.now()
    said = DiagnosisSummary(
        run_id="r1", at=now - timedelta(days=3), service="checkout", verdict="cause_found", confidence=0.9
    )
    await front.stores.feedback.rate(said, Feedback(by=CHI, at=now, opinion="right"))
    for text, told in (
        ("accuracy", "100 % (1 of 1; 95 % CI 21 to 100 %) of the diagnoses from the last 30 d were right"),
        ("accuracy 2d", "No diagnoses from the last 2 d have been rated."),
        ("accuracy soon", "`soon` is not a valid duration"),
    ):
        done = await front.people.slash("/triage", text, user="ana", channel=CHANNEL)
        assert told in "\n".join(str(item["text"]) for item in done.ephemerals)
    assert front.inbox.intents == []
