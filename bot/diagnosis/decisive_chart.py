"""The chart of what decided a diagnosis: one series, its ordinary level, the onset and the changes; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.domain.chart import Chart, ChartLimit, ChartLine, ChartMark, ChartPanel, Point
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind

_CHANGES = frozenset({FindingKind.CHANGE_DEPLOY, FindingKind.CHANGE_CONFIG, FindingKind.CHANGE_OTHER})
_MOST_CHANGES = 5
_BESIDE_S = 60.0
"""What happened so shortly before a series began is shown as well: a new version has no earlier one."""
_ALL = 100.0


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
    points: Sequence[Point],
    *,
    onset: datetime | None,
    changes: Sequence[Finding],
) -> Chart:
    """Draw a series with what happened beside it; a ratio is shown in percent.

    Args:
        finding: what is unusual.
        evidence: with the query that gave ``points``, and the ordinary value.
        points: seconds since the epoch, and the value in the evidence's unit.
        onset: when the trouble began.
        changes: what was changed; those within the picture are marked, the latest if there are many.
    """
    scale = _ALL if evidence.unit == "ratio" else 1.0
    drawn = tuple((at_s, None if value is None else value * scale) for at_s, value in points)
    limits = (
        ()
        if evidence.baseline is None
        else (ChartLimit(value=evidence.baseline * scale, text="usual", tone="muted"),)
    )
    unit = "%" if evidence.unit == "ratio" else evidence.unit
    name = finding.kind.value.replace("_", " ").removesuffix(" up")
    return Chart(
        title=f"{finding.service}: {name}",
        alt=f"{finding.summary} {_onset_in_words(onset)}".strip(),
        panels=(
            ChartPanel(
                unit=f"{name} ({unit})" if unit else name,
                lines=(ChartLine(name=finding.component or finding.service, points=drawn),),
                limits=limits,
                marks=(*_marks(changes, drawn), *_onset(onset, drawn)),
            ),
        ),
        source=evidence.query[:200],
    )


def _onset(onset: datetime | None, points: Sequence[Point]) -> tuple[ChartMark, ...]:
    if onset is None or not _is_within(onset, points):
        return ()
    return (ChartMark(at_s=onset.timestamp(), text="it began", tone="bad"),)


def _marks(changes: Sequence[Finding], points: Sequence[Point]) -> tuple[ChartMark, ...]:
    seen = [
        ChartMark(at_s=change.began_at.timestamp(), text=f"{change.service} {change.component}".strip())
        for change in changes
        if change.kind in _CHANGES and change.began_at is not None and _is_within(change.began_at, points)
    ]
    return tuple(sorted(seen, key=lambda mark: mark.at_s)[-_MOST_CHANGES:])


def _is_within(moment: datetime, points: Sequence[Point]) -> bool:
    return bool(points) and points[0][0] - _BESIDE_S <= moment.timestamp() <= points[-1][0] + _BESIDE_S


def _onset_in_words(onset: datetime | None) -> str:
    return "" if onset is None else f"It began at {onset:%H:%M:%S} UTC."
