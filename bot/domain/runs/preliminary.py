"""What the evidence points to while it comes in, and how each answer moves it."""

from __future__ import annotations

from typing import Literal

from bot.domain.diagnoses.diagnosis import CauseKind, Diagnosis
from bot.domain.model import Model, Share

Move = Literal["first", "strengthened", "weakened", "replaced", "gone"]

_WORTH_A_WORD = 0.05
"""A confidence that moves less is as it was."""


class PreliminaryDiagnosis(Model):
    """The first cause of a diagnosis before all was read; without a ``kind`` there is none yet."""

    kind: CauseKind | None = None
    service: str = ""
    component: str = ""
    summary: str = ""
    confidence: Share = 0

    @property
    def suspect(self) -> tuple[CauseKind | None, str, str]:
        """What is suspected, however sure."""
        return self.kind, self.service, self.component


def leaning_of(diagnosis: Diagnosis) -> PreliminaryDiagnosis:
    """Return the preliminary diagnosis, whether or not it is certain enough to count as found."""
    if not diagnosis.causes:
        return PreliminaryDiagnosis()
    first = diagnosis.causes[0]
    return PreliminaryDiagnosis(
        kind=first.kind,
        service=first.service,
        component=first.component,
        summary=first.summary,
        confidence=first.confidence,
    )


def move(before: PreliminaryDiagnosis, after: PreliminaryDiagnosis) -> Move | None:
    """Return in one word how a preliminary diagnosis has moved; none if it has not."""
    if after.suspect != before.suspect:
        if before.kind is None:
            return "first"
        return "gone" if after.kind is None else "replaced"
    gained = after.confidence - before.confidence
    if abs(gained) < _WORTH_A_WORD:
        return None
    return "strengthened" if gained > 0 else "weakened"
