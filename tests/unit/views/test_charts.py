"""Charts are messages with a title and a link to the query, below what they belong to."""

from __future__ import annotations

import pytest

from bot.domain.board import DesiredMessage
from bot.domain.chart import Chart, ChartLine, ChartPanel
from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject
from bot.views.thread.charts import chart_message
from bot.views.thread.run import run_messages
from tests.unit.views.oracle import assert_valid_message
from tests.unit.views.story import Story

POINTS = tuple((4.0 * number, None if number == 7 else 2.0) for number in range(21))
CHART = Chart(
    title="Errors of checkout",
    url="http://prometheus:9090/graph?g0.expr=up",
    alt="The canary fails 4 %, stable 0.5 %.",
    panels=(ChartPanel(unit="errors (%)", lines=(ChartLine(name="canary", points=POINTS),)),),
)


def _looked(data: JsonObject) -> Story:
    return Story().begin("ground").step("ground", "who", Facts(summary="owned by payments", data=data))


def _charts(story: Story) -> list[DesiredMessage]:
    return [m for m in run_messages(story.run, now=story.at) if m.slot.startswith("chart:")]


def test_a_chart_that_a_step_brings_back_is_shown_below_its_phase():
    [charted] = _charts(_looked({"chart": CHART.model_dump(mode="json")}))
    assert (charted.slot, charted.chart) == ("chart:ground.who", CHART)
    assert charted.text == "Errors of checkout · view query"


@pytest.mark.parametrize(
    "points",
    [POINTS[:20], tuple((at_s / 2, value) for at_s, value in POINTS), tuple((at, None) for at, _ in POINTS)],
)
def test_a_chart_of_too_few_points_or_seconds_is_not_drawn(points):
    few = CHART.model_copy(
        update={"panels": (ChartPanel(unit="errors (%)", lines=(ChartLine(name="canary", points=points),)),)}
    )
    assert _charts(_looked({"chart": few.model_dump(mode="json")})) == []


@pytest.mark.parametrize(
    "data", [{}, {"chart": None}, {"chart": {"title": "from a newer version", "axes": 3}}]
)
def test_what_is_no_chart_of_this_version_is_no_message(data: JsonObject):
    assert _charts(_looked(data)) == []


def test_words_from_outside_stay_words_beside_a_chart():
    odd = CHART.model_copy(update={"title": "<!channel> *x*" * 99, "alt": "<@U0ANA00001> `" * 999})
    assert_valid_message(chart_message("odd", odd, names={}))


def test_other_figures_are_another_message_and_the_same_ones_are_not():
    other = CHART.model_copy(update={"panels": (ChartPanel(unit="ms"),)})
    digests = [chart_message("c", chart, names={}).digest for chart in (CHART, CHART.model_copy(), other)]
    assert digests[0] == digests[1] != digests[2]
