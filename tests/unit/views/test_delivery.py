"""The metrics are shown with their counts, and unknown values are shown as unknown."""

from __future__ import annotations

from bot.domain.deployments.delivery import DeliveryMetrics
from bot.services.delivery_metrics import delivery
from bot.views.blocks import flatten
from bot.views.delivery import delivery_chart, delivery_messages
from tests.unit.diagnosis.test_delivery import STORY, UNTIL, deployed
from tests.unit.views.oracle import assert_valid_message


def told(found: DeliveryMetrics) -> str:
    messages = delivery_messages(found)
    for message in messages:
        assert_valid_message(message)
    return flatten(messages[0].blocks, names={})


def test_every_metric_is_told_with_its_counts_beside_those_of_the_best():
    text = told(delivery(STORY, service="checkout", days=30, until=UNTIL))
    for line in (
        "Delivery metrics: checkout, 30 days",
        "Deployment frequency: 1.17 a week, 5 deployments (elite: on demand, several times a day)",
        "Success rate: 3 of 5 (60 %) completed",
        "Change failure rate: 3 of 5 (60 %) (elite: 5 %)",
        "Time to recovery: median 20 min, 90 % within 1 h, 3 of 3 failures (elite: less than an hour)",
        "Uptime: at most 99.78 % (1 h 35 min with a failed change live; outages of other kinds are not counted",
        "Duration: median 20 min, 90 % within 36 min, from approval to completion",
        "Rollbacks: 1 requested, 1 automatic, in 5 deployments",
        "Cost of failed changes: not known",
        "Not counted: 1 deployment that ended before changing anything.",
    ):
        assert line in text


def test_without_a_deployment_there_is_no_figure_and_no_chart():
    found = delivery([], service="checkout", days=30, until=UNTIL)
    assert [message.chart for message in delivery_messages(found)] == [None]
    assert "Nothing was deployed in this period" in told(found)
    assert "%" not in told(found)


def test_failures_that_nobody_made_good_are_told():
    text = told(delivery([deployed("a", days=1, outcome="failed")], days=30, until=UNTIL))
    assert "Time to recovery: 1 not recovered yet" in text
    assert "Delivery metrics: all services in production" in text


def test_the_chart_tells_in_words_what_it_shows():
    chart = delivery_chart(delivery(STORY, days=30, until=UNTIL))
    assert chart.alt == (
        "5 deployments in 30 days, 3 of them failed or were rolled back; half of them took less than 20 min."
    )
    assert [sum(value for _, value in bars.points) for bars in chart.panels[0].bars] == [3, 1, 1]
    assert [len(line.points) for line in chart.panels[1].lines] == [5]
    assert [m.chart for m in delivery_messages(delivery(STORY, days=30, until=UNTIL))] == [chart]
