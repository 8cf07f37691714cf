"""The accuracy of a week is one message, whoever asks for it and however often."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from redis.exceptions import ConnectionError as RedisDownError

from bot.adapters.rendering import Renderer
from bot.domain.board import Topic
from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, span_of
from bot.engine.stores import Stores
from bot.roles import tell_accuracy
from bot.settings import Settings
from bot.testing.stores import memory_stores
from tests.handlers.desks import CATALOGUE
from tests.support.worlds import ANA, HandClock

MONDAY = datetime(2026, 3, 9, 9, 0, tzinfo=UTC)


@dataclass
class Marks:
    """A board that keeps what was marked, or is away."""

    marked: list[Topic] = field(default_factory=list)
    away: bool = False

    async def mark(self, topic: Topic) -> None:
        if self.away:
            raise RedisDownError
        self.marked.append(topic)


@dataclass
class Clockwork:
    """What the clock stands on, as far as this is concerned."""

    settings: Settings
    clock: HandClock
    stores: Stores


def parts(channel="incidents", at=MONDAY):
    stores = replace(memory_stores(), board=Marks())
    return Clockwork(Settings(accuracy_channel=channel), HandClock(at), stores)


@pytest.mark.parametrize(
    ("at", "week"),
    [
        (MONDAY, "2026-W10"),
        (datetime(2026, 3, 9, 8, 59, tzinfo=UTC), "2026-W09"),
        (datetime(2026, 3, 12, 4, 0, tzinfo=UTC), "2026-W10"),
    ],
)
async def test_the_week_that_has_ended_is_told_from_monday_nine_oclock_on(at, week):
    given = parts(at=at)
    await tell_accuracy(given)
    assert given.stores.board.marked == [Topic(kind="accuracy", id=week)]


async def test_nobody_is_told_where_no_channel_is_named_and_a_store_that_is_away_stops_no_clock():
    silent = parts(channel="")
    await tell_accuracy(silent)
    assert silent.stores.board.marked == []
    away = parts()
    away.stores.board.away = True
    await tell_accuracy(away)


@pytest.mark.parametrize("channel", ["incidents", ""])
async def test_a_week_is_rendered_into_the_channel_and_one_without_a_word_is_not(channel):
    clock = HandClock(MONDAY)
    stores = memory_stores(clock)
    renderer = Renderer(stores, catalogue=CATALOGUE, clock=clock, accuracy_channel=channel)
    start, end = span_of("2026-W10")
    for run_id, at in (("r1", start), ("r2", end)):
        said = DiagnosisSummary(run_id=run_id, at=at, service="checkout", verdict="unclear")
        await stores.feedback.rate(said, Feedback(by=ANA, at=MONDAY, opinion="right"))
    told = await renderer(Topic(kind="accuracy", id="2026-W10"))
    assert told.channel == channel
    assert [message.slot for message in told.messages] == (["accuracy"] if channel else [])
    if channel:
        assert "100 % (1 of 1" in told.messages[0].text
    assert (await renderer(Topic(kind="accuracy", id="2026-W09"))).messages == ()
