"""What went wrong, since when and where: the words, figures and services that a culprit has to match."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from bot.diagnosis.commits.case import ChangeCase, LogRecord, SeriesRecord
from bot.diagnosis.commits.tokens import COMMON, vocabulary, words
from bot.domain.model import Instant, Model

_BAD = frozenset({"WARN", "WARNING", "ERROR", "FATAL", "CRITICAL", "PANIC", "EMERGENCY"})
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_MASK = re.compile(r"0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+(?:\.\d+)?", re.IGNORECASE)
_QUIET_SHARE = 0.25
_FEW = 0.1
_LEAST_BASELINE = 5
_SIGMAS = 6.0
_FLOOR_SHARE = 0.5
_MAD = 1.4826
_LEAST_SHIFT = 0.01
_SAME_SHARE = 0.02
_OFTEN = 3
_SHORTEST = 4
_LONG = 4
_UNIT = r"\s?(?:ns|us|ms|s|sec|seconds?|min|minutes?|h|[kKMG]i?B?|%)(?![\w])"
_NO_MORE = r"(?![\w.]*\d)"
_SLACK_S, _MOST_SLACK_S = 5.0, 60.0


class MetricShift(Model):
    """A metric that settled elsewhere.

    ``at`` is its first reading away from the usual, ``step_s`` are the usual seconds between two readings.
    """

    service: str
    metric: str
    at: Instant
    step_s: float
    before: float
    after: float


class Symptoms(Model):
    """What the telemetry shows of an incident.

    ``failing`` holds every service with a new complaint, ``upstream`` those that call one, ``first`` the one
    where it seems to begin.  ``said`` are the words of the alert, of new complaints, failed spans, metrics
    that shifted and ordinary lines that vanished, ``exact`` the same texts as they are, ``figures`` the
    numbers in complaints.  It began at ``onset``, or at most ``slack_s`` seconds later.
    """

    onset: Instant
    slack_s: float
    first: str
    failing: frozenset[str]
    upstream: frozenset[str]
    said: frozenset[str]
    exact: str
    figures: frozenset[str]
    complaints: tuple[LogRecord, ...]
    shifts: tuple[MetricShift, ...]


def read(case: ChangeCase) -> Symptoms:
    """Gather the symptoms of a case; nothing here looks at a commit."""
    complaints = _complaints(case)
    shifts = tuple(shift for series in case.series for shift in [_shift(series, case)] if shift)
    onset, slack_s = _onset(case, complaints, shifts)
    failed = [call for call in case.calls if call.failed]
    failing = {line.service for line in complaints} | {call.service for call in failed}
    failing |= {shift.service for shift in shifts} | {t.service for t in case.templates if t.bad}
    texts = [*_texts(case, complaints), *(call.text for call in failed)]
    texts += [f"{shift.service} {shift.metric}" for shift in shifts]
    fields = [pair for line in complaints for pair in line.fields]
    return Symptoms(
        onset=onset,
        slack_s=slack_s,
        first=_first(case, complaints),
        failing=frozenset({*failing, case.alert.service}),
        upstream=frozenset(name for call in failed for name in call.callers),
        said=vocabulary([*texts, *(f"{name} {value}" for name, value in fields)]),
        exact="\n".join([*dict.fromkeys(texts), *sorted({value for _, value in fields})]),
        figures=figures_of(complaints, fields),
        complaints=complaints,
        shifts=shifts,
    )


def figures_of(complaints: Sequence[LogRecord], fields: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Collect the numbers of complaints: of their fields, and of their texts those longer than a status."""
    told = {figure for line in complaints for figure in _DIGITS.findall(line.text) if len(figure) >= _LONG}
    return frozenset(told.union(*(_DIGITS.findall(value) for _, value in fields)))


def _texts(case: ChangeCase, complaints: Sequence[LogRecord]) -> list[str]:
    alert = case.alert
    texts = [f"{alert.metric} {alert.text}", *(line.text for line in complaints)]
    # A line that was usual and is hardly written any more shows what no longer happens.
    return texts + [t.text for t in case.templates if t.bad or t.delta < 0]


def _complaints(case: ChangeCase) -> tuple[LogRecord, ...]:
    """Return the warnings and errors of kinds that were not, or hardly, written while all was well."""
    bad = sorted((line for line in case.lines if line.level.upper() in _BAD), key=lambda line: line.at)
    quiet_until = _quiet_until(case)
    early: dict[tuple[str, str], int] = {}
    late: dict[tuple[str, str], int] = {}
    for line in bad:
        counted = early if line.at < quiet_until else late
        counted[_kind(line)] = counted.get(_kind(line), 0) + 1
    fresh = {kind for kind, count in late.items() if early.get(kind, 0) <= _FEW * count}
    return tuple(line for line in bad if _kind(line) in fresh and line.at >= quiet_until)


