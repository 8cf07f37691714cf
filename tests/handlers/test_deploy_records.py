"""`/deploy history` is answered at once; slower requests are stored first."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest

from bot.domain.deployments.deployment import Deployment
from bot.domain.intent import ShowDelivery, ShowDiff
from bot.domain.people import Person
from tests.handlers.fronts import ANA, BEN, ONCALL, Front


async def _said(front: Front, text: str) -> str:
    done = await front.people.slash("/deploy", text, user="ana", channel="checkout-oncall")
    assert done.ok
    assert await front.people.messages("checkout-oncall", user="ben") == []
    assert front.inbox.intents == []
    return html.unescape("\n".join(str(item["text"]) for item in done.ephemerals))


async def _deployed(front: Front, number: int, *, service: str = "checkout", days: float = 1, **more: object):
    at = front.desk.clock.now() - timedelta(days=days, seconds=-number)
    given = {
        "id": f"r{number}",
        "service": service,
        "strategy": "canary",
        "version": f"1.{number}",
        "requested_by": Person(id=BEN),
        "requested_at": at,
        "started_at": at,
        "finished_at": at + timedelta(seconds=75),
        "outcome": "succeeded",
        "changed": True,
    }
    await front.stores.deployments.record(Deployment.model_validate(given | more))


async def test_the_latest_of_a_service_come_first(front: Front):
    await _deployed(front, 1, outcome="rolled_back")
    await _deployed(front, 2)
    await _deployed(front, 3, service="payments")
    _, first, second = (await _said(front, "history checkout")).splitlines()
    assert first.startswith(f"✅ `1.2` · canary, deployed · by <@{BEN}> · ")
    assert first.endswith(" · in 1 min 15 s")
    assert second.startswith("↩️ `1.1` · canary, rolled back")


async def test_without_a_service_the_latest_of_all_are_told(front: Front):
    for number in range(1, 26):
        await _deployed(front, number, service=("checkout", "payments")[number % 2])
    lines = (await _said(front, "history")).splitlines()
    assert lines[0] == "*The latest 20 deployments*, newest first:"
    assert [line.split(" · ")[0] for line in lines[1:3]] == ["✅ payments `1.25`", "✅ checkout `1.24`"]
    assert len(lines) == 21


async def test_what_is_unknown_says_what_to_do(front: Front):
    assert "I have no record of a deployment of *checkout*" in await _said(front, "history checkout")
    assert "did you mean `checkout`" in await _said(front, "history chekout")
    assert "Try `/deploy history checkout`" in await _said(front, "history checkout payments")


async def test_help_names_it(front: Front):
    assert "`/deploy history [service]`" in await _said(front, "help")


@pytest.mark.parametrize(
    ("text", "service", "days"),
    [("", "", 30), ("checkout", "checkout", 30), ("checkout 90d", "checkout", 90), ("2w", "", 14)],
)
async def test_figures_are_asked_for_by_service_and_span(front: Front, text: str, service: str, days: int):
    done = await front.people.slash("/deploy", f"stats {text}".strip(), user="ana", channel="checkout-oncall")
    assert (done.ok, done.ephemerals) == (True, ())
    (intent,) = front.inbox.intents
    assert isinstance(intent, ShowDelivery)
    assert (intent.key, intent.service, intent.days) == (done.trigger_id, service, days)
    assert (intent.by.id, intent.channel) == (ANA, ONCALL)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stats checkout payments", "I do not understand `payments`"),
        ("stats checkout 0d", "The period must be 1 to 365 days"),
        ("stats 366d", "The period must be 1 to 365 days"),
        ("stats chekout", "did you mean `checkout`"),
    ],
)
async def test_a_question_that_is_no_question_is_told_how_to_ask(front: Front, text: str, said: str):
    assert said in await _said(front, text)


@pytest.mark.parametrize(("text", "version"), [("checkout", ""), ("checkout 1.4.2", "1.4.2")])
async def test_a_difference_is_asked_for_by_service_and_version(front: Front, text: str, version: str):
    done = await front.people.slash("/deploy", f"diff {text}", user="ana", channel="checkout-oncall")
    assert (done.ok, done.ephemerals) == (True, ())
    (intent,) = front.inbox.intents
    assert isinstance(intent, ShowDiff)
    assert (intent.service, intent.version, intent.by.id, intent.channel) == (
        "checkout",
        version,
        ANA,
        ONCALL,
    )


@pytest.mark.parametrize(
    ("text", "said"), [("diff", "Which service?"), ("diff checkout 1 2", "I do not understand")]
)
async def test_half_a_question_about_a_difference_is_told_how_to_ask(front: Front, text: str, said: str):
    assert said in await _said(front, text)
