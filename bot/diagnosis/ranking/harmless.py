"""What is unusual though nothing fails (floods of lines, full resources), and which alert it explains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from bot.diagnosis.ranking.situation import TEMPLATES, Situation
from bot.domain.diagnoses.diagnosis import RuledOut
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.formatting import listed
from bot.domain.wording import clock_time

RESOURCES = frozenset(
    {
        FindingKind.CPU_HIGH,
        FindingKind.MEMORY_HIGH,
        FindingKind.POOL_EXHAUSTED,
        FindingKind.DB_LONG_TRANSACTION,
    }
)
_MANY_TIMES = 10.0
"""From this growth on a flood of lines is worth a sentence without an alert."""
_SURE = 0.5
_SLACK = timedelta(minutes=2)
_SAMPLE_CHARS = 120
_LINES = r"log|line|ingest"
_SUBJECTS: Mapping[FindingKind, re.Pattern[str]] = {
    kind: re.compile(words, re.IGNORECASE)
    for kind, words in {
        FindingKind.LOG_TEMPLATE_NEW: _LINES,
        FindingKind.LOG_TEMPLATE_GROWING: _LINES,
        FindingKind.CPU_HIGH: r"cpu|load|saturat|processor|throttl",
        FindingKind.MEMORY_HIGH: r"mem|rss|heap|oom|saturat",
        FindingKind.POOL_EXHAUSTED: r"pool|connection|saturat",
        FindingKind.DB_LONG_TRANSACTION: r"transaction|idle|vacuum",
        FindingKind.TRAFFIC_UP: r"traffic|request|rps|qps|throughput|load",
    }.items()
}
"""The words in an alert's name that make it one about a kind of finding."""


def harmless_findings(scene: Situation) -> tuple[RuledOut, ...]:
    """List what is unusual in a scene where nothing fails, with the reason why it is not a fault."""
    explained = {alert.id: finding for finding in _loud(scene) for alert in _alerts_about(scene, finding)}
    return tuple(_ruled_out(scene, explained))


def headline_of(scene: Situation) -> str:
    """Return one sentence about the loudest harmless thing, and the alerts that it explains; empty if none.

    Without an alert it must be at the service that was asked about, and large.
    """
    found = [(finding, _alerts_about(scene, finding)) for finding in _loud(scene)]
    told = [(f, alerts) for f, alerts in found if alerts or _is_large(scene, f)]
    if not told:
        return ""
    finding, alerts = max(told, key=lambda pair: (bool(pair[1]), *_loudness(pair[0]), pair[0].id))
    names = [alert.component for alert in alerts]
    return f"{_text(finding)}{f', which explains {listed(names, most=4)}' if names else ''}."


def _loudness(finding: Finding) -> tuple[float, float]:
    """Order findings of several kinds by strength, and floods, which all are strong, by lines a second."""
    lines = finding.evidence[0].value if finding.kind in TEMPLATES else None
    return round(finding.strength, 1), lines or 0.0


def _loud(scene: Situation) -> list[Finding]:
    return [
        f
        for f in scene.findings
        if f.kind in _SUBJECTS
        and f.service in scene.scope
        and f.data.get("ended") is not True
        and not scene.harmful(f)
    ]


def _alerts_about(scene: Situation, finding: Finding) -> list[Finding]:
    """List the firing alerts of a finding's service that are about it and did not begin before it."""
    return [
        alert
        for alert in scene.of(finding.service, FindingKind.ALERT)
        if alert.data.get("ended") is not True
        and _SUBJECTS[finding.kind].search(alert.component)
        and (
            alert.began_at is None or finding.began_at is None or alert.began_at >= finding.began_at - _SLACK
        )
    ]


def _is_large(scene: Situation, finding: Finding) -> bool:
    if finding.service != scene.service or finding.strength < _SURE:
        return False
    return finding.kind not in TEMPLATES or (_times(finding) or 0.0) >= _MANY_TIMES


def _times(finding: Finding) -> float | None:
    """Return how many times as often lines come now; none if there were none before."""
    first = finding.evidence[0]
    return first.value / first.baseline if first.value is not None and first.baseline else None


def _text(finding: Finding) -> str:
    since = f" since {clock_time(finding.began_at)}" if finding.began_at else ""
    if finding.kind not in TEMPLATES:
        return f"{finding.evidence[0].text}{since}"
    times = _times(finding)
    often = f"{times:.0f} times as often" if times else "new"
    return f"{finding.service} logs “{finding.evidence[0].text[:_SAMPLE_CHARS]}” {often}{since}"


def _ruled_out(scene: Situation, explained: Mapping[str, Finding]) -> Iterator[RuledOut]:
    for finding in scene.findings:
        what = finding.summary.rstrip(".")
        ended = finding.data.get("ended") is True
        if finding.kind in TEMPLATES and not ended and not scene.harmful(finding):
            level = str(finding.data.get("level", "")).lower() or "harmless"
            yield RuledOut(what=what, why=f"these are {level} lines; nothing fails")
        elif finding.kind in RESOURCES:
            yield RuledOut(what=what, why="nothing fails or slows down because of it")
        elif finding.kind is FindingKind.TRAFFIC_UP:
            yield RuledOut(what=what, why="the requests are answered")
        elif finding.id in explained:
            yield RuledOut(what=what, why=f"{_text(explained[finding.id])}; nothing fails")
        elif finding.kind is FindingKind.ALERT and not ended and finding.service in scene.scope:
            yield RuledOut(what=what, why="no other source confirms it")
