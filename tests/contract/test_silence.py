"""What a silence keeps out of the channel, and what it does not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bot.adapters.rendering import Renderer
from bot.adapters.slack.presenter import RenderedTopic, Style
from bot.domain.board import PostedMessage, Topic
from bot.domain.clock import SystemClock
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.testing.alerts import MemoryAlertStore
from bot.testing.stores import memory_stores
from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import CHANNEL, Screen
from tests.handlers.desks import CATALOGUE
from tests.support.waiting import until

ANA = Person(id="U0ANA00001", name="Ana")
SHORT_S, LONG_S = 4.0, 3600.0


def alert(*, name: str = "HighErrorRate") -> Alert:
    now = SystemClock().now()
    return Alert(fingerprint="f1", name=name, service="checkout", status="firing", starts_at=now)


@dataclass
class AlertScreen(Screen):
    """A screen that shows what the book of alerts says."""

    alerts: MemoryAlertStore = field(default_factory=MemoryAlertStore)
    shown: list[RenderedTopic] = field(default_factory=list)

    async def render(self, topic: Topic, *, style: Style) -> RenderedTopic:
        stores = replace(memory_stores(), alerts=self.alerts)
        renderer = Renderer(stores, catalogue=CATALOGUE, clock=SystemClock())
        rendered = await renderer(topic, style=style)
        self.shown.append(rendered)
        return rendered

    async def report(self, alert: Alert) -> None:
        await self.alerts.report(alert)
        await self.look(alert)

    async def silence(self, alert: Alert, *, seconds: float) -> None:
        until = SystemClock().now() + timedelta(seconds=seconds)
        await self.alerts.silence(alert.fingerprint, by=ANA, until=until)

    async def look(self, alert: Alert) -> None:
        await self.board.mark(Topic(kind="alert", id=alert.id))

    async def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        """Wait until what the channel shows is so; gives it."""

        async def look() -> list[list[str]]:
            texts = [seen.text for seen in await self.roots()]
            return [texts] if holds(texts) else []

        return (await until(look, what="what the channel is expected to show"))[0]

    async def rendered(self, count: int) -> None:
        """Wait until so much was rendered and brought to Slack."""
        await until(lambda: len(self.shown) >= count, what=f"{count} renderings")


@pytest.fixture
async def screen() -> AsyncIterator[AlertScreen]:
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        yield AlertScreen(slack=slack, people=people)


async def test_what_still_fires_when_its_silence_ends_is_shown_then_without_anybody_asking(screen):
    fires = alert()
    await screen.silence(fires, seconds=SHORT_S)
    async with screen.presenter():
        await screen.report(fires)
        (text,) = await screen.until(bool)
        await screen.settled()
    assert "silenced" not in text
    assert [shown.quiet for shown in screen.shown] == [True, False]


async def test_what_is_over_before_its_silence_is_never_shown(screen):
    blip = alert()
    await screen.silence(blip, seconds=SHORT_S)
    async with screen.presenter():
        await screen.report(blip)
        await screen.rendered(1)
        await screen.report(blip.model_copy(update={"status": "resolved", "ends_at": blip.starts_at}))
        await screen.settled()  # the silence has ended, and it was looked at once more
    assert await screen.alerts.silence_of("f1") is None
    assert not await screen.roots()


async def test_a_message_that_is_there_already_goes_on_being_edited(screen):
    fires = alert()
    async with screen.presenter():
        await screen.report(fires)
        await screen.until(bool)
        await screen.silence(fires, seconds=LONG_S)
        await screen.look(fires)
        (text,) = await screen.until(lambda texts: "silenced until" in texts[0])
        assert "by @ana" in text
        await screen.report(fires.model_copy(update={"status": "resolved", "ends_at": fires.starts_at}))
        await screen.until(lambda texts: "resolved" in texts[0])
    assert len(await screen.roots()) == 1


async def test_a_message_forgets_its_silence_when_that_ends(screen):
    fires = alert()
    async with screen.presenter():
        await screen.report(fires)
        await screen.until(bool)
        await screen.silence(fires, seconds=SHORT_S + 1)
        await screen.look(fires)
        await screen.until(lambda texts: "silenced until" in texts[0])
        await screen.until(lambda texts: "silenced" not in texts[0])


async def test_a_post_that_had_begun_when_the_silence_came_is_brought_to_its_end(screen):
    fires = alert()
    await screen.alerts.report(fires)
    topic = Topic(kind="alert", id=fires.id)
    await screen.board.mark(topic)
    (hold,) = await screen.board.claim(limit=1, lease_s=0.2)
    await screen.board.record(hold, "alert", PostedMessage(channel=CHANNEL))  # and then its worker died
    await screen.silence(fires, seconds=LONG_S)
    async with screen.presenter():
        await screen.look(fires)
        assert len(await screen.until(bool)) == 1
