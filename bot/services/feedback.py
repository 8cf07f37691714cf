"""Summarises a run's diagnosis for the feedback on it."""

from __future__ import annotations

from bot.domain.diagnoses.feedback import DiagnosisSummary
from bot.domain.errors import NotFoundError
from bot.domain.runs.run import Run


def said_by(run: Run) -> DiagnosisSummary:
    """Return a summary of a run's latest diagnosis.

    Raises:
        NotFoundError: the run has no diagnosis.
    """
    made = [
        phase.finished_at
        for phase in run.phases.values()
        if phase.finished_at is not None and phase.output and phase.output.get("type") == "diagnosis"
    ]
    diagnosis = run.diagnosis
    if diagnosis is None or not made:
        raise NotFoundError("There is no diagnosis here.", hint="It appears once the evidence is in.")
    return DiagnosisSummary(
        run_id=run.id,
        at=made[-1],
        service=run.service,
        verdict=diagnosis.verdict,
        confidence=diagnosis.top.confidence if diagnosis.top is not None else None,
    )
