"""Why a change cannot be to blame: by place, by timing, by what it brought, or as it was replaced."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from bot.diagnosis.changes.change_traces import traces
from bot.diagnosis.changes.change_wording import describe
from bot.diagnosis.ranking.inspections import innocent
from bot.diagnosis.ranking.situation import Situation
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.wording import span

TIMING_UNKNOWN = 0.5
"""The timing of a change, or of a trouble, of which nobody knows when it was."""

_SLACK_S = 20.0
_AT_ONCE_S = 120.0
_FADES_S = 900.0
_LEAST_TIMING = 0.1
_LATE_TIMING = 0.7


def timing(change: Finding, onset: datetime | None) -> float:
    """Say how well a change's moment fits an onset: 1 just before, fading with the gap, 0 after it.

    Within 2 min full; beyond, ``exp(-(gap - 120 s) / 900 s)`` but at least 0.1, as some faults sleep.  Up to
    20 s after the onset still counts (0.7): ledgers are written late, and onsets are read from windows.
    """
    if onset is None or change.began_at is None:
        return TIMING_UNKNOWN
    gap_s = (onset - change.began_at).total_seconds()
    if gap_s < -_SLACK_S:
        return 0.0
    if gap_s < 0:
        return _LATE_TIMING
    return max(_LEAST_TIMING, min(1.0, math.exp(-(gap_s - _AT_ONCE_S) / _FADES_S)))


def alibi(scene: Situation, change: Finding) -> str:
    """Say why a change cannot be the cause; nothing if it can."""
    service = change.service
    if not scene.impaired(service):
        return f"{service} shows no more errors and no more delay than usual"
    onset = scene.onset(service)
    if onset is not None and change.began_at is not None and timing(change, onset) == 0:
        late = (change.began_at - onset).total_seconds()
        return f"it came {span(late)} after the trouble of {service} began"
    if change.kind is FindingKind.CHANGE_OTHER or change.data.get("change_kind") == "rollback":
        return "it is a remedy, not a novelty"
    return _innocent(scene, change)


def _innocent(scene: Situation, change: Finding) -> str:
    """Say why what a release brought cannot be it; its build may be, if another version beside it is well."""
    why = innocent(scene, change)
    return "" if why and traces(scene, change) else why


def replaced_by(scene: Situation, change: Finding) -> list[Finding]:
    """List the changes of the same thing that came between it and the trouble, the first one first."""
    onset = scene.onset(change.service)
    later = [
        other
        for other in rivals(scene, change)
        if onset is not None and other.began_at is not None and other.began_at <= onset
        # What brought nothing of its own stands on what was there.
        if precedes(change, other) and not _innocent(scene, other)
    ]
    return sorted(later, key=lambda f: (f.began_at, f.id))


def no_longer_in_force(later: Sequence[Finding]) -> str:
    """Say which change replaced one, of those that did."""
    return f"it was no longer in force: then came the {describe(later[0])}"


def stands_on(later: Finding, change: Finding) -> bool:
    """Whether a later release is known to have taken nothing away of what an earlier one brought."""
    return "commits" in change.data and later.data.get("commits_removed") == 0


def rivals(scene: Situation, change: Finding) -> list[Finding]:
    """List the other changes of the same thing: to another version of the service, or of the same key."""
    deploy = change.kind is FindingKind.CHANGE_DEPLOY
    return [
        other
        for other in scene.of(change.service, change.kind)
        if other.id != change.id and (other.component != change.component) is deploy
    ]


def precedes(one: Finding, other: Finding) -> bool:
    """Whether one came before the other, as far as both moments are known."""
    return one.began_at is not None and other.began_at is not None and one.began_at < other.began_at
