"""Turns what raw telemetry shows into findings, the same that probes return."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.diagnosis.offline.evidence import OfflineEvidence
from bot.diagnosis.signals.templates import digest_of
from bot.domain.diagnoses import finding as told
from bot.domain.diagnoses.finding import Finding, FindingKind, Findings
from bot.domain.model import JsonObject
from bot.domain.wording import clock_time, moment

_CHARS = 120
_LINES = frozenset({FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_VANISHED})
_SPANS = frozenset({FindingKind.SPAN_LAG, FindingKind.CALLS_VANISHED})
_SOURCES = ("logs", "metrics", "traces")
_TELLING = 0.05
_RESOURCES = frozenset({FindingKind.CPU_HIGH, FindingKind.MEMORY_HIGH, FindingKind.DISK_BUSY})
_WIRES = frozenset({FindingKind.EDGE_LAG, FindingKind.SPAN_LAG})


def findings_of(evidence: Iterable[OfflineEvidence], *, looked_at: Mapping[str, str]) -> dict[str, Findings]:
    """Return the evidence by source; ``looked_at`` describes in words each source that there was."""
    items: dict[str, list[Finding]] = {source: [] for source in _SOURCES if source in looked_at}
    for each in evidence:
        items.setdefault(_source(each), []).append(_finding(each))
    return {
        source: Findings(items=tuple(found), looked_at=looked_at.get(source, ""))
        for source, found in items.items()
    }


def metric_of(finding: Finding) -> str:
    """Name the metric that shows a finding best; nothing if none does."""
    return str(finding.data.get("metric") or "")


def cause_first(findings: Iterable[Finding]) -> list[Finding]:
    """Order what metrics show of one service by how well it names the cause.

    A resource that ran out comes first, as it makes the service slow and the calls to it wait; then the wire,
    then symptoms; within each the order is kept.
    """
    return sorted((each for each in findings if metric_of(each)), key=_place)


def _place(finding: Finding) -> int:
    if finding.kind in _RESOURCES:
        return 0 if finding.strength >= _TELLING else 3
    return 1 if finding.kind in _WIRES else 2


def _source(each: OfflineEvidence) -> str:
    if each.kind in _LINES:
        return "logs"
    return "traces" if each.kind in _SPANS else "metrics"


def _finding(each: OfflineEvidence) -> Finding:
    source = _source(each)
    since = moment(each.since_s)
    text = f"{_said(each)} since {clock_time(since)}"
    return Finding(
        id=f"{source}:{each.kind.value}:{each.service}:{digest_of(each.name)}",
        source=source,
        kind=each.kind,
        service=each.service,
        component=each.name[:_CHARS],
        summary=f"{text}.",
        began_at=since,
        strength=min(max(each.strength, 0.0), 1.0),
        evidence=(told.Evidence(text=text, query=each.name, value=each.value, baseline=each.ordinary),),
        data=_data(each),
    )


def _said(each: OfflineEvidence) -> str:
    value, usual = _figures((each.value, each.ordinary))
    match each.kind:
        case FindingKind.LOG_TEMPLATE_NEW | FindingKind.LOG_TEMPLATE_VANISHED:
            return f"{each.service} logged “{each.name[:_CHARS]}” {value} times; expected: {usual}"
        case FindingKind.CALLS_VANISHED:
            return f"{each.service} did “{each.name[:_CHARS]}” {value} times; expected: {usual}"
        case FindingKind.SPAN_LAG:
            return f"{each.service} and its peers lose {value} ms more than usual between them"
        case _:
            return f"{each.name} of {each.service} is {value}, usually {usual}"


def _figures(values: Sequence[float | None]) -> list[str]:
    return ["unknown" if value is None else f"{value:.4g}" for value in values]


def _data(each: OfflineEvidence) -> JsonObject:
    data: JsonObject = {"metric": each.metric, "value": each.value, "baseline": each.ordinary}
    if not each.telling:
        data["telling"] = False
    if each.kind is FindingKind.LOG_TEMPLATE_NEW:
        return {**data, "level": "ERROR"}
    return data
