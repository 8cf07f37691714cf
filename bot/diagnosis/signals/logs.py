"""Turns a service's log lines into findings: errors, new, growing and missing templates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bot.diagnosis.signals.bursts import Burst, find_burst
from bot.diagnosis.signals.loglines import ParsedLine, headline
from bot.diagnosis.signals.missing_lines import missing
from bot.diagnosis.signals.templates import digest_of, group, mask
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.model import JsonObject, JsonValue
from bot.domain.wording import clock_time, moment

SOURCE = "logs"
_MOST_TEMPLATES = 6
_SAMPLE_CHARS = 300
_SAMPLES = 3
_MENTION_SHARE = 0.1
_LEAST_HISTORY = 10
_LEAST_HISTORY_SHARE = 0.3
_HINTS = {
    "database": re.compile(
        r"database|\bsql\b|postgres|mysql|deadlock|lock timeout|connection pool|\bpool\b.*\bin use",
        re.IGNORECASE,
    ),
    "timeout": re.compile(r"time[sd]?[ -]?out|did not (answer|finish)|deadline exceeded", re.IGNORECASE),
    "memory": re.compile(r"out of memory|memory limit|\bOOM\b|MemoryError|heap space", re.IGNORECASE),
    "overload": re.compile(
        r"overload|too many (requests|charges|clients)|queue (is )?full|shedding|throttl", re.IGNORECASE
    ),
    "unreachable": re.compile(r"refused|unreachable|no route|reset by peer|name or service", re.IGNORECASE),
}


@dataclass(frozen=True, kw_only=True)
class LogRead:
    """The lines of one service between two moments (seconds since the epoch), oldest first."""

    service: str
    lines: Sequence[ParsedLine]
    start_s: float
    """From when on every line was read: the window's start or the log's first line, whichever is later."""
    end_s: float
    path: str = ""
    error_times_s: Sequence[float] = ()
    """When errors were logged, ascending, from ``counted_from_s`` on; where more were counted than read."""
    counted_from_s: float = 0.0
    partial: str = ""
    """Why these lines cannot prove a quiet log, in words; empty if they can."""


@dataclass(frozen=True, kw_only=True)
class _Group:
    template: str
    lines: Sequence[ParsedLine]

    @property
    def is_error(self) -> bool:
        return self.lines[-1].is_error


def findings_of(read: LogRead, *, names: Iterable[str]) -> tuple[Finding, ...]:
    """Judge one service's lines; ``names`` are the other services that a line may mention."""
    others = [name for name in names if name != read.service]
    found: list[Finding] = []
    errors = [line for line in read.lines if line.is_error]
    burst = _counted(read) if read.error_times_s else _burst(errors, read=read)
    # A count may be reported only with a line of it to show.
    if burst is not None and errors and errors[-1].at_s >= burst.onset_s:
        found.append(_errors(read, errors, burst, others=others))
    groups = [(each, _burst(each.lines, read=read)) for each in _groups(read.lines)]
    rising = [(each, rise) for each, rise in groups if rise is not None and _judged(read, each, rise)]
    rising.sort(key=_place)
    found.extend(_template(read, each, rise, others=others) for each, rise in rising[:_MOST_TEMPLATES])
    lasting = [each.began_at for each in found if each.data.get("ended") is not True and each.began_at]
    found.extend(_missing(read, [each for each, _ in groups], onset=min(lasting, default=None)))
    return tuple(found)


def _missing(read: LogRead, groups: Sequence[_Group], *, onset: datetime | None) -> tuple[Finding, ...]:
    said = {(each.is_error, each.template): [line.at_s for line in each.lines] for each in groups}
    onset_s = onset.timestamp() if onset else None
    return missing(read.service, said, onset_s=onset_s, source=SOURCE, path=read.path)


def _place(pair: tuple[_Group, Burst]) -> tuple[bool, bool, float, str]:
    """Order findings: those that last before those that have ended, errors before the rest."""
    each, burst = pair
    return burst.ended, not each.is_error, -burst.strength, each.template


def _judged(read: LogRead, each: _Group, burst: Burst) -> bool:
    # In a log that has only just begun everything is new; only errors are worth reporting then.
    if each.is_error:
        return True
    others = len(read.lines) - len(each.lines)
    before = sum(line.at_s < burst.onset_s for line in read.lines) - (len(each.lines) - burst.count)
    span_before, span_after = burst.onset_s - read.start_s, max(read.end_s - burst.onset_s, 1.0)
    rate_before, rate_after = before / max(span_before, 1.0), (others - before) / span_after
    return before >= _LEAST_HISTORY and rate_before >= _LEAST_HISTORY_SHARE * rate_after


def _groups(lines: Sequence[ParsedLine]) -> list[_Group]:
    keyed: dict[tuple[bool, str], list[ParsedLine]] = {}
    for line in lines:
        keyed.setdefault((line.is_error, mask(_said(line))), []).append(line)
    templates = group(text for _, text in keyed)
    merged: dict[tuple[bool, str], list[ParsedLine]] = {}
    for (is_error, text), members in keyed.items():
        merged.setdefault((is_error, templates[text]), []).extend(members)
    return [
        _Group(template=template, lines=sorted(members, key=lambda line: line.at_s))
        for (_, template), members in merged.items()
    ]


