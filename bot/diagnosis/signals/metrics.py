"""Turns a service's series into findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bot.diagnosis.signals.anomalies import Anomaly, FloatArray, detect
from bot.diagnosis.signals.families import ERRORS_BY_VERSION, FAMILIES, MORE_REQUESTS, REQUESTS, MetricFamily
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.formatting import figure
from bot.domain.model import JsonObject, JsonValue
from bot.domain.wording import clock_time, moment

SOURCE = "metrics"
_LEAST_FAILURES = 4.0
_RECENT = 10
_DOWN_SAMPLES = 2
_DEPLOYING_S = 180.0
"""A deployment's last step takes at most about this long; what it stops goes away within it."""
_SEEN_LATE_S = 30.0
"""A last good scrape may be stamped after the change, where the clocks differ."""


@dataclass(frozen=True, kw_only=True)
class MetricSeries:
    """One series; ``label`` is the value of the label that the family is split by."""

    label: str
    times_s: FloatArray
    values: FloatArray


@dataclass(frozen=True, kw_only=True)
class MetricPanel:
    """A family of one service as it was read, with its resolved query and where to see it."""

    family: MetricFamily
    series: tuple[MetricSeries, ...]
    query: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class StoppedInstances:
    """Of ``total`` instances, how many run nothing on purpose while all with traffic are healthy."""

    count: int
    total: int


@dataclass(frozen=True, kw_only=True)
class MetricsRead:
    """All that was read of one service; ``stale_s`` is the age in seconds past which a series has ended."""

    service: str
    panels: tuple[MetricPanel, ...]
    up: tuple[MetricSeries, ...]
    end_s: float
    stale_s: float
    window_s: float
    unread: tuple[str, ...] = ()
    """Names of the families that could not be read."""
    missing: tuple[str, ...] = ()
    """Why what was read is only a part of the data, as its source reports."""
    deployed_s: tuple[float, ...] = ()
    """When the bot itself finished a deployment or rollback of the service, in seconds since the epoch."""
    stopped: StoppedInstances | None = None
    """How many instances run nothing on purpose, as the deployment target reports it; none if it does not.

    It decides, before any record of deployments, where it counts as many instances as are scraped; otherwise
    one that crashed may be taken for one that is idle.
    """


def findings_of(read: MetricsRead) -> tuple[Finding, ...]:
    """Judge every series of a service; at most one finding for each family and label."""
    found = list(_down(read))
    requests_per_s = _requests_per_s(read)
    more = [replace(panel, family=MORE_REQUESTS) for panel in read.panels if panel.family.name == REQUESTS]
    for panel in (*read.panels, *more):
        if panel.family.name == ERRORS_BY_VERSION and len(panel.series) < 2:  # noqa: PLR2004  # nothing to compare
            continue
        for series in panel.series:
            anomaly = _anomaly(panel, series, read=read, requests_per_s=requests_per_s)
            if anomaly is not None:
                found.append(_finding(panel, series, anomaly, read=read))
    return _strongest_of_each(found)


def normal_of(read: MetricsRead, found: Sequence[Finding]) -> str:
    """Return what of a service is as usual."""
    kinds = {finding.kind for finding in found if finding.service == read.service}
    words = {
        FindingKind.ERROR_RATE_UP: "errors",
        FindingKind.LATENCY_UP: "latency",
        FindingKind.CPU_HIGH: "CPU",
        FindingKind.MEMORY_HIGH: "memory",
        FindingKind.POOL_EXHAUSTED: "connection pool",
    }
    had = {panel.family.kind for panel in read.panels if panel.series}
    usual = [word for kind, word in words.items() if kind in had and kind not in kinds]
    return f"{read.service}: {', '.join(usual)} as usual" if usual else ""


def _anomaly(
    panel: MetricPanel, series: MetricSeries, *, read: MetricsRead, requests_per_s: float
) -> Anomaly | None:
    finite = np.isfinite(series.values)
    if not finite.any():
        return None
    times, values = series.times_s[finite], series.values[finite]
    if read.end_s - float(times[-1]) > read.stale_s:
        return None
    anomaly = detect(times, values, rule=panel.family.rule)
    if anomaly is None:
        return None
    if panel.family.counts_failures:
        since_s = times[0] if anomaly.onset_s is None else anomaly.onset_s
        failures = anomaly.value * requests_per_s * (read.end_s - float(since_s) + read.window_s)
        if failures < _LEAST_FAILURES:
            return None
    if anomaly.onset_s is None and panel.family.by == "version":
        return _born_bad(anomaly, times, values, limit=panel.family.rule.limit or 0.0)
    return anomaly


def _born_bad(anomaly: Anomaly, times: FloatArray, values: FloatArray, *, limit: float) -> Anomaly:
    # A version that took its first request a moment ago has no ordinary level: it was born failing.
    first = int(np.argmax(values > limit))
    return Anomaly(value=anomaly.value, baseline=None, onset_s=float(times[first]), strength=anomaly.strength)


