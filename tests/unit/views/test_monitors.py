"""Monitors as people see them, in a list and as cards."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.monitoring.monitor import Monitor, MonitorState, Pause
from bot.domain.monitoring.watching import Episode, MonitorHistory
from bot.views.limits import TEXT_CHARS
from bot.views.monitor import MonitorView, monitor_card, monitor_list
from tests.support.worlds import ANA, BEN, START
from tests.unit.views.oracle import assert_harmless

NOW = START + timedelta(hours=1)
_NOW_S = NOW.timestamp()
BEGAN_S = _NOW_S - 600

CONDITIONS = {
    "firing": MonitorHistory(slot_s=_NOW_S, ok=False, episode=Episode(began_s=BEGAN_S)),
    "unknown": MonitorHistory(slot_s=_NOW_S, episode=Episode(began_s=BEGAN_S, unknown=True)),
    "breaching": MonitorHistory(slot_s=_NOW_S, ok=False, breached_since_s=BEGAN_S),
    "not measured": MonitorHistory(slot_s=_NOW_S, unmeasured_since_s=BEGAN_S),
    "new": MonitorHistory(),
    "ok": MonitorHistory(slot_s=_NOW_S, ok=True, calm_since_s=BEGAN_S),
}
COLOURS = {"firing": "🔴", "unknown": "🟠", "breaching": "🟡", "not measured": "🟠", "new": "⚪", "ok": "🟢"}


def sight(condition="ok", *, name="checkout/errors", pause=None, muted=None, value="0.2 %", **more):
    monitor = Monitor.model_validate(
        {"id": name.split("/")[1], "probe": "prometheus.error_ratio", "expect": "result.value < 0.05", **more}
    )
    seen_at = None if condition == "new" else NOW - timedelta(seconds=12)
    state = MonitorState(watched=CONDITIONS[condition], value=value, seen_at=seen_at, pause=pause)
    return MonitorView(name=name, monitor=monitor, state=state, muted=muted)


def listed(*sights):
    text = monitor_list(sights, now=NOW, command="/monitor")
    assert_harmless(text)
    assert len(text) <= TEXT_CHARS
    return text


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_line_says_how_it_is_by_colour_and_word(condition):
    line = listed(sight(condition, title="Failed requests")).splitlines()[1]
    colour = COLOURS[condition]
    looked = "not checked yet" if condition == "new" else "checked 12 s ago"
    assert line == f"{colour} *Failed requests* `checkout/errors`: {condition} · 0.2 % · {looked}"


def test_a_line_says_who_stopped_it_and_until_when():
    pause = Pause(by=ANA, at=START, until=NOW + timedelta(hours=1))
    line = listed(sight("firing", pause=pause, muted=(BEN, NOW + timedelta(hours=2)))).splitlines()[1]
    assert line.startswith("⚪")
    assert "paused by <@U0ANA00001> until <!date" in line
    assert "muted by <@U0BEN00001> until <!date" in line


def test_a_pause_and_a_muting_that_ended_are_not_told():
    pause = Pause(by=ANA, at=START, until=NOW)
    text = listed(sight("ok", pause=pause, muted=(BEN, NOW)))
    assert "🟢 1 ok" in text
    assert "paused" not in text
    assert "muted" not in text


def test_the_worst_come_first_and_all_are_counted():
    text = listed(*(sight(c, name=f"checkout/c{i}") for i, c in enumerate(reversed(CONDITIONS))))
    head, *lines = text.splitlines()
    assert (
        head
        == "*Monitors*: 🔴 1 firing · 🟠 1 unknown · 🟡 1 breaching · 🟠 1 not measured · ⚪ 1 new · 🟢 1 ok"
    )
    assert [line[0] for line in lines] == ["🔴", "🟠", "🟡", "🟠", "⚪", "🟢"]


def test_many_monitors_are_summarised_within_the_limit_and_none_is_lost():
    long = {"title": "<!channel> & so on " * 9, "value": "<@U0ANA00001>" * 99}
    many = [sight(name=f"{'s' * 60}{i:03}/{'m' * 62}", **long) for i in range(498)]
    text = listed(*many, sight("firing", name="a/bad"), sight("breaching", name="a/worse"))
    lines = text.splitlines()
    assert lines[1].startswith("🔴")
    assert lines[2].startswith("🟡")
    one_by_one = sum(": ok · " in line for line in lines)
    assert f"and {498 - one_by_one} more: 🟢 {498 - one_by_one} ok" in text
    assert "`/monitor list &lt;service&gt;`" in lines[-1]


def test_a_card_says_all_that_is_written_and_known():
    arguments = {"window_s": 60, "path": "/<a>"}
    made = sight(
        "firing",
        title="Failed requests",
        severity="critical",
        then="triage",
        every="30s",
        unknown_for="4m",
        missed="skip",
        after_deploy="1h",
        **{"for": "2m", "with": arguments},
    )
    text = monitor_card(made, now=NOW)
    assert_harmless(text)
    for part in (
        "🔴 *Failed requests* `checkout/errors`",
        "firing since <!date^",
        "03:50 UTC>",
        "severity critical",
        "0.2 % · checked 12 s ago · next check at 04:00:",
        "*probe*: `prometheus.error_ratio`",
        '*with*: `{"window_s": 60, "path": "/&lt;a&gt;"}`',
        "*expect*: `result.value &lt; 0.05`",
        "*every*: `30s`",
        "*for*: 2m",
        "*unknown_for*: 4m",
        "*then*: `triage`",
        "*missed*: skip",
        "*after_deploy*: 1h",
    ):
        assert part in text


def test_a_card_says_the_wall_clock_of_a_cron():
    text = monitor_card(sight(cron="0 8 * * 1-5", time_zone="Europe/Berlin"), now=NOW)
    assert "*cron*: `0 8 * * 1-5` in Europe/Berlin" in text
    assert "*every*" not in text
    assert "next check at 07:00:00 UTC" in text


def test_a_card_of_a_paused_monitor_promises_no_look():
    assert "next" not in monitor_card(sight(pause=Pause(by=ANA, at=START)), now=NOW)
