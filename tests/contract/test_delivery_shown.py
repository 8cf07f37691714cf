"""Who asks how well software is delivered gets figures and a chart, where everybody can see them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.domain.board import Topic
from bot.domain.deployments.delivery import DeliveryQuestion
from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import CHANNEL
from tests.contract.test_announcements import Told, deployment
from tests.support.worlds import START


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        yield Told(slack=slack, people=people)


async def _deploy(told: Told, number: int, *, outcome: str, **more: object) -> None:
    at = START - timedelta(days=number)
    times = {"requested_at": at, "started_at": at, "finished_at": at + timedelta(minutes=number)}
    await told.book.record(deployment(id=f"r{number}", outcome=outcome, **times, **more))


async def _asked(told: Told, service: str = "", *, after_s: float = 0) -> None:
    until_s = int((START + timedelta(seconds=after_s)).timestamp())
    asked = DeliveryQuestion(service=service, days=30, until_s=until_s, channel=CHANNEL)
    await told.board.mark(Topic(kind="delivery", id=asked.id))


async def test_the_figures_and_their_chart_are_one_message(told: Told):
    for number, outcome in enumerate(["succeeded", "failed", "succeeded", "rolled_back"], start=1):
        await _deploy(told, number, outcome=outcome)
    async with told.presenter():
        await _asked(told)
        await told.settled()
    (root,) = await told.roots()
    assert "*Change failure rate:* 2 of 4 (50 %)" in root.text
    shown = told.slack.core.store.message(CHANNEL, root.ts)
    assert shown is not None
    assert [block["type"] for block in shown.blocks] == ["header", "section", "context", "image"]


async def test_a_question_is_answered_with_the_figures_of_its_moment_and_once(told: Told):
    await _deploy(told, 1, outcome="succeeded")
    told.clock.forward(3600)
    async with told.presenter():
        for _ in range(2):
            await _asked(told)
            await told.settled()
    (root,) = await told.roots()
    assert "1 of 1 (100 %) completed" in root.text


async def test_another_environment_does_not_count_as_production(told: Told):
    await _deploy(told, 1, outcome="failed", service="checkout@staging")
    async with told.presenter():
        await _asked(told)
        await _asked(told, "checkout@staging", after_s=1)
        await told.settled()
    texts = sorted(root.text for root in await told.roots())
    assert "Nothing was deployed in this period" in texts[0]
    assert "1 of 1 (100 %) (elite: 5 %)" in texts[1]
