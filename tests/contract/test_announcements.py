"""Each deployment is one message in the channel for announcements, from its first change to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.adapters.rendering import Renderer
from bot.adapters.slack.presenter import RenderedTopic, Style
from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue, Environment, Service
from bot.domain.deployments.deployment import Deployment
from bot.testing.deployments import MemoryDeploymentStore
from bot.testing.stores import memory_stores
from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import Screen
from tests.support.worlds import ANA, BEN, START, HandClock

CATALOGUE = Catalogue(
    services=(
        Service(name="checkout", environments={"staging": Environment(announce="general")}),
        Service(name="payments", announce="checkout-oncall"),
    ),
    announce="deploys",
)


@dataclass
class Told(Screen):
    """A screen that shows what the book holds, through the real renderer."""

    catalogue: Catalogue = CATALOGUE
    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.book = MemoryDeploymentStore(self.clock, board=self.board)
        stores = replace(memory_stores(self.clock), deployments=self.book)
        self._renderer = Renderer(stores, catalogue=self.catalogue, clock=self.clock)

    async def render(self, topic: Topic, *, style: Style) -> RenderedTopic:
        return await self._renderer(topic, style=style)


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with LocalSlack() as slack:
        yield slack


@pytest.fixture
async def told(slack: LocalSlack) -> AsyncIterator[Told]:
    async with LocalSlackClient(slack.url) as people:
        yield Told(slack=slack, people=people)


def deployment(service: str = "checkout", **more: object) -> Deployment:
    given = {"strategy": "canary", "version": "1.4.2", "requested_by": ANA, "approved_by": (BEN,)}
    at = {"requested_at": START, "started_at": START, "changed": True, "outcome": "running"}
    return Deployment.model_validate({"id": "r1", "service": service} | given | at | more)


async def test_it_is_one_message_from_beginning_to_end(told: Told):
    end = {"outcome": "succeeded", "finished_at": START + timedelta(seconds=90)}
    async with told.presenter():
        await told.book.record(deployment())
        await told.people.wait("in progress", channel="deploys")
        await told.book.record(deployment(**end))
        await told.people.wait("deployed", channel="deploys")
        await told.book.record(deployment())  # a worker that was stopped in between says what is long past
        await told.settled()
    (message,) = await told.roots("deploys")
    assert "checkout 1.4.2: deployed" in message.text


@pytest.mark.parametrize(
    ("service", "channel"), [("payments", "checkout-oncall"), ("checkout@staging", "general")]
)
async def test_a_service_or_environment_may_have_a_channel_of_its_own(told: Told, service: str, channel: str):
    async with told.presenter():
        await told.book.record(deployment(service))
        await told.settled()
    assert [len(await told.roots(name)) for name in (channel, "deploys")] == [1, 0]


async def test_an_emergency_is_loud(told: Told):
    async with told.presenter():
        await told.book.record(deployment(emergency="carts are lost"))
        await told.settled()
    (message,) = await told.roots("deploys")
    assert "EMERGENCY" in message.text


async def test_what_came_to_no_change_is_nobodys_news(told: Told):
    async with told.presenter():
        await told.book.record(deployment(outcome="rejected", changed=False, finished_at=START))
        await told.settled()
    assert await told.roots("deploys") == []


async def test_a_change_that_was_refused_after_it_was_announced_is_told_in_the_same_message(told: Told):
    end = {"outcome": "failed", "changed": False, "finished_at": START, "summary": "There is no 9.9.9."}
    async with told.presenter():
        await told.book.record(deployment())
        await told.people.wait("in progress", channel="deploys")
        await told.book.record(deployment(**end))
        await told.people.wait("There is no 9.9.9.", channel="deploys")
        await told.settled()
    (message,) = await told.roots("deploys")
    assert "checkout 1.4.2: failed" in message.text


async def test_without_a_channel_nobody_is_told(slack: LocalSlack):
    async with LocalSlackClient(slack.url) as people:
        quiet = Told(slack=slack, people=people, catalogue=Catalogue(services=(Service(name="checkout"),)))
        async with quiet.presenter():
            await quiet.book.record(deployment())
            await quiet.settled()
        assert await quiet.roots("incidents") == await quiet.roots("deploys") == []
