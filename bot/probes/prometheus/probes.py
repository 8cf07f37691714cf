"""Reads Prometheus: anomalies of a service and its neighbours, single values, firing alerts."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from bot.diagnosis.decisive_chart import chart_of
from bot.diagnosis.decisive_chart import decisive as decisive_of
from bot.diagnosis.signals.families import FAMILIES
from bot.diagnosis.signals.metrics import MetricsRead, findings_of, normal_of, silent_instances
from bot.domain.address import without_login
from bot.domain.diagnoses.finding import Facts, Finding, Findings, Measurement
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, figure, listed
from bot.domain.model import JsonObject
from bot.domain.monitoring.slo import Slo
from bot.domain.nearest import did_you_mean
from bot.engine.plugins import Context, probe
from bot.probes._shared.partial_answer import in_words
from bot.probes.prometheus.api import ask_now, base_of, graph_of, read, selector_of, slo_ratio
from bot.probes.prometheus.decisive_series import series_behind
from bot.probes.prometheus.panels import count_series, read_panels
from bot.probes.prometheus.stopped import stopped_instances


class _Alert(BaseModel):
    labels: dict[str, str]
    state: str


class _AlertData(BaseModel):
    alerts: list[_Alert]


class _AlertAnswer(BaseModel):
    status: Literal["success"]
    data: _AlertData


_QUOTES = ('"', "'", "`", "\\")
"""What ends or escapes a text in PromQL."""

_DEPLOYED_S = 600.0
"""Longer, in seconds, than ``up`` is read back and than the longest step of a deployment."""


async def _deployed_s(ctx: Context, service: str) -> tuple[float, ...]:
    changes = await ctx.ledger.since(service=service, seconds=_DEPLOYED_S)
    return tuple(change.at.timestamp() for change in changes if change.kind in ("deploy", "rollback"))


@probe(specialist="monitoring")
async def anomalies(ctx: Context, *, service: str, since_s: float = 1800) -> Findings:
    """Unusual behaviour in the metrics of a service, its callers and its dependencies.

    Reads the last ``since_s`` seconds: the last 300 scrapes at full resolution, older samples more coarsely.

    Raises:
        ProbeUnavailableError: no Prometheus of these services answered.
        ProbeGarbageError: the server is not Prometheus.
        ProbeNotConfiguredError: the service has no ``prometheus`` source.
    """
    ctx.source(service, "prometheus")
    below = [entry.name for entry in ctx.catalogue.downstream(service)]
    names = [*below, *(entry.name for entry in ctx.catalogue.upstream(service))]
    asked = [name for name in dict.fromkeys(names) if ctx.service(name).sources.get("prometheus")]
    answers = await asyncio.gather(
        *(read_panels(ctx, name, since_s=since_s) for name in asked), return_exceptions=True
    )
    deployed = dict(
        zip(asked, await asyncio.gather(*(_deployed_s(ctx, name) for name in asked)), strict=True)
    )
    silent = [each.service for each in answers if isinstance(each, MetricsRead) and silent_instances(each)]
    observed = await asyncio.gather(*(stopped_instances(ctx, name) for name in silent))
    stopped = dict(zip(silent, observed, strict=True))
    reads: list[MetricsRead] = []
    gaps: list[str] = []
    partial: list[str] = []
    for name, answer in zip(asked, answers, strict=True):
        if isinstance(answer, MetricsRead):
            reads.append(replace(answer, deployed_s=deployed[name], stopped=stopped.get(name)))
            if not (answer.missing or count_series([answer])):
                (partial if name in below else gaps).append(f"{name}: Prometheus has no series for it")
            if answer.unread:
                gaps.append(f"{name}: {listed(answer.unread, most=4)} could not be read")
            if answer.missing:
                partial.append(f"{name}: {in_words(answer.missing)}")
        elif isinstance(answer, ProbeUnavailableError) and name != service:
            (partial if name in below else gaps).append(f"{name}: {answer}")
        else:
            raise answer
    # In a thread: half a second of arithmetic must not delay the probes that run at the same time.
    judged = await asyncio.to_thread(lambda: [findings_of(read) for read in reads])
    found = [finding for mine in judged for finding in mine]
    read_of = listed([read.service for read in reads], most=4)
    return Findings(
        items=tuple(found),
        looked_at=f"{count_series(reads)} series of {read_of} over {duration(since_s)}",
        normal=tuple(text for read in reads if not read.missing and (text := normal_of(read, found))),
        gaps=(*gaps, *partial),
        partial=tuple(partial),
    )


@probe(specialist="monitoring")
async def query(
    ctx: Context,
    *,
    service: str,
    expr: str,
    unit: str = "",
    empty: Literal["unavailable", "zero"] = "unavailable",
) -> Measurement:
    """The number that a PromQL expression has now, in ``unit``.

    Raises:
        ProbeUnavailableError: no answer, or no data (unless ``empty`` is ``zero``); that is not a value of 0.
        ProbeGarbageError: more than one series, or the server is not Prometheus.
    """
    source = ctx.source(service, "prometheus")
    value = await ask_now(ctx, source, expr)
    if not math.isfinite(value):
        if empty == "unavailable":
            raise ProbeUnavailableError(f"Prometheus has no data for {service}.", hint=f"Query: {expr}")
        value = 0.0
    return Measurement(
        value=value,
        unit=unit,
        at=ctx.clock.now(),
        query=expr,
        url=graph_of(source, expr, since_s=1800),
        text=f"{service}: {figure(value, unit)}",
    )


@probe(specialist="monitoring")
async def decisive(
    ctx: Context,
    *,
    service: str,
    findings: list[Finding],
    changes: list[Finding] | None = None,
    onset: datetime | None = None,
) -> Facts:
    """A chart of the series behind the strongest of ``findings``, with the onset and the changes marked.

    ``data.chart`` is the chart, which the thread shows; the series belongs to the finding's own service.

    Raises:
        ProbeNotConfiguredError: no metric is among the findings of ``service``, or it has no ``prometheus``.
        ProbeUnavailableError: Prometheus did not answer, or no longer has the data.
        ProbeGarbageError: the server is not Prometheus.
    """
    found = decisive_of(findings)
    if found is None:
        raise ProbeNotConfiguredError(f"No metric supports the findings for {service}.")
    finding, evidence = found
    series = await series_behind(ctx, finding.service, evidence.query, onset=onset)
    if not any(value is not None for points in series.values() for _, value in points):
        raise ProbeUnavailableError(f"Prometheus has no data for {finding.service}.", hint=evidence.query)
    chart = chart_of(finding, evidence, series, onset=onset, changes=changes or [])
    return Facts(summary=chart.title, data={"chart": chart.model_dump(mode="json")})


@probe(specialist="monitoring")
async def sides(ctx: Context, *, service: str, metric: str, canary: str, stable: str) -> Facts:
    """One number each for the canary and for stable now, as the sample judge needs them.

    The query is the field ``by_version.<metric>`` of the service's ``prometheus`` source, in which
    ``$version`` is replaced by the version; ``data`` holds ``canary``, ``stable`` (null without data) and
    ``query``.

    Raises:
        ProbeNotConfiguredError: the source has no such query.
        ProbeUnavailableError: no answer; that is not a value of 0.
        ProbeGarbageError: more than one series, or the server is not Prometheus.
    """
    ours, theirs = await _by_version(ctx, service, metric, versions=(canary, stable))
    text = " against ".join("no data" if value is None else f"{value:.4g}" for value in (ours, theirs))
    return Facts(
        summary=f"{service}, {metric}: {text}",
        data={
            "canary": ours,
            "stable": theirs,
            "query": ctx.source(service, "prometheus")[f"by_version.{metric}"],
        },
    )


@probe(specialist="monitoring")
async def tallies(ctx: Context, *, service: str, canary: str, stable: str) -> Facts:
    """Requests and failures of the canary and of stable so far, as the count judge needs them.

    The queries are the fields ``by_version.requests`` and ``by_version.failures`` of the service's
    ``prometheus`` source: counters, not rates.  ``data`` holds ``requests`` and ``errors`` of each side.

    Raises:
        ProbeNotConfiguredError: the source has no such queries.
        ProbeUnavailableError: no answer, or no data for one of them: an uncounted failure is not a
            success.  If a series appears only with its first failure, end the query with ``or vector(0)``.
        ProbeGarbageError: more than one series, or the server is not Prometheus.
    """
    versions = (canary, stable)
    requests, failures = await asyncio.gather(
        _by_version(ctx, service, "requests", versions=versions),
        _by_version(ctx, service, "failures", versions=versions),
    )
    sides: JsonObject = {}
    texts = []
    for name, asked, failed in zip(("canary", "stable"), requests, failures, strict=True):
        if asked is None or failed is None:
            missing = "requests" if asked is None else "failures"
            raise ProbeUnavailableError(
                f"Prometheus has no {missing} of the {name} of {service}.",
                hint="A query that may have no series yet ends with `or vector(0)`.",
            )
        # The two queries are answered one after the other: a failure may be only in the second.
        sides[name] = {"requests": max(round(asked), round(failed)), "errors": round(failed)}
        texts.append(f"{name} {failed:.0f} failures of {asked:.0f}")
    return Facts(summary=f"{service}: {', '.join(texts)}", data=sides)


async def _by_version(
    ctx: Context, service: str, metric: str, *, versions: tuple[str, str]
) -> list[float | None]:
    """Return a metric's value for each version; ``None`` if there is no data."""
    source = ctx.source(service, "prometheus")
    field = f"by_version.{metric}"
    if not source.get(field):
        raise ProbeNotConfiguredError(
            f"The `prometheus` source of {service} has no `{field}`.",
            hint=f'Add a query for one version: `{field}: …{{version="$version"}}…`.',
        )
    queries = [source[field].replace("$version", _label(version)) for version in versions]
    values = await asyncio.gather(*(ask_now(ctx, source, query) for query in queries))
    return [value if math.isfinite(value) else None for value in values]


