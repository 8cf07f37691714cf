"""Reads a recorded case as a triage reads a running system, so that one and the same code diagnoses both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.diagnosis.offline import evidence as gather
from bot.diagnosis.offline import lags, onset, tallies
from bot.diagnosis.offline.averaging import averaged
from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.offline.evidence import FOUND_AS, OfflineEvidence
from bot.diagnosis.offline.findings import findings_of
from bot.diagnosis.offline.kinds import FaultKind
from bot.diagnosis.origins.weights import OriginWeights
from bot.diagnosis.ranking.situation import Situation
from bot.domain.catalogue import Catalogue, Service
from bot.domain.wording import moment

SYSTEM = "(the system)"
"""The subject if no service raised the alert; it may depend on anything."""
_LEAST_ROWS = 2
_Counted = Sequence[tuple[str, tallies.Tallies]]
"""Lines and operations, each with what it is called."""
_FROM_OUTSIDE = (FaultKind.LATENCY, FaultKind.ERRORS, FaultKind.SUCCESS, FaultKind.TRAFFIC)


@dataclass(frozen=True, kw_only=True)
class CaseFindings:
    """A case as a triage would see it, and the onset by which it was read, in seconds since the epoch."""

    scene: Situation
    onset_s: float | None


def read(case: Telemetry, *, weights: OriginWeights, onset_s: float | None = None) -> CaseFindings:
    """Collect what is anomalous since the onset; a missing source adds nothing."""
    kinds = gather.kinds_of(case.columns)
    counted = _counted(case)
    wires = lags.of_spans(case.spans)
    onsets = _onsets(case, kinds, counted=counted, wires=wires, weights=weights, given_s=onset_s)
    of_rows = {row: list(gather.of_metrics(case, row, kinds=kinds)) for row in {each.row for each in onsets}}
    found = averaged(
        (
            each.share,
            of_rows[each.row] + _between_rows(case, kinds, counted=counted, wires=wires, at_s=each.at_s),
        )
        for each in onsets
    )
    first_s, last_s = _window(case)
    scene = Situation(
        service=case.alerting or SYSTEM,
        catalogue=_surroundings(case, kinds),
        results=findings_of(gather.strongest(found), looked_at=_looked_at(case)),
        now=moment(last_s),
        since_s=last_s - first_s,
    )
    if onsets and onset_s is None:
        onset_s = onset.likeliest(onsets).at_s
    return CaseFindings(scene=scene, onset_s=onset_s if onsets else None)


def _between_rows(
    case: Telemetry, kinds: tuple[FaultKind, ...], *, counted: _Counted, wires: lags.Wires, at_s: float
) -> list[OfflineEvidence]:
    """Collect what is known more exactly than by rows."""
    found = list(gather.of_lags(case, wires, onset_s=at_s, kinds=kinds))
    for what, each in counted:
        found.extend(gather.of_turns(each, onset_s=at_s, what=what))
    return found


def _surroundings(case: Telemetry, kinds: tuple[FaultKind, ...]) -> Catalogue:
    """List the services of the case and whom they call.

    One that appears only in its callers' data is taken to be a third party's.  Names are as in the record,
    which a catalogue might reject.
    """
    callees: dict[str, set[str]] = {name: set() for name in (case.alerting or SYSTEM, *case.services)}
    for caller, callee in case.calls:
        callees.setdefault(callee, set())
        callees.setdefault(caller, set()).update({callee} - {caller})
    within = _seen_within(case, kinds)
    return Catalogue.model_construct(
        services=tuple(
            Service.model_construct(name=name, depends_on=tuple(sorted(called)), external=name not in within)
            for name, called in callees.items()
        )
    )


def _seen_within(case: Telemetry, kinds: tuple[FaultKind, ...]) -> frozenset[str]:
    names = {c.service for c, kind in zip(case.columns, kinds, strict=True) if kind not in _FROM_OUTSIDE}
    names.update(bucket.service for bucket in case.spans)
    names.update(line.service for line in case.lines)
    return frozenset(names)


def _looked_at(case: Telemetry) -> dict[str, str]:
    found = {"metrics": f"{len(case.columns)} series"}
    if case.lines:
        found["logs"] = f"{len(case.lines)} lines"
    if case.spans:
        found["traces"] = f"{sum(bucket.count for bucket in case.spans)} spans"
    return found


def _window(case: Telemetry) -> tuple[float, float]:
    if not case.times_s.size:
        return 0.0, 0.0
    return float(case.times_s[0]), float(case.times_s[-1])


def _counted(case: Telemetry) -> _Counted:
    found: list[tuple[str, tallies.Tallies]] = []
    if case.lines:
        found.append(("line", tallies.of_lines(case.lines)))
    if case.spans:
        found.append(("call", tallies.of_spans(case.spans)))
    return found


def _onsets(
    case: Telemetry,
    kinds: tuple[FaultKind, ...],
    *,
    counted: _Counted,
    wires: lags.Wires,
    weights: OriginWeights,
    given_s: float | None,
) -> tuple[onset.Onset, ...]:
    if case.times_s.size < _LEAST_ROWS:
        return ()
    counts = [each for _, each in counted]
    known = [weights.of(FOUND_AS[kind]) for kind in kinds]
    found = onset.found(case, kinds=kinds, weights=known, tallies=counts, wires=wires)
    if given_s is None:
        return found
    return onset.told(case, at_s=given_s, tallies=counts, elsewhere=found)