def _quiet_until(case: ChangeCase) -> datetime:
    """Return the end of the first quarter before the alert; nothing is assumed to have failed by then."""
    moments = [line.at for line in case.lines] + [at for series in case.series for at, _ in series.points[:1]]
    start = min(moments, default=case.alert.fired_at)
    span_s = max(0.0, (case.alert.fired_at - start).total_seconds())
    return start + timedelta(seconds=_QUIET_SHARE * span_s)


def _kind(line: LogRecord) -> tuple[str, str]:
    return line.service, _MASK.sub("N", line.text)


def _shift(series: SeriesRecord, case: ChangeCase) -> MetricShift | None:
    """Return a metric's shift if it left its usual band for good: six robust deviations and half its level.

    The band is the median and the scaled median absolute deviation (Hampel 1974) of what came before half of
    the time to the alert.
    """
    points = sorted(series.points)
    quiet_until = _quiet_until(case) + (case.alert.fired_at - _quiet_until(case)) / 2
    usual = [value for at, value in points if at < quiet_until]
    if len(usual) < _LEAST_BASELINE:
        return None
    centre = median(usual)
    spread = _MAD * median(abs(value - centre) for value in usual)
    least = max(_SIGMAS * spread, _FLOOR_SHARE * abs(centre), _LEAST_SHIFT)
    beyond = [(at, value) for at, value in points if at >= quiet_until and abs(value - centre) > least]
    late = [value for at, value in points if at >= quiet_until]
    if not beyond or len(beyond) < max(2, _FEW * len(late)):
        return None
    return MetricShift(
        service=series.service,
        metric=series.metric,
        at=beyond[0][0],
        step_s=median((b - a).total_seconds() for (a, _), (b, _) in pairwise(points)),
        before=centre,
        after=median(value for _, value in beyond),
    )


def _onset(
    case: ChangeCase, complaints: Sequence[LogRecord], shifts: Sequence[MetricShift]
) -> tuple[datetime, float]:
    """Return when the first repeated complaint came, or when the alert's own metric left its band if earlier.

    Returns the moment and by how many seconds it may be too early: a reading of a metric may be labelled with
    the beginning of its interval, a log line's time is exact.
    """
    alert = case.alert
    counts = Counter(_kind(line) for line in complaints)
    often = [line.at for line in complaints if counts[_kind(line)] >= _OFTEN] or [
        line.at for line in complaints
    ]
    by_line = min([alert.fired_at, *often])
    own = [s for s in shifts if s.service == alert.service and s.metric == alert.metric and s.at < by_line]
    return (own[0].at, min(own[0].step_s, _MOST_SLACK_S)) if own else (by_line, _SLACK_S)


def _first(case: ChangeCase, complaints: Sequence[LogRecord]) -> str:
    """Return the service of the deepest failed span, else the first that complained, else the alert's."""
    failed = [call for call in case.calls if call.failed]
    deepest = max(failed, key=lambda call: call.depth, default=None)
    if deepest is not None and (deepest.depth or deepest.service == case.alert.service):
        return deepest.service
    known = {line.service for line in complaints}
    return case.alert.service if case.alert.service in known or not complaints else complaints[0].service


def echoed(symptoms: Symptoms, before: float | None, after: float | None) -> bool:
    """Return whether some metric went from one figure of a diff to the other."""
    if before is None or after is None or before == after:
        return False
    return any(_same(s.before, before) and _same(s.after, after) for s in symptoms.shifts)


def _same(one: float, other: float) -> bool:
    return abs(one - other) <= _SAME_SHARE * max(abs(one), abs(other), 1e-9)


def _telling(text: str) -> bool:
    return len(text) >= _SHORTEST and any(c.isalpha() for c in text) and text.lower() not in COMMON


def spoken(symptoms: Symptoms, texts: Iterable[str]) -> list[str]:
    """List the quoted texts of a diff that complaints name word by word; addresses without their scheme."""
    bare = sorted({text.rpartition("://")[2] for text in texts})
    return [
        t for t in bare if _telling(t) and re.search(rf"(?<![\w-]){re.escape(t)}(?![\w-])", symptoms.exact)
    ]


def beside(symptoms: Symptoms, settings: Iterable[tuple[frozenset[str], str, str]]) -> list[str]:
    """List the figures that a complaint holds in their unit, or with a word of their setting's name.

    ``settings`` are the words of a name, the figure and its unit, if it is known: ``bank_timeout_ms`` is
    meant by ``within 5 ms`` and by ``bank: 5 given``.  A single digit counts only with a unit, as any count
    may be 5.
    """
    found = []
    for name, shown, unit in settings:
        bare = re.compile(rf"(?<![\w.-]){re.escape(shown)}{_UNIT if len(shown) == 1 else _NO_MORE}")
        whole = re.compile(rf"(?<![\w.-]){re.escape(shown)}\s?{re.escape(unit)}(?!\w)") if unit else None
        for line in symptoms.complaints:
            named = bare.search(line.text) and name & {*words(line.text)}
            if named or (whole and whole.search(line.text)):
                found.append(shown)
                break
    return found
