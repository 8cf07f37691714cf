"""A freeze is announced once when it begins, where it concerns somebody, and shown as over at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.adapters.rendering import Renderer
from bot.domain.catalogue import Catalogue
from bot.services.freeze_announcer import FreezeAnnouncer
from bot.testing.memory import MemoryMessageBoard
from bot.testing.stores import memory_stores
from tests.support.worlds import HandClock
from tests.unit.views.oracle import assert_valid_message

NIGHT = {"id": "night", "reason": "we <!here> sleep", "time_zone": "UTC", "from": "22:00", "until": "06:00"}
FAIR = {
    "id": "fair",
    "reason": "the fair",
    "time_zone": "UTC",
    "from": "2026-03-04 23:00",
    "until": "2026-03-05 01:00",
}
TARGET = {"haproxy": {"backend": "x"}}
CATALOGUE = Catalogue.model_validate(
    {
        "freezes": [NIGHT],
        "services": [
            {"name": "checkout", "channel": "checkout-oncall", "target": TARGET, "freezes": [FAIR]},
            {"name": "basket", "channel": "checkout-oncall", "target": TARGET},
            {"name": "payments", "channel": "payments-oncall", "target": TARGET},
            {"name": "bank", "channel": "bank-oncall"},
        ],
    }
)
EVENING = datetime(2026, 3, 4, 21, 59, tzinfo=UTC)


class Tower:
    """A clock that announces, and what the channels show."""

    def __init__(self) -> None:
        self.clock, self.board = HandClock(EVENING), MemoryMessageBoard()
        self.announcer = FreezeAnnouncer(CATALOGUE, self.board, self.clock)
        self.render = Renderer(memory_stores(self.clock), catalogue=CATALOGUE, clock=self.clock)

    async def topics(self):
        await self.announcer.tick()
        found = []
        for hold in await self.board.claim(limit=99, lease_s=9):
            await self.board.release(hold)
            found.append(hold.topic)
        return found

    async def told(self):
        rendered = [await self.render(topic) for topic in await self.topics()]
        return {one.channel: one for one in rendered}


@pytest.fixture
def tower():
    return Tower()


async def test_a_freeze_is_told_when_it_begins_in_each_channel_with_something_to_deploy(tower):
    assert await tower.topics() == []
    tower.clock.forward(60)
    told = await tower.told()
    assert set(told) == {"checkout-oncall", "payments-oncall"}
    (message,) = told["checkout-oncall"].messages
    assert_valid_message(message)
    assert message.text.startswith(
        "❄️ The freeze `night` is in force until 2026-03-05 06:00 UTC: we &lt;!here&gt; sleep."
    )
    assert "No deployment of `checkout` and `basket` can start before that" in message.text
    assert told["checkout-oncall"].again_in_s == pytest.approx(8 * 3600)


async def test_a_freeze_is_marked_once_and_the_next_night_is_another_one(tower):
    tower.clock.forward(60)
    first = await tower.topics()
    tower.clock.forward(15)
    assert await tower.topics() == []
    tower.clock.forward(86_400)
    second = await tower.topics()
    assert len(second) == len(first) == 2
    assert {topic.id for topic in first}.isdisjoint(topic.id for topic in second)


async def test_a_second_clock_means_the_same_message(tower):
    tower.clock.forward(60)
    first = await tower.topics()
    tower.announcer = FreezeAnnouncer(CATALOGUE, tower.board, tower.clock)
    assert await tower.topics() == first


async def test_a_freeze_of_one_service_is_told_in_its_channel_alone(tower):
    tower.clock.forward(60)
    await tower.topics()
    tower.clock.forward(3600)
    (topic,) = await tower.topics()
    rendered = await tower.render(topic)
    assert rendered.channel == "checkout-oncall"
    assert "No deployment of `checkout` can start" in rendered.messages[0].text


async def test_the_end_is_shown_in_the_same_message_and_is_no_message_of_its_own(tower):
    tower.clock.forward(60)
    topics = await tower.topics()
    tower.clock.at = EVENING + timedelta(hours=8, minutes=1)
    (topic,) = [topic for topic in topics if topic.id.endswith(":payments-oncall")]
    rendered = await tower.render(topic)
    (message,) = rendered.messages
    assert_valid_message(message)
    assert message.text == (
        "🟢 The freeze `night` ended 2026-03-05 06:00 UTC. Deployments of `payments` may start again."
    )
    assert message.only_edit
    assert rendered.again_in_s is None


async def test_a_freeze_that_the_catalogue_no_longer_has_is_left_as_it_is(tower):
    tower.clock.forward(60)
    topics = await tower.topics()
    render = Renderer(memory_stores(tower.clock), catalogue=Catalogue(), clock=tower.clock)
    assert [(await render(topic)).messages for topic in topics] == [(), ()]
