"""How specifically failures point at one change: by the versions they keep to, by the values they hold."""

from __future__ import annotations

import re

from bot.diagnosis.ranking.situation import Situation
from bot.diagnosis.ranking.symptoms import LINES, strings
from bot.diagnosis.ranking.version_splits import BESIDE, version_splits
from bot.domain.diagnoses.finding import Finding, FindingKind

_WORD = re.compile(r"[a-z]+|\d+(?:\.\d+)?")


def traces(scene: Situation, change: Finding) -> float:
    """How specifically the failures point at this very change, 0 to 1."""
    if change.kind is not FindingKind.CHANGE_DEPLOY:
        return max((speaks_of(f, change) for f in own_lines(scene, change.service)), default=0.0)
    values = [split.value for split in version_splits(scene, change)]
    return 1.0 if values and min(values) > 0 and max(values) >= BESIDE else 0.0


def own_lines(scene: Situation, service: str) -> list[Finding]:
    """List what the lines of a service complain of."""
    return [f for f in scene.of(service, *LINES) if scene.harmful(f)]


def speaks_of(finding: Finding, change: Finding) -> float:
    """Whether lines hold the new value beside words of its key: ``within 5 ms``, ``bank_timeout_ms``."""
    key = set(_WORD.findall(change.component.lower()))
    value = str(change.data.get("after", "")).strip().lower()
    best = 0.0
    for sample in strings(finding, "samples"):
        words = set(_WORD.findall(sample.lower()))
        named = bool(key & words)
        if named and value and value in words:
            best = max(best, 1.0)
        elif change.component.lower() in sample.lower():
            best = max(best, 0.8)
    return best
