"""Counts how well software is delivered; every definition names its source.

Four of the metrics are DORA's (https://dora.dev/guides/dora-metrics-four-keys/): deployment frequency, change
failure rate, failed deployment recovery time, and, here without its first half from commit to request,
duration.  What DORA asks people about is counted here from the record of deployments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.domain.catalogue import Catalogue, Cost
from bot.domain.deployments.delivery import DAY_S, DeliveryBucket, DeliveryMetrics, DurationSpread, Proportion
from bot.domain.deployments.deployment import Deployment

_MOST_DAILY = 31
_WEEK_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class _Harm:
    """A failed change: the service, its start, and its end, which is none while it is not recovered."""

    service: str
    start: datetime
    end: datetime | None


def delivery(
    known: Sequence[Deployment],
    *,
    service: str = "",
    days: int,
    until: datetime,
    services: int = 1,
    prices: Mapping[str, Cost] | None = None,
) -> DeliveryMetrics:
    """Count the eight metrics of the deployments that were asked for in the ``days`` days before ``until``.

    ``known`` are the deployments of the services in question, in any order; a change before that period is
    not a failure in it.  ``prices`` holds what a minute with a failed change costs, by service.
    """
    start = until - timedelta(days=days)
    asked = sorted(
        (one for one in known if start < one.requested_at <= until and one.outcome != "running"),
        key=lambda one: one.requested_at,
    )
    changed = [one for one in asked if one.changed]
    forward = [one for one in changed if not one.is_rollback]
    back = [one for one in changed if one.is_rollback]
    harms = list(_harms(forward, changed))
    durations = [(_s(one.finished_at), one.duration_s) for one in forward if one.finished_at is not None]
    taken = [(at_s, took_s) for at_s, took_s in durations if took_s is not None]
    cost, currency = _cost(harms, until=until, prices=prices or {})
    return DeliveryMetrics(
        service=service,
        days=days,
        until=until,
        deployments=len(forward),
        success=Proportion(some=sum(one.outcome == "succeeded" for one in forward), of=len(forward)),
        failures=Proportion(some=len(harms), of=len(forward)),
        recovery=_spread([(harm.end - harm.start).total_seconds() for harm in harms if harm.end is not None]),
        unrecovered=sum(harm.end is None for harm in harms),
        impaired_s=sum(_impaired_s(harms, until=until).values()),
        services=services,
        duration=_spread([took_s for _, took_s in taken]),
        rollbacks=len(back),
        put_back=sum(one.outcome == "rolled_back" for one in forward),
        cost=cost,
        currency=currency,
        not_changed=len(asked) - len(changed),
        buckets=_buckets(forward, start=start, until=until),
        bucket_s=_bucket_days(days) * DAY_S,
        durations=tuple(taken),
    )


def delivered_services(catalogue: Catalogue, service: str, known: Sequence[Deployment]) -> frozenset[str]:
    """Return the services that a question covers: one address, or all of production ever deployed.

    DORA counts production alone.
    """
    if service:
        return frozenset({service})
    production = {one.name for one in catalogue.services if one.environment == "production"}
    return frozenset(production & {one.service for one in known})


def _harms(forward: Sequence[Deployment], changed: Sequence[Deployment]) -> Iterable[_Harm]:
    """Yield the failed changes: those that failed, were rolled back automatically, or were rolled back later.

    DORA: changes to production that result in degraded service and need a remedy.  A change that a judge
    stopped counts too, although few users met it: it needed a remedy.  The harm of a later rollback is
    counted from the request for the rollback; when it began before that is not recorded.
    """
    for one in forward:
        taken_back = next((b for b in changed if b.is_rollback and b.rollback_of == one.id), None)
        if one.outcome == "rolled_back":
            yield _Harm(service=one.service, start=one.started_at, end=one.finished_at)
        elif one.outcome != "succeeded":
            yield _Harm(service=one.service, start=one.started_at, end=_made_good(one, changed))
        elif taken_back is not None:
            well = taken_back.outcome == "succeeded"
            end = taken_back.finished_at if well else _made_good(taken_back, changed)
            yield _Harm(service=one.service, start=taken_back.requested_at, end=end)


def _made_good(failed: Deployment, changed: Sequence[Deployment]) -> datetime | None:
    """Return when a service recovered from a failed change: at the end of the first success after it."""
    ends = [
        one.finished_at
        for one in changed
        if one.service == failed.service
        and one.requested_at > failed.requested_at
        and one.outcome == "succeeded"
        and one.finished_at is not None
    ]
    return min(ends, default=None)


def _impaired_s(harms: Sequence[_Harm], *, until: datetime) -> dict[str, float]:
    """Return for how many seconds each service had a failed change in place; overlaps count once."""
    found: dict[str, float] = {}
    reached: dict[str, datetime] = {}
    for harm in sorted(harms, key=lambda one: one.start):
        begin = max(harm.start, reached.get(harm.service, harm.start))
        end = max(begin, min(harm.end or until, until))
        found[harm.service] = found.get(harm.service, 0.0) + (end - begin).total_seconds()
        reached[harm.service] = end
    return found


def _cost(harms: Sequence[_Harm], *, until: datetime, prices: Mapping[str, Cost]) -> tuple[float | None, str]:
    """Return the total cost of impairment; none unless every impaired service has a price in one currency."""
    impaired = _impaired_s(harms, until=until)
    currencies = {price.currency for price in prices.values()}
    if len(currencies) != 1 or not set(impaired) <= set(prices):
        return None, ""
    cost = sum(prices[name].impaired_minute * seconds / 60 for name, seconds in impaired.items())
    return cost, currencies.pop()


def _spread(seconds: Sequence[float]) -> DurationSpread | None:
    """Return median and 90th percentile, by linear interpolation (Hyndman and Fan 1996, type 7)."""
    if not seconds:
        return None
    median_s, p90_s = np.quantile(np.asarray(seconds), (0.5, 0.9))
    return DurationSpread(median_s=float(median_s), p90_s=float(p90_s), count=len(seconds))


def _buckets(
    forward: Sequence[Deployment], *, start: datetime, until: datetime
) -> tuple[DeliveryBucket, ...]:
    """Count the outcomes of deployments by day, or by week for a long period."""
    step = timedelta(days=_bucket_days(round((until - start) / timedelta(days=1))))
    begin = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    found: list[DeliveryBucket] = []
    while begin <= until:
        there = [one.outcome for one in forward if begin <= one.requested_at < begin + step]
        good, put_back = there.count("succeeded"), there.count("rolled_back")
        failed = len(there) - good - put_back
        found.append(DeliveryBucket(start=begin, succeeded=good, put_back=put_back, failed=failed))
        begin += step
    return tuple(found)


def _bucket_days(days: int) -> int:
    return 1 if days <= _MOST_DAILY else _WEEK_DAYS


def _s(moment: datetime) -> float:
    return moment.timestamp()
