"""Combines the assessments of a version's files: can it be rolled back, and until when?"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.model import Model
from bot.migrations.rulings import Assessment, Rollback


class JudgedStatement(Model):
    """One file of a version and its assessment; ``title`` is ``<phase>/<name>``."""

    phase: str
    title: str
    assessment: Assessment


class ReversalPlan(Model):
    """The way back from a version: ``step`` is the file from which on it is not ``safe``."""

    verdict: Rollback
    step: str = ""
    because: str = ""


def way_back(files: Sequence[JudgedStatement]) -> ReversalPlan:
    """Return how far the old version can come back.

    Files under ``contract`` come last and need an approval of their own.  If only that is not
    safe, the whole is safe *until* its first such file, however much that one destroys.
    """
    before = [file for file in files if file.phase != "contract"]
    lead = _worst(before)
    if lead is not None and lead.assessment.rollback is not Rollback.SAFE:
        return _reversal(lead, lead.assessment.rollback)
    for file in files:
        if file.phase == "contract" and file.assessment.rollback is not Rollback.SAFE:
            return _reversal(file, Rollback.UNTIL)
    return ReversalPlan(verdict=Rollback.SAFE, because="the old version keeps working and loses nothing")


def _worst(files: Sequence[JudgedStatement]) -> JudgedStatement | None:
    return max(files, key=lambda file: file.assessment.rollback.badness, default=None)


def _reversal(file: JudgedStatement, verdict: Rollback) -> ReversalPlan:
    return ReversalPlan(verdict=verdict, step=file.title, because=file.assessment.because)
