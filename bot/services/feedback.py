"""The port for what people say of diagnoses, and what a run's diagnosis said."""

from __future__ import annotations

from bot.domain.diagnoses.feedback import DiagnosisSummary
from bot.domain.errors import NotFoundError
from bot.domain.runs.run import Run


def said_by(run: Run) -> DiagnosisSummary:
    """Tell what a run's latest diagnosis said.

    Raises:
        NotFoundError: it came to none.
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
