"""Turns spans into findings: which services take longer on their own, which fail first, since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.diagnosis.signals.bursts import Burst, find_burst
from bot.diagnosis.signals.network_lag import lost_on_the_wire
from bot.diagnosis.signals.trace_span import CallSpan
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.formatting import figure
from bot.domain.model import JsonValue
from bot.domain.wording import clock_time, moment

SOURCE = "traces"
_SLOW = (FindingKind.LATENCY_UP, FindingKind.DEPENDENCY_SLOW)
_SLOW_RATIO = 3.0
_SLOW_S = 0.05
_LEAST_SHARE = 0.05
_LEAST_GROWTH = 2.0
_MOST_SHOWN = 3
_NAME_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTime:
    """What is a span's own: the time that no child accounts for, and a failure that no child had before."""

    span: CallSpan
    self_s: float
    failed: bool
    leaf: bool
    """Whether nothing below it was traced."""


@dataclass(frozen=True, kw_only=True)
class _Rise:
    service: str
    peer: str
    name: str
    kind: FindingKind
    burst: Burst
    now: float
    """Since the onset: the share that fails (0 to 1), or the median own time in seconds."""
    before: float
    trace: str


def own_parts(spans: Iterable[CallSpan]) -> tuple[OwnTime, ...]:
    """Subtract from each span what its children account for, in the order of their start.

    Self time is the duration less the union of the children's, each cut to the parent's: children may run
    side by side or outlive it.
    """
    each = list({(span.trace, span.id): span for span in spans}.values())
    children: dict[tuple[str, str], list[CallSpan]] = defaultdict(list)
    for span in each:
        if span.parent and span.parent != span.id:
            children[span.trace, span.parent].append(span)
    return tuple(
        _own(span, children.get((span.trace, span.id), ())) for span in sorted(each, key=lambda s: s.start_s)
    )


def findings_of(
    parts: Sequence[OwnTime], *, names: Iterable[str], start_s: float, end_s: float
) -> tuple[Finding, ...]:
    """Judge the spans of the services ``names`` between two moments (seconds since the epoch).

    An operation fails or is slow on its own if such spans began to come more often *and* are a larger
    share than before: more traffic alone does not count.  Slow is three times the lower quartile of its own
    time and 50 ms more than that.  A call into what is not traced counts for what it calls.  Where something
    is slow, time that is lost between caller and callee is attributed to the network of one of them.
    """
    known = set(names)
    groups: dict[tuple[str, str, str], list[OwnTime]] = defaultdict(list)
    for part in parts:
        span = part.span
        if span.service in known:
            groups[span.service, span.peer if part.leaf else "", span.name].append(part)
    rises: dict[tuple[str, str, FindingKind], list[_Rise]] = defaultdict(list)
    for key, members in sorted(groups.items()):
        for rise in _rises(key, members, start_s=start_s, end_s=end_s):
            rises[rise.service, rise.peer, rise.kind].append(rise)
    slow_s = [
        rise.burst.onset_s
        for found in rises.values()
        for rise in found
        if rise.kind in _SLOW and not rise.burst.ended
    ]
    wires = (
        lost_on_the_wire((part.span for part in parts), names=known, onset_s=min(slow_s), source=SOURCE)
        if slow_s
        else ()
    )
    return (*(_finding(found) for found in rises.values()), *wires)


def _own(span: CallSpan, children: Sequence[CallSpan]) -> OwnTime:
    covered_s, until_s, end_s = 0.0, span.start_s, span.start_s + span.took_s
    for child in sorted(children, key=lambda c: c.start_s):
        child_end_s = min(child.start_s + child.took_s, end_s)
        covered_s += max(0.0, child_end_s - max(child.start_s, until_s))
        until_s = max(until_s, child_end_s)
    failed = span.failed and not any(child.failed for child in children)
    return OwnTime(span=span, self_s=max(0.0, span.took_s - covered_s), failed=failed, leaf=not children)


