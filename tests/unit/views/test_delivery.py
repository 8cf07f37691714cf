"""The metrics are told with their counts, and what is not known is told so."""

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
        "Deliveries of checkout, 30 days",
        "Deployment frequency: 1.17 a week, 5 deployments (elite: on demand, several a day)",
        "Success rate: 3 of 5 (60 %) reached their end",
        "Change failure rate: 3 of 5 (60 %) (elite: 5 %)",
        "Time to recovery: median 20 min, longest tenth from 1 h on, 3 of 3 failures (elite: less than an hour)",
        "Uptime: at most 99.78 % (1 h 35 min with a failed change in place; trouble of other kinds is not counted",
        "Duration: median 20 min, nine of ten within 36 min, from the approval to the end",
        "Rollbacks: 1 rollback, and 1 put back by themselves, of 5 deployments",
        "Cost of failed changes: not known",
        "Not counted: 1 that ended before anything was changed.",
    ):
        assert line in text


def test_without_a_deployment_there_is_no_figure_and_no_chart():
    found = delivery([], service="checkout", days=30, until=UNTIL)
    assert [message.chart for message in delivery_messages(found)] == [None]
    assert "Nothing was deployed in this time" in told(found)
    assert "%" not in told(found)


def test_failures_that_nobody_made_good_are_told():
    text = told(delivery([deployed("a", days=1, outcome="failed")], days=30, until=UNTIL))
    assert "Time to recovery: 1 not recovered yet" in text
    assert "Deliveries of all services in production" in text


def test_the_chart_tells_in_words_what_it_shows():
    chart = delivery_chart(delivery(STORY, days=30, until=UNTIL))
    assert chart.alt == (
        "5 deployments in 30 days, 3 of them failed or were taken back; half of them took less than 20 min."
    )
    assert [sum(value for _, value in bars.points) for bars in chart.panels[0].bars] == [3, 1, 1]
    assert [len(line.points) for line in chart.panels[1].lines] == [5]
    assert [m.chart for m in delivery_messages(delivery(STORY, days=30, until=UNTIL))] == [chart]
