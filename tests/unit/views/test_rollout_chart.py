"""A rollout's chart shows canary against stable as the judge measured them, and the decision."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.adapters.charts.drawing import draw
from bot.domain.rollouts.canary import CanaryReading, MetricReading
from bot.domain.runs.event import CanaryJudged, StepFinished
from bot.domain.runs.run import fold
from bot.views.thread.run import run_messages
from tests.support.worlds import START, started
from tests.unit.engine.small_world import UNDO, act, book, fix
from tests.unit.engine.test_judged_steps import JUDGE, verdict

CANARY = book(fix(act("shift", undo=UNDO, judge=JUDGE)))
STEP = "judge:shift"


def look(number, *, canary_errors, decision="ask"):
    counts = {
        "weight": 0.25,
        "canary": {"requests": 10 * number, "errors": canary_errors},
        "stable": {"requests": 30 * number, "errors": 0},
    }
    latency = {"canary": 0.2, "stable": None if number == 6 else 0.1}
    reading = CanaryReading(
        at_s=float(number),
        seen={"errors": MetricReading(data=counts), "latency": MetricReading(data=latency)},
    )
    at = START + timedelta(seconds=number)
    return CanaryJudged(at=at, phase="fix", step=STEP, reading=reading, verdict=verdict(decision))


PASSED = StepFinished(at=START, phase="fix", step=STEP, outcome="ok")
MANY = range(0, 64, 3)


def chart_of(*events):
    run = fold("r1", [started(CANARY), *events])
    found = [message.chart for message in run_messages(run, now=START) if message.slot == "chart:fix.canary"]
    return found[0] if found else None


def test_nothing_is_drawn_before_there_is_a_line_to_see():
    assert chart_of(look(0, canary_errors=0), look(1, canary_errors=0), PASSED) is None


def test_it_is_drawn_when_a_step_ends_and_not_at_every_check():
    looks = [look(number, canary_errors=0) for number in MANY]
    assert chart_of(*looks) is None
    assert chart_of(*looks, PASSED) is not None


def test_counters_become_shares_of_errors_and_gaps_stay_gaps():
    chart = chart_of(*(look(number, canary_errors=5 * number) for number in MANY), PASSED)
    errors, latency = chart.panels
    assert errors.unit == "Errors (% of requests)"
    canary, stable = errors.lines
    assert [value for _, value in canary.points] == [None, *[50] * 21]
    assert [value for _, value in stable.points] == [None, *[0] * 21]
    assert [value for _, value in latency.lines[1].points][:4] == [0.1, 0.1, None, 0.1]
    assert latency.unit == "Latency (s)"
    assert [mark.text for mark in errors.marks] == ["canary gets 25 %"]


def test_the_decision_to_stop_is_marked_and_the_picture_can_be_drawn():
    looks = [look(number, canary_errors=5 * number, decision="stop") for number in MANY]
    stopped = StepFinished(
        at=START, phase="fix", step=STEP, outcome="failed", error="the judge stopped it: stop!"
    )
    chart = chart_of(*looks, stopped)
    assert (chart.panels[0].marks[-1].text, chart.panels[0].marks[-1].tone) == ("stopped", "bad")
    assert chart.panels[0].marks[-1].at_s == pytest.approx(START.timestamp() + 63)
    assert draw(chart).startswith(b"\x89PNG")
    assert "stop!" in chart.alt