def _rises(
    key: tuple[str, str, str], members: Sequence[OwnTime], *, start_s: float, end_s: float
) -> Iterator[_Rise]:
    service, peer, name = key
    times = np.array([part.span.start_s for part in members])
    own_s = np.array([part.self_s for part in members])
    usual_s = float(np.quantile(own_s, 0.25))
    slow = own_s > max(_SLOW_RATIO * usual_s, usual_s + _SLOW_S)
    failed = np.array([part.failed for part in members])
    kinds = (
        (failed, FindingKind.DEPENDENCY_ERRORS if peer else FindingKind.ERROR_RATE_UP),
        (slow, FindingKind.DEPENDENCY_SLOW if peer else FindingKind.LATENCY_UP),
    )
    for marked, kind in kinds:
        burst = find_burst(times[marked], start_s=start_s, end_s=end_s)
        if burst is None:
            continue
        since = times >= burst.onset_s
        share = float(marked[since].mean())
        before = float(marked[~since].mean()) if (~since).any() else 0.0
        if share < max(_LEAST_SHARE, _LEAST_GROWTH * before):
            continue
        by_time = marked is slow
        yield _Rise(
            service=service,
            peer=peer,
            name=name,
            kind=kind,
            burst=burst,
            now=float(np.median(own_s[since & marked])) if by_time else share,
            before=usual_s if by_time else before,
            trace=members[int(np.flatnonzero(marked)[-1])].span.trace,
        )


_PREDICATES: Mapping[FindingKind, str] = {
    FindingKind.ERROR_RATE_UP: "fails on its own in",
    FindingKind.DEPENDENCY_ERRORS: "fails in",
    FindingKind.LATENCY_UP: "takes on its own",
    FindingKind.DEPENDENCY_SLOW: "takes",
}


def _finding(rises: Sequence[_Rise]) -> Finding:
    ordered = sorted(rises, key=lambda rise: (rise.burst.ended, -rise.burst.strength, rise.name))
    worst = ordered[0]
    parts = (SOURCE, worst.kind.value, worst.service, worst.peer)
    return Finding(
        id=":".join(part for part in parts if part),
        source=SOURCE,
        kind=worst.kind,
        service=worst.service,
        component=worst.peer,
        summary=f"{_text(worst)}.",
        began_at=moment(min(rise.burst.onset_s for rise in ordered if rise.burst.ended is worst.burst.ended)),
        strength=min(worst.burst.strength, 0.99),
        evidence=tuple(
            Evidence(
                text=_text(rise),
                query=f"trace {rise.trace}",
                value=rise.now,
                baseline=rise.before,
                unit=_unit(rise),
            )
            for rise in ordered[:_MOST_SHOWN]
        ),
        data={
            "value": round(worst.now, 4),
            "baseline": round(worst.before, 4),
            "ended": worst.burst.ended,
            "operations": list[JsonValue](rise.name[:_NAME_CHARS] for rise in ordered[:_MOST_SHOWN]),
            "trace": worst.trace,
        },
    )


def _text(rise: _Rise) -> str:
    unit = _unit(rise)
    to = f" to {rise.peer}" if rise.peer else ""
    of_calls = " of its spans" if unit == "ratio" else ""
    since = clock_time(moment(rise.burst.onset_s))
    until = f" until {clock_time(moment(rise.burst.last_s))}" if rise.burst.ended else ""
    return (
        f"{rise.service}: {rise.name[:_NAME_CHARS]}{to} {_PREDICATES[rise.kind]} {figure(rise.now, unit)}"
        f"{of_calls} since {since}{until}, before that {figure(rise.before, unit)}"
    )


def _unit(rise: _Rise) -> str:
    return "ratio" if rise.kind in (FindingKind.ERROR_RATE_UP, FindingKind.DEPENDENCY_ERRORS) else "s"
