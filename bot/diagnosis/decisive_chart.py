"""The chart of what decided a diagnosis: one series, its ordinary level, the onset and the changes; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.chart import Band, Chart, ChartLine, ChartMark, ChartPanel, Point, Tone
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind

_CHANGES = frozenset({FindingKind.CHANGE_DEPLOY, FindingKind.CHANGE_CONFIG, FindingKind.CHANGE_OTHER})
_MOST_CHANGES = 5
_BESIDE_S = 60.0
"""What happened so shortly before a series began is shown as well: a new version has no earlier one."""
_ALL = 100.0
_SETTLED_S = 10.0
"""So long before the onset, in seconds, a value is not yet a part of the problem."""
_LEAST_BEFORE = 10
_TONES: tuple[Tone, ...] = ("first", "third", "muted")
_NAMES = {
    FindingKind.ERROR_RATE_UP: "share of failed requests",
    FindingKind.SUCCESS_DOWN: "share of good answers",
    FindingKind.LATENCY_UP: "duration of answers",
    FindingKind.TRAFFIC_DROP: "requests",
    FindingKind.CPU_HIGH: "processor time",
    FindingKind.MEMORY_HIGH: "memory",
    FindingKind.POOL_EXHAUSTED: "database connections in use",
    FindingKind.DEPENDENCY_ERRORS: "share of failed calls",
    FindingKind.DEPENDENCY_SLOW: "duration of calls",
}


def decisive(findings: Sequence[Finding]) -> tuple[Finding, Evidence] | None:
    """Find the strongest finding that a query can show, and the evidence with that query."""
    shown = [
        (finding, evidence)
        for finding in findings
        if finding.source == "metrics"
        for evidence in finding.evidence
        if evidence.query
    ]
    return max(shown, key=lambda pair: pair[0].strength, default=None)


def chart_of(
    finding: Finding,
    evidence: Evidence,
    series: Mapping[str, Sequence[Point]],
    *,
    onset: datetime | None,
    changes: Sequence[Finding],
) -> Chart:
    """Draw the series behind a finding with what happened beside them; a ratio is shown in percent.

    Args:
        finding: what is unusual.
        evidence: with the query that gave ``series``, and the usual value.
        series: by name, such as a version: seconds since the epoch, and the value in the evidence's unit.
        onset: when the problem started.
        changes: what was changed; those within the picture are marked, the latest if there are many.
    """
    scale = _ALL if evidence.unit == "ratio" else 1.0
    drawn = {
        name: tuple((at_s, None if value is None else value * scale) for at_s, value in points)
        for name, points in series.items()
    }
    unit = "%" if evidence.unit == "ratio" else evidence.unit
    what = _NAMES.get(finding.kind, finding.kind.value.replace("_", " "))
    every = [point for points in drawn.values() for point in points]
    return Chart(
        title=f"{finding.service}: {what}" + (f" ({unit})" if unit else ""),
        alt=f"{finding.summary} {_onset_in_words(onset)}".strip(),
        panels=(
            ChartPanel(
                unit=unit or what,
                lines=tuple(
                    ChartLine(
                        name=_shown_name(name, finding), points=points, tone=_tone(name, finding, number)
                    )
                    for number, (name, points) in enumerate(drawn.items())
                ),
                bands=_usual(drawn, evidence, onset=onset, scale=scale),
                marks=(*_marks(changes, every), *_onset(onset, every)),
            ),
        ),
        url=evidence.url,
    )


def _shown_name(name: str, finding: Finding) -> str:
    return name if name == finding.service else f"{finding.service} {name}"


def _tone(name: str, finding: Finding, number: int) -> Tone:
    """Return the colour of a series: that of the suspect stands out."""
    return "second" if name == finding.component else _TONES[number % len(_TONES)]


def _usual(
    drawn: Mapping[str, Sequence[Point]], evidence: Evidence, *, onset: datetime | None, scale: float
) -> tuple[Band, ...]:
    """Return the band of what is usual: nine tenths of the values before the onset, or the usual value."""
    points = [point for line in drawn.values() for point in line]
    before = sorted(
        value
        for at_s, value in points
        if value is not None and onset is not None and at_s < onset.timestamp() - _SETTLED_S
    )
    low = high = None if evidence.baseline is None else evidence.baseline * scale
    if len(before) >= _LEAST_BEFORE:
        edge = len(before) // 20
        low, high = before[edge], before[-1 - edge]
    if low is None or high is None or not points:
        return ()
    first, last = min(at_s for at_s, _ in points), max(at_s for at_s, _ in points)
    return (Band(name="usual", points=((first, low, high), (last, low, high))),)


def _onset(onset: datetime | None, points: Sequence[Point]) -> tuple[ChartMark, ...]:
    if onset is None or not _is_within(onset, points):
        return ()
    return (ChartMark(at_s=onset.timestamp(), text="problem started", tone="bad"),)


def _marks(changes: Sequence[Finding], points: Sequence[Point]) -> tuple[ChartMark, ...]:
    """Return the changes within the picture: what was set, and whether it was a rollback."""
    seen = [
        ChartMark(at_s=change.began_at.timestamp(), text=_label(change))
        for change in changes
        if change.kind in _CHANGES and change.began_at is not None and _is_within(change.began_at, points)
    ]
    return tuple(sorted(seen, key=lambda mark: mark.at_s)[-_MOST_CHANGES:])


def _label(change: Finding) -> str:
    """Return a short label of a change: ``rollback to 1.4.1``, ``bank_timeout_ms 2000 → 5``."""
    before, after = change.data.get("before"), change.data.get("after")
    thing = change.component or change.service
    if change.kind is FindingKind.CHANGE_CONFIG and before and after:
        return f"{thing} {before} → {after}"
    words = f"{change.service} {change.component}".strip()
    return f"rollback: {words}" if change.data.get("kind") == "rollback" else words


def _is_within(moment: datetime, points: Sequence[Point]) -> bool:
    times = [at_s for at_s, _ in points]
    return bool(times) and min(times) - _BESIDE_S <= moment.timestamp() <= max(times) + _BESIDE_S


def _onset_in_words(onset: datetime | None) -> str:
    return "" if onset is None else f"The problem started at {onset:%H:%M} UTC."
