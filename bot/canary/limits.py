"""Judges a canary on its own: absolute limits, and how fast its error budget burns."""

from __future__ import annotations

from bot.canary.samples import ended_early, finite, has_infinite
from bot.canary.selection import Floats
from bot.domain.formatting import figure, percent
from bot.domain.rollouts.judging import BurnRateMetric, BurnWindow, LimitMetric
from bot.domain.rollouts.verdict import MetricOutcome, MetricVerdict


def judge_limit(metric: LimitMetric) -> MetricVerdict:
    """Fail when more values than are tolerated lie outside; without a newest value it does not pass."""
    if has_infinite(metric.values):
        return _verdict(metric, MetricOutcome.ERROR, "infinite", "has infinite values")
    values = finite(metric.values)
    outside = [float(value) for value in values if not _inside(metric, float(value))]
    limits = _limits(metric)
    if len(outside) > metric.tolerated_breaches:
        worst = max(outside, key=lambda value: _distance(metric, value))
        text = f"{figure(worst, metric.unit)} is not {limits}; {_outside(outside, values)}"
        return _verdict(metric, MetricOutcome.FAIL, "limit_exceeded", text, value=worst)
    if not values.size:
        return _verdict(metric, MetricOutcome.NO_DATA, "no_values", "it has no values")
    if values.size * 2 < len(metric.values):
        text = f"{len(metric.values) - values.size} of {len(metric.values)} values are missing"
        return _verdict(metric, MetricOutcome.NO_DATA, "mostly_missing", text)
    if ended_early(metric.values, most=0):
        return _verdict(metric, MetricOutcome.NO_DATA, "newest_missing", "the newest value is missing")
    latest = float(values[-1])
    if values.size < metric.min_values:
        text = f"{values.size} of {metric.min_values} values needed"
        return _verdict(metric, MetricOutcome.INCONCLUSIVE, "too_few_values", text, value=latest).model_copy(
            update={"have": int(values.size), "needed": metric.min_values}
        )
    text = f"{figure(latest, metric.unit)}, {limits}; {_outside(outside, values)}"
    return _verdict(metric, MetricOutcome.PASS, "within_limits", text, value=latest)


def judge_burn(metric: BurnRateMetric) -> MetricVerdict:
    """Fail when a window burns too fast (both in its long and its short part), or nothing is left to burn.

    Burn rate = error share / (1 - objective); 14.4 for an hour is 2 % of a month's budget (Google, *The Site
    Reliability Workbook*, chapter 5).  The short part makes sure that a fault which has ended stops nothing.
    """
    if metric.budget_left is not None and metric.budget_left <= 0:
        return _verdict(metric, MetricOutcome.FAIL, "budget_spent", "the error budget is spent")
    rates = [(window, *_rates(metric, window)) for window in metric.windows]
    for window, long, short in rates:
        if long is not None and short is not None and min(long, short) >= window.factor:
            text = (
                f"the error budget burns {long:.3g} times too fast over {window.long} and {short:.3g} "
                f"times over {window.short}; the limit is {window.factor:g}"
            )
            return _verdict(metric, MetricOutcome.FAIL, "burns_too_fast", text, value=long)
    unread = [window.long for window, long, short in rates if long is None or short is None]
    if unread or not rates:
        text = f"no data for {', '.join(unread)}" if unread else "no alert windows are configured"
        return _verdict(metric, MetricOutcome.NO_DATA, "no_values", text)
    window, long, _ = max(rates, key=lambda rate: (rate[1] or 0.0) / rate[0].factor)
    left = "" if metric.budget_left is None else f"; {percent(metric.budget_left)} of the budget is left"
    text = f"the error budget burns at {long:.3g} over {window.long}; the limit is {window.factor:g}{left}"
    return _verdict(metric, MetricOutcome.PASS, "within_limits", text, value=long)


def _rates(metric: BurnRateMetric, window: BurnWindow) -> tuple[float | None, float | None]:
    def rate(share: float | None) -> float | None:
        return None if share is None else share / (1 - metric.objective)

    return rate(window.long_error_share), rate(window.short_error_share)


def _outside(outside: list[float], values: Floats) -> str:
    return f"{len(outside)} of {values.size} values are outside"


def _inside(metric: LimitMetric, value: float) -> bool:
    low_enough = metric.at_most is None or value <= metric.at_most
    return low_enough and (metric.at_least is None or value >= metric.at_least)


def _distance(metric: LimitMetric, value: float) -> float:
    above = 0.0 if metric.at_most is None else value - metric.at_most
    below = 0.0 if metric.at_least is None else metric.at_least - value
    return max(above, below)


def _limits(metric: LimitMetric) -> str:
    bounds = (("at most", metric.at_most), ("at least", metric.at_least))
    return " and ".join(
        f"{words} {figure(bound, metric.unit)}" for words, bound in bounds if bound is not None
    )


def _verdict(
    metric: LimitMetric | BurnRateMetric,
    outcome: MetricOutcome,
    reason: str,
    text: str,
    *,
    value: float | None = None,
) -> MetricVerdict:
    return MetricVerdict(
        metric=metric.name,
        outcome=outcome,
        reason=reason,
        text=text,
        critical=metric.critical,
        weight=metric.weight,
        optional=metric.optional,
        value=value,
        unit=metric.unit if isinstance(metric, LimitMetric) else "times",
        query=metric.query,
    )
