"""What is counted of deliveries is what happened, and what is not known is not made up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.catalogue import Catalogue, Cost, Environment, Service
from bot.domain.deployments.delivery import DeliveryQuestion, Proportion
from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError
from bot.services.delivery_metrics import delivered_services, delivery
from tests.support.worlds import ANA, START

UNTIL = START
_OUTCOMES = ("succeeded", "rolled_back", "failed")


def ago(**span: float) -> datetime:
    return UNTIL - timedelta(**span)


def deployed(name: str, *, days: float, minutes: float = 10, outcome: str = "succeeded", **more: object):
    at = ago(days=days)
    given = {
        "id": name,
        "service": "checkout",
        "strategy": "canary",
        "version": name,
        "requested_by": ANA,
        "requested_at": at,
        "started_at": at,
        "finished_at": at + timedelta(minutes=minutes),
        "outcome": outcome,
        "changed": True,
    }
    return Deployment.model_validate(given | more)


STORY = (
    deployed("a", days=20, minutes=10),
    deployed("b", days=15, minutes=20, outcome="rolled_back"),  # harm: 20 min
    deployed(
        "c", days=10, minutes=30, outcome="failed"
    ),  # harm: until d was there, 60 + 10 min after it began
    deployed("d", days=10 - 1 / 24, minutes=10),
    deployed("e", days=5, minutes=40),
    deployed("f", days=4, minutes=5, strategy="rollback", rollback_of="e"),  # harm: 5 min
    deployed("g", days=3, outcome="rejected", changed=False),
    deployed("h", days=2, outcome="running", finished_at=None),
    deployed("z", days=31, outcome="failed"),  # before all this
)


def test_each_metric_counts_what_happened():
    found = delivery(STORY, service="checkout", days=30, until=UNTIL)
    assert (found.deployments, found.per_day) == (5, 5 / 30)
    assert (found.success, found.success.share) == (Proportion(some=3, of=5), 0.6)
    assert (found.failures, found.failures.share) == (Proportion(some=3, of=5), 0.6)
    assert found.recovery is not None
    assert found.recovery.median_s == pytest.approx(20 * 60)
    assert found.recovery.p90_s == pytest.approx((20 + 0.8 * 50) * 60)  # between 20 and 70 min, in proportion
    assert (found.recovery.count, found.unrecovered) == (3, 0)
    assert found.impaired_s == pytest.approx((20 + 70 + 5) * 60)
    assert found.uptime == pytest.approx(1 - 95 / (30 * 24 * 60))
    assert found.duration is not None
    assert found.duration.median_s == pytest.approx(20 * 60)
    assert (found.rollbacks, found.put_back, found.not_changed) == (1, 1, 1)
    assert (found.cost, found.currency) == (None, "")


def test_what_nobody_made_good_does_harm_until_now():
    found = delivery([deployed("a", days=1, outcome="failed")], days=30, until=UNTIL)
    assert (found.recovery, found.unrecovered, found.impaired_s) == (None, 1, 86_400)


def test_overlapping_failures_of_a_service_are_one_impairment_and_those_of_two_are_two():
    twice = [deployed("a", days=2, outcome="failed"), deployed("b", days=1, outcome="failed")]
    assert delivery(twice, days=30, until=UNTIL).impaired_s == 2 * 86_400
    apart = [twice[0], deployed("b", days=1, outcome="failed", service="payments")]
    found = delivery(apart, days=30, until=UNTIL, services=2)
    assert found.impaired_s == 3 * 86_400
    assert found.uptime == pytest.approx(1 - 3 / 60)


def test_nothing_deployed_is_no_perfect_score():
    found = delivery([], days=30, until=UNTIL)
    assert (found.success.share, found.failures.share, found.recovery, found.duration) == (None,) * 4


def test_a_price_makes_a_cost_unless_a_service_or_a_currency_is_missing():
    price = Cost(impaired_minute=2.0, currency="EUR")
    found = delivery(STORY, days=30, until=UNTIL, prices={"checkout": price})
    assert (found.cost, found.currency) == (pytest.approx(190), "EUR")
    dollars = Cost(impaired_minute=1, currency="USD")
    for prices in ({}, {"payments": price}, {"checkout": price, "payments": dollars}):
        assert delivery(STORY, days=30, until=UNTIL, prices=prices).cost is None


def test_no_price_is_asked_for_where_nothing_was_impaired():
    price = {"checkout": Cost(impaired_minute=2.0, currency="EUR")}
    assert delivery([deployed("a", days=1)], days=30, until=UNTIL, prices=price).cost == 0


@pytest.mark.parametrize(("days", "bucket_days"), [(7, 1), (31, 1), (32, 7), (365, 7)])
def test_bars_are_of_days_in_a_short_span_and_of_weeks_in_a_long_one(days: int, bucket_days: int):
    found = delivery(STORY, days=days, until=UNTIL)
    assert found.bucket_s == bucket_days * 86_400
    starts = [bucket.start for bucket in found.buckets]
    assert starts[0] <= UNTIL - timedelta(days=days)
    assert starts[-1] <= UNTIL < starts[-1] + timedelta(days=bucket_days)


deployments = st.lists(
    st.builds(
        lambda number, hours, minutes, outcome, service: deployed(
            f"r{number}", days=hours / 24, minutes=minutes, outcome=outcome, service=service
        ),
        st.integers(0, 9_999),
        st.floats(0.01, 40 * 24),
        st.floats(0, 300),
        st.sampled_from(_OUTCOMES),
        st.sampled_from(("checkout", "payments")),
    ),
    max_size=30,
    unique_by=lambda one: one.id,
)


@given(known=deployments)
def test_whatever_happened_the_figures_agree_with_each_other(known: list[Deployment]):
    found = delivery(known, days=30, until=UNTIL, services=2)
    assert found.success.some + found.failures.some == found.deployments == found.success.of
    assert sum(b.succeeded + b.put_back + b.failed for b in found.buckets) == found.deployments
    assert found.unrecovered + (found.recovery.count if found.recovery else 0) == found.failures.some
    assert 0 <= found.uptime <= 1
    assert len(found.durations) == found.deployments


def test_all_of_production_is_meant_and_no_other_environment():
    catalogue = Catalogue(
        services=(
            Service(name="checkout", environments={"staging": Environment()}),
            Service(name="lab", environment="test"),
            Service(name="payments"),
        )
    )
    known = [deployed(s, days=1, service=s) for s in ("checkout", "checkout@staging", "lab", "gone")]
    assert delivered_services(catalogue, "", known) == {"checkout"}
    assert delivered_services(catalogue, "checkout@staging", known) == {"checkout@staging"}


def test_a_question_is_told_again_from_its_id():
    asked = DeliveryQuestion(service="checkout@staging", days=30, until_s=1_772_593_200, channel="C1")
    assert DeliveryQuestion.from_id(asked.id) == asked
    for wrong in ("", "a:b:c:d", "checkout:0:1:C1", "x:1:2"):
        with pytest.raises(NotFoundError):
            DeliveryQuestion.from_id(wrong)