def _label(version: str) -> str:
    """Return a version as it may stand between quotes of a query.

    Raises:
        ProbeUnavailableError: it would end the quotes, so it cannot be asked for.
    """
    if not version.isprintable() or any(sign in version for sign in _QUOTES):
        raise ProbeUnavailableError(f"{version[:80]!r} cannot be part of a query.", code="version_unknown")
    return version


@probe(specialist="monitoring")
async def error_ratio(ctx: Context, *, service: str, window_s: float = 10) -> Measurement:
    """Share of answers with a server error, 0 to 1, over the last ``window_s`` seconds.

    Raises:
        ProbeUnavailableError: no traffic in the window; that is not a share of 0.
    """
    source = ctx.source(service, "prometheus")
    family = next(family for family in FAMILIES if family.name == "error_ratio")
    expr = family.query(selector=selector_of(source), window_s=max(2, math.ceil(window_s)), names=source)
    found: Measurement = await query(ctx, service=service, expr=expr, unit="ratio")
    text = f"{service} answers {figure(found.value, 'ratio')} of its requests with a server error"
    return found.model_copy(update={"text": text})


@probe(specialist="monitoring")
async def alerts(ctx: Context, *, service: str) -> Measurement:
    """How many alerts are firing now for a service, by the alert's label ``service``.

    Raises:
        ProbeUnavailableError: Prometheus did not answer; that does not mean that no alert fires.
        ProbeGarbageError: the server is not Prometheus.
    """
    source = ctx.source(service, "prometheus")
    answer = await read(ctx, source, "alerts", _AlertAnswer)
    firing = [a for a in answer.data.alerts if a.state == "firing" and a.labels.get("service") == service]
    named = listed(sorted({alert.labels.get("alertname", "unnamed") for alert in firing}), most=4)
    return Measurement(
        value=float(len(firing)),
        unit="alerts",
        at=ctx.clock.now(),
        url=f"{without_login(base_of(source))}/alerts",
        text=f"{service}: {named} firing" if firing else f"{service}: no alert firing",
    )


