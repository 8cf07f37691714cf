"""What the findings of a triage complain of in one service, in the words in which commits are judged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.diagnosis.commits.case import LogRecord
from bot.diagnosis.commits.symptoms import MetricShift, Symptoms, figures_of
from bot.diagnosis.commits.tokens import vocabulary
from bot.diagnosis.ranking.situation import CHANGES, Situation, number
from bot.domain.diagnoses.finding import Finding, FindingKind

LINES = (FindingKind.LOG_ERRORS, FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_GROWING)
"""The kinds of findings that come with samples of lines."""

_UNSPECIFIC = frozenset(
    {
        FindingKind.ERROR_RATE_UP,
        FindingKind.SUCCESS_DOWN,
        FindingKind.OTHER_SHIFT,
        FindingKind.TRAFFIC_SHIFT,
        FindingKind.CALLS_VANISHED,
        FindingKind.LOG_TEMPLATE_VANISHED,
        *LINES,
    }
)
_TOWARDS = frozenset(
    {FindingKind.DEPENDENCY_ERRORS, FindingKind.DEPENDENCY_DOWN, FindingKind.DEPENDENCY_SLOW}
)
_MS = {"s": 1000.0}
_SLACK_S = 20.0
_STEP_S = 15.0


def symptoms_of(scene: Situation, service: str) -> Symptoms:
    """Gather what the findings show of a service: samples of its lines, what rose, and towards whom.

    What callers report of it is left out: they complain of its answers, in words of their own.
    """
    harmful = [f for f in scene.findings if f.service == service and _counts(scene, f)]
    onset = scene.onset(service) or scene.now
    complaints = tuple(
        LogRecord(at=finding.began_at or onset, service=service, level="ERROR", text=text)
        for finding in harmful
        if finding.kind in LINES
        for text in strings(finding, "samples")
    )
    texts = [line.text for line in complaints]
    texts += [text for finding in harmful for text in _subjects_of(finding)]
    return Symptoms(
        onset=onset,
        slack_s=_SLACK_S,
        first=service,
        failing=frozenset(name for name in scene.scope if scene.impaired(name)),
        upstream=frozenset(scene.callers(service)),
        said=vocabulary(texts),
        exact="\n".join(dict.fromkeys(texts)),
        figures=figures_of(complaints, ()),
        complaints=complaints,
        shifts=tuple(_shifts(harmful)),
    )


def strings(finding: Finding, name: str) -> list[str]:
    """Read a list of texts out of a finding's data; none if it is something else."""
    found = finding.data.get(name)
    return [str(text) for text in found] if isinstance(found, list) else []


def _counts(scene: Situation, finding: Finding) -> bool:
    if finding.kind in {*CHANGES, FindingKind.TRAFFIC_UP} or finding.data.get("ended") is True:
        return False
    return finding.kind not in LINES or scene.harmful(finding)


def _subjects_of(finding: Finding) -> Iterable[str]:
    """Name what a finding is about; that something fails is not new information."""
    if finding.kind is FindingKind.ALERT:
        yield finding.component
    elif finding.kind not in _UNSPECIFIC:
        towards = finding.component if finding.kind in _TOWARDS else ""
        yield f"{finding.kind.value.replace('_', ' ')} {towards}".strip()
    yield from strings(finding, "exceptions")
    yield from strings(finding, "operations")
    # A line that was usual and is missing shows what no longer happens.
    yield str(finding.data.get("template", ""))


def _shifts(found: Sequence[Finding]) -> Iterable[MetricShift]:
    for finding in (f for f in found if "family" in f.data):
        after, before = number(finding.data.get("value")), number(finding.data.get("baseline"))
        if after is not None and before is not None and finding.began_at is not None:
            scale = _MS.get(str(finding.data.get("unit", "")), 1.0)  # settings are compared in milliseconds
            yield MetricShift(
                service=finding.service,
                metric=str(finding.data["family"]),
                at=finding.began_at,
                step_s=_STEP_S,
                before=before * scale,
                after=after * scale,
            )