def _finding(panel: MetricPanel, series: MetricSeries, anomaly: Anomaly, *, read: MetricsRead) -> Finding:
    family = panel.family
    usual = "" if anomaly.baseline is None else figure(anomaly.baseline, family.unit)
    value = figure(anomaly.value, family.unit)
    text = family.says.format(service=read.service, label=series.label, value=value, usual=usual)
    text = text if usual else text.removesuffix(", usually ")
    since = "" if anomaly.onset_s is None else f" (since {clock_time(moment(anomaly.onset_s))})"
    return Finding(
        id=":".join(part for part in (SOURCE, family.kind.value, read.service, series.label) if part),
        source=SOURCE,
        kind=family.kind,
        service=read.service,
        component=series.label,
        summary=f"{text}{since}.",
        began_at=None if anomaly.onset_s is None else moment(anomaly.onset_s),
        strength=min(anomaly.strength, 0.99),
        evidence=(
            Evidence(
                text=text,
                query=panel.query,
                url=panel.url,
                value=anomaly.value,
                baseline=anomaly.baseline,
                unit=family.unit,
            ),
        ),
        data=_data(panel, anomaly),
    )


def _data(panel: MetricPanel, anomaly: Anomaly) -> JsonObject:
    data: JsonObject = {
        "family": panel.family.name,
        "value": anomaly.value,
        "baseline": anomaly.baseline,
        "unit": panel.family.unit,
    }
    if panel.family.name == ERRORS_BY_VERSION:
        data["versions"] = {series.label: _version(series) for series in panel.series}
    return data


def _version(series: MetricSeries) -> JsonValue:
    finite = np.isfinite(series.values)
    if not finite.any():
        return {"error_ratio": None}
    times, values = series.times_s[finite], series.values[finite]
    return {
        "error_ratio": float(np.median(values[-_RECENT:])),
        "first_at": moment(float(times[0])).isoformat(),
        "last_at": moment(float(times[-1])).isoformat(),
    }


def _down(read: MetricsRead) -> list[Finding]:
    gone = silent_instances(read)
    down_all = bool(gone) and len(gone) == len(read.up)
    observed = read.stopped is not None and read.stopped.total == len(read.up)
    if not down_all and read.stopped is not None and observed and len(gone) <= read.stopped.count:
        return []
    if not down_all:
        # An instance that was never up, such as an idle candidate, is not missed.
        gone = [
            series
            for series in gone
            if series.values.any() and (observed or not _was_retired(series, read.deployed_s))
        ]
    if not gone:
        return []
    alive = np.flatnonzero(gone[0].values)
    began_s = gone[0].times_s[alive[-1] + 1] if alive.size else None
    text = f"{len(gone)} of {len(read.up)} instances of {read.service} do not answer the scrape"
    return [
        Finding(
            id=f"{SOURCE}:{FindingKind.SERVICE_DOWN.value}:{read.service}",
            source=SOURCE,
            kind=FindingKind.SERVICE_DOWN,
            service=read.service,
            component="" if down_all else gone[0].label,
            summary=f"{text}.",
            began_at=None if began_s is None else moment(float(began_s)),
            strength=0.9 if down_all else 0.4,
            evidence=(Evidence(text=text, query="up", value=0.0, baseline=1.0),),
            data={"instances": [series.label for series in gone], "all": down_all, "observed": observed},
        )
    ]


def silent_instances(read: MetricsRead) -> list[MetricSeries]:
    """Return the instances that do not answer the scrape now, whether or not they ever did."""
    judged = [series for series in read.up if series.values.size >= _DOWN_SAMPLES]
    return [series for series in judged if not series.values[-_DOWN_SAMPLES:].any()]


def _was_retired(series: MetricSeries, deployed_s: Sequence[float]) -> bool:
    """Return whether an instance went away while the bot deployed: it was stopped on purpose."""
    gone_s = float(series.times_s[np.flatnonzero(series.values)[-1]])
    return any(went_with(at_s, gone_s=gone_s) for at_s in deployed_s)


def went_with(deployed_s: float, *, gone_s: float) -> bool:
    """Return whether an instance that went away then was replaced by a deployment recorded at that time.

    Both are in seconds since the epoch.
    """
    return deployed_s - _DEPLOYING_S <= gone_s <= deployed_s + _SEEN_LATE_S


def _requests_per_s(read: MetricsRead) -> float:
    for panel in read.panels:
        if panel.family.name == REQUESTS and panel.series:
            values = panel.series[0].values
            finite = values[np.isfinite(values)]
            return float(np.median(finite[-_RECENT:])) if finite.size else 0.0
    # Without a count of requests, a share cannot be turned into failures: take it as it is.
    return float("inf")


def _strongest_of_each(found: Sequence[Finding]) -> tuple[Finding, ...]:
    best: dict[str, Finding] = {}
    for finding in found:
        rival = best.get(finding.id)
        if rival is None or finding.strength > rival.strength:
            best[finding.id] = finding
    order = {family.kind: place for place, family in enumerate(FAMILIES)}
    return tuple(sorted(best.values(), key=lambda f: (-f.strength, order.get(f.kind, 0), f.id)))
