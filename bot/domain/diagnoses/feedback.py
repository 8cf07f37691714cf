"""People's ratings of diagnoses, and how often one was rated correct."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from pydantic import Field

from bot.domain.diagnoses.diagnosis import CauseKind, Verdict
from bot.domain.model import Instant, Model, Share
from bot.domain.people import Person

Opinion = Literal["right", "wrong", "other"]
MOST_CHARS = 2_000
"""The longest comment on a diagnosis that is kept, in characters."""
_Z95 = 1.959964


class Feedback(Model):
    """One person's rating of a diagnosis; their latest counts."""

    by: Person
    at: Instant
    opinion: Opinion
    cause: CauseKind | None = None
    """What it was instead, if they gave that."""
    service: str = ""
    text: str = Field(default="", max_length=MOST_CHARS)


class DiagnosisSummary(Model):
    """A run's diagnosis, as far as it can be right or wrong."""

    run_id: str
    at: Instant
    service: str
    verdict: Verdict
    confidence: Share | None = None
    """Of the cause that was named; none where no cause was found."""


class RatedDiagnosis(Model):
    """A diagnosis, and each person's latest rating of it."""

    said: DiagnosisSummary
    feedback: tuple[Feedback, ...]

    @property
    def was_right(self) -> bool | None:
        """The majority of the ratings; none on a tie."""
        right = sum(word.opinion == "right" for word in self.feedback)
        wrong = len(self.feedback) - right
        return None if right == wrong else right > wrong


class AccuracyScore(Model):
    """How many diagnoses were right, of those without conflicting ratings."""

    right: int = 0
    judged: int = 0

    @property
    def share(self) -> float:
        """The share that was right, 0 to 1; 0 where nothing was judged."""
        return self.right / self.judged if self.judged else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares the true one lies with 95 % confidence (Wilson 1927)."""
        if not self.judged:
            return 0.0, 1.0
        n, p, z2 = self.judged, self.share, _Z95**2
        middle = (p + z2 / (2 * n)) / (1 + z2 / n)
        half = _Z95 / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
        return max(0.0, middle - half), min(1.0, middle + half)


def score(rated: Sequence[RatedDiagnosis]) -> AccuracyScore:
    """Count the correct diagnoses; those with conflicting ratings are not counted."""
    judged = [one.was_right for one in rated if one.was_right is not None]
    return AccuracyScore(right=sum(judged), judged=len(judged))


def week_of(moment: datetime) -> str:
    """Name the week of a moment as ISO 8601 does, in UTC: ``2026-W48``."""
    year, week, _ = moment.astimezone(UTC).isocalendar()
    return f"{year}-W{week:02}"


def span_of(week: str) -> tuple[datetime, datetime]:
    """Return when a week begins and when the next one does.

    Raises:
        ValueError: it is not the name of a week.
    """
    year, _, number = week.partition("-W")
    monday = datetime.combine(date.fromisocalendar(int(year), int(number), 1), time(), UTC)
    return monday, monday + timedelta(days=7)
