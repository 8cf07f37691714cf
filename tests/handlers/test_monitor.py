"""`/monitor`: reads are answered at once, and changes are stored first."""

from __future__ import annotations

import html
from datetime import timedelta

import pytest

from bot.domain.intent import Intent, MuteMonitor, PauseMonitor, ResumeMonitor, TryMonitor, UnmuteMonitor
from bot.domain.monitoring.monitor import MonitorState, Pause
from bot.domain.monitoring.watching import MonitorHistory
from bot.domain.people import Person
from tests.handlers.fronts import ANA, BEN, ONCALL, Front

NAME = "checkout/errors"


async def _said(front: Front, text: str) -> str:
    done = await front.people.slash("/monitor", text, user="ana", channel="checkout-oncall")
    assert done.ok
    assert await front.people.messages("checkout-oncall", user="ben") == []
    return html.unescape("\n".join(str(item["text"]) for item in done.ephemerals))


@pytest.mark.parametrize("text", ["", "help"])
async def test_help_names_every_subcommand(front: Front, text: str):
    said = await _said(front, text)
    for verb in ("list", "show", "test", "pause", "resume", "mute", "unmute"):
        assert f"`/monitor {verb} " in said
    assert front.inbox.intents == []


async def test_list_and_show_tell_what_is_known_and_write_nothing_down(front: Front):
    now = front.desk.clock.now()
    watched = MonitorHistory(slot_s=now.timestamp(), ok=True, calm_since_s=now.timestamp())
    await front.stores.monitors.keep(NAME, MonitorState(watched=watched, value="0.4 errors", seen_at=now))
    assert "🟢 *Failed requests* `checkout/errors`: ok · 0.4 errors" in await _said(front, "list")
    await front.stores.monitors.pause(NAME, Pause(by=Person(id=BEN), at=now))
    await front.stores.alerts.silence(NAME, by=Person(id=BEN), until=now + timedelta(hours=1))
    listed = await _said(front, "list checkout")
    assert "⚪ *Failed requests* `checkout/errors`: paused" in listed
    assert f"paused by <@{BEN}> until resumed · muted by <@{BEN}> until" in listed
    card = await _said(front, "show errors")
    assert "*probe*: `worlds.measure`" in card
    assert "*expect*: `result.value < 5`" in card
    assert "No monitors yet. Add some to the catalogue" in await _said(front, "list payments")
    assert front.inbox.intents == []


@pytest.mark.parametrize(
    ("text", "kind", "seconds"),
    [
        ("pause errors 2h", PauseMonitor, 7200),
        ("pause errors", PauseMonitor, None),
        ("resume errors", ResumeMonitor, None),
        ("mute checkout/errors 30m", MuteMonitor, 1800),
        ("unmute errors", UnmuteMonitor, None),
        ("test errors", TryMonitor, None),
    ],
)
async def test_what_changes_something_or_takes_long_is_written_down(
    front: Front, text: str, kind: type[Intent], seconds: float | None
):
    done = await front.people.slash("/monitor", text, user="ana", channel="checkout-oncall")
    assert done.ok
    assert done.ephemerals == ()
    (intent,) = front.inbox.intents
    assert type(intent) is kind
    told = intent.model_dump()
    assert (told["key"], told["name"], told["by"]["id"]) == (done.trigger_id, NAME, ANA)
    assert (told["channel"], told.get("seconds")) == (ONCALL, seconds)


async def test_a_misspelt_monitor_is_answered_to_that_person_alone(front: Front):
    assert "did you mean `checkout/errors`" in await _said(front, "pause checkout/erors")
    assert front.inbox.intents == []