@probe(specialist="monitoring")
async def burn_rate(
    ctx: Context,
    *,
    service: str,
    slo: str = "",
    long_s: Annotated[float, Field(ge=1)] = 3600,
    short_s: Annotated[float, Field(ge=1)] = 300,
) -> Measurement:
    """How many times faster than allowed a service spends the error budget of an SLO; at 1 it lasts exactly.

    Burn = error ratio / (1 - objective), over the last ``long_s`` seconds and the last ``short_s``; the value
    is the smaller of the two, so that only a burn that is large and still going on crosses a threshold
    (The Site Reliability Workbook, chapter 5: 14.4 over 1 h and 5 min, 6 over 6 h and 30 min, 1 over 3 days
    and 6 h).  ``slo`` may be left out if the service has only one.  ``data`` holds ``long``, ``short``,
    ``objective`` and ``spent_in_s``, the seconds in which a whole budget is spent at this rate (none at 0).

    Raises:
        ProbeNotConfiguredError: the service has no such SLO, or no ``prometheus`` source.
        ProbeUnavailableError: no answer, or no traffic in one of the windows; that is not a burn of 0.
        ProbeGarbageError: a query returns more than one series, or the server is not Prometheus.
    """
    wanted = _slo(ctx, service, slo)
    source = ctx.source(service, "prometheus")
    ratios = await asyncio.gather(
        *(slo_ratio(ctx, source, wanted, window_s=window_s) for window_s in (long_s, short_s))
    )
    long, short = (wanted.burn(ratio) for ratio in ratios)
    burn = min(long, short)
    expr = wanted.question(window_s=long_s)
    rates = f"{figure(long, 'times')} the allowed rate over {duration(long_s)}"
    rates += f" and {figure(short, 'times')} over {duration(short_s)}"
    return Measurement(
        value=burn,
        unit="times",
        at=ctx.clock.now(),
        query=expr,
        url=graph_of(source, expr, since_s=long_s),
        text=f"{service}: the error budget of {wanted.name} burns at {rates}",
        data={
            "long": long,
            "short": short,
            "objective": wanted.objective,
            "spent_in_s": wanted.spent_in_s(burn),
        },
    )


def _slo(ctx: Context, service: str, name: str) -> Slo:
    slos = {slo.name: slo for slo in ctx.service(service).slos}
    if name in slos:
        return slos[name]
    if not name and len(slos) == 1:
        return next(iter(slos.values()))
    if not name and slos:
        raise ProbeNotConfiguredError(
            f"{service} has {len(slos)} SLOs; name one: {listed(list(slos), most=8)}."
        )
    missing = f"SLO called `{name}`{did_you_mean(name, slos)}" if name else "SLO"
    raise ProbeNotConfiguredError(
        f"{service} has no {missing}.", hint="Add it to the service's `slos:` in the catalogue."
    )
