"""Judges one case: each metric by its kind, then all of them together."""

from __future__ import annotations

from typing import assert_never

from bot.canary.combining import combine
from bot.canary.counts import judge_counts
from bot.canary.limits import judge_burn, judge_limit
from bot.canary.samples import judge_samples
from bot.domain.rollouts.judging import (
    BurnRateMetric,
    CanaryCase,
    CountMetric,
    LimitMetric,
    Metric,
    SampleMetric,
)
from bot.domain.rollouts.verdict import CanaryVerdict, MetricOutcome, MetricVerdict


def judge_case(case: CanaryCase) -> CanaryVerdict:
    """Judge all metrics of a case."""
    return combine([judge_metric(metric) for metric in case.metrics], policy=case.policy)


def judge_metric(metric: Metric) -> MetricVerdict:
    """Judge one metric; one that could not be read stays in the verdict, as an error."""
    if metric.error:
        return MetricVerdict(
            metric=metric.name,
            outcome=MetricOutcome.ERROR,
            reason="not_read",
            text=f"could not be read: {metric.error}",
            critical=metric.critical,
            weight=metric.weight,
            optional=metric.optional,
            query=metric.query,
        )
    match metric:
        case CountMetric():
            return judge_counts(metric)
        case SampleMetric():
            return judge_samples(metric)
        case LimitMetric():
            return judge_limit(metric)
        case BurnRateMetric():
            return judge_burn(metric)
        case _:
            assert_never(metric)