def _said(line: ParsedLine) -> str:
    error = headline(line.error)
    return f"{line.message} | {error}" if error and error not in line.message else line.message


def _burst(lines: Sequence[ParsedLine], *, read: LogRead) -> Burst | None:
    times = np.array([line.at_s for line in lines], dtype=np.float64)
    return find_burst(times, start_s=read.start_s, end_s=read.end_s)


def _counted(read: LogRead) -> Burst | None:
    times = np.array(read.error_times_s, dtype=np.float64)
    return find_burst(times, start_s=read.counted_from_s, end_s=read.end_s)


def _errors(read: LogRead, errors: Sequence[ParsedLine], burst: Burst, *, others: Sequence[str]) -> Finding:
    since = clock_time(moment(burst.onset_s))
    if burst.ended:
        until = clock_time(moment(burst.last_s))
        text = f"{read.service} logged {burst.count} error lines from {since} to {until}"
    else:
        text = (
            f"{read.service} logs {burst.rate_now * 60:.0f} error lines a minute since {since}; "
            f"before that, {burst.rate_before * 60:.0f}"
        )
    return _finding(read, FindingKind.LOG_ERRORS, errors, burst, text=text, others=others, component="")


def _template(read: LogRead, each: _Group, burst: Burst, *, others: Sequence[str]) -> Finding:
    kind = FindingKind.LOG_TEMPLATE_NEW if burst.is_new else FindingKind.LOG_TEMPLATE_GROWING
    how = _how(burst)
    since = clock_time(moment(burst.onset_s))
    text = f"{read.service} logs “{each.template[:120]}” {how} since {since}, {burst.count} times"
    return _finding(
        read, kind, each.lines, burst, text=text, others=others, component=digest_of(each.template)
    )


def _how(burst: Burst) -> str:
    if burst.is_new:
        return "new"
    return f"{burst.rate_now / burst.rate_before:.0f} times as often" if burst.rate_before else "again"


def _finding(
    read: LogRead,
    kind: FindingKind,
    lines: Sequence[ParsedLine],
    burst: Burst,
    *,
    text: str,
    others: Sequence[str],
    component: str,
) -> Finding:
    recent = [line for line in lines if line.at_s >= burst.onset_s]
    samples = list(dict.fromkeys(_said(line)[:_SAMPLE_CHARS] for line in reversed(recent[-50:])))[:_SAMPLES]
    return Finding(
        id=":".join(part for part in (SOURCE, kind.value, read.service, component) if part),
        source=SOURCE,
        kind=kind,
        service=read.service,
        summary=f"{text}.",
        began_at=moment(burst.onset_s),
        strength=min(burst.strength, 0.99),
        evidence=(
            Evidence(
                text=samples[0],
                query=read.path,
                value=burst.rate_now,
                baseline=burst.rate_before,
                unit="lines/s",
            ),
        ),
        data=_data(read, recent, burst, others=others, samples=samples),
    )


def _data(
    read: LogRead,
    recent: Sequence[ParsedLine],
    burst: Burst,
    *,
    others: Sequence[str],
    samples: Sequence[str],
) -> JsonObject:
    said = Counter(f"{_said(line)} {line.detail}" for line in recent)
    return {
        "level": recent[-1].level,
        "count": burst.count,
        "ended": burst.ended,
        "samples": list[JsonValue](samples),
        "exceptions": _top(line.exception for line in recent),
        "mentions": _mentions(said, others),
        "hints": [name for name, pattern in _HINTS.items() if _share(said, pattern) >= _MENTION_SHARE],
        "versions": _versions(read, recent, onset_s=burst.onset_s),
    }


def _versions(read: LogRead, recent: Sequence[ParsedLine], *, onset_s: float) -> JsonObject:
    """Count, for each version that the service's lines carry, these lines and all lines, since the onset."""
    of_these = Counter(line.version for line in recent if line.version)
    before = Counter(line.version for line in read.lines if line.version and line.at_s < onset_s)
    since = Counter(line.version for line in read.lines if line.version and line.at_s >= onset_s)
    return {
        version: {"these": of_these[version], "all": since[version], "all_before": before[version]}
        for version in sorted({*since, *before})
    }


def _mentions(said: Counter[str], others: Sequence[str]) -> JsonObject:
    """Return, for each other service, the share of lines that name it."""
    shares = {name: _share(said, re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")) for name in others}
    return {name: round(share, 3) for name, share in shares.items() if share >= _MENTION_SHARE}


def _share(said: Counter[str], pattern: re.Pattern[str]) -> float:
    return sum(count for text, count in said.items() if pattern.search(text)) / max(1, said.total())


def _top(names: Iterable[str]) -> list[JsonValue]:
    return [name for name, _ in Counter(name for name in names if name).most_common(3)]
