"""A run's end has a word that people act by, whatever the journal calls it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.runs.ending import ending_of
from bot.domain.runs.event import (
    CancelRequested,
    EffectIntended,
    PhaseFinished,
    PhaseStarted,
    RolloutSteered,
    RunFinished,
    StepFinished,
    StepRef,
    StepUndone,
)
from bot.domain.runs.run import fold
from bot.domain.runs.runbook import Runbook
from tests.support.worlds import BEN, START, started

DEPLOY = Runbook.model_validate(
    {
        "name": "deploy-canary",
        "summary": "s",
        "phases": [
            {
                "id": "gates",
                "kind": "explore",
                "required": True,
                "steps": [{"id": "all", "probe": "gates.all"}],
            },
            {"id": "ship", "kind": "pipeline", "steps": [{"id": "up", "action": "up"}]},
        ],
    }
)


class Story:
    """A deployment's journal, event by event."""

    def __init__(self, runbook: Runbook = DEPLOY) -> None:
        self.events = [started(runbook)]

    def ship(self, outcome: str | None = "ok", *, undone: str | None = None, phase: str = "failed") -> Story:
        self.events.append(PhaseStarted(at=START, phase="ship", steps=(StepRef(id="up", title="Up"),)))
        self.events.append(EffectIntended(at=START, phase="ship", step="up", key="k", epoch=1))
        if outcome is not None:
            self.events.append(StepFinished(at=START, phase="ship", step="up", outcome=outcome))
        if undone is not None:
            self.events.append(StepUndone(at=START, phase="ship", step="up", outcome=undone))
        self.events.append(PhaseFinished(at=START, phase="ship", outcome=phase))
        return self

    def gates(self, reason: str) -> Story:
        self.events.append(PhaseStarted(at=START, phase="gates", steps=(StepRef(id="all", title="All"),)))
        self.events.append(
            StepFinished(at=START, phase="gates", step="all", outcome="failed", error="no", reason=reason)
        )
        self.events.append(PhaseFinished(at=START, phase="gates", outcome="failed"))
        return self

    def tell(self, *events) -> Story:
        self.events += events
        return self

    def end(self, outcome: str):
        at = START + timedelta(minutes=1)
        run = fold("r1", [*self.events, RunFinished(at=at, outcome=outcome, summary="s")])
        return ending_of(run)


def test_an_active_run_has_no_ending():
    assert ending_of(fold("r1", Story().events)) is None


@pytest.mark.parametrize(
    ("story", "outcome", "ending"),
    [
        (Story().ship(phase="ok"), "done", "deployed"),
        (Story(), "done", "plan only"),
        (Story().gates("freeze_closed"), "failed", "blocked"),
        (Story().gates("not_found"), "failed", "refused"),
        (Story().ship("failed"), "failed", "stopped safely"),
        (Story().ship("unavailable"), "failed", "needs a person"),
        (Story().ship("in_doubt"), "failed", "needs a person"),
        (Story().ship(None), "failed", "needs a person"),
        (Story().ship(undone="ok"), "failed", "stopped safely"),
        (Story().ship(undone="failed"), "failed", "needs a person"),
        (Story().ship(), "failed", "needs a person"),
        (Story().ship(undone="ok", phase="breached"), "breached", "stopped safely"),
        (Story().ship(phase="ok"), "breached", "needs a person"),
        (Story().tell(CancelRequested(at=START, by=BEN)), "cancelled", "aborted"),
        (Story().ship(None).tell(CancelRequested(at=START, by=BEN)), "cancelled", "needs a person"),
        (Story(), "rejected", "rejected"),
        (Story(), "expired", "expired"),
        (Story(), "recovered", "recovered"),
        (Story(), "no_fault_found", "no fault found"),
        (Story(), "unclear", "cause unclear"),
        (Story(), "no_remedy", "needs a person"),
        (Story(), "not_recovered", "needs a person"),
    ],
)
def test_each_end_has_its_word(story, outcome, ending):
    assert story.end(outcome) == ending


def test_an_abort_is_no_failure():
    aborted = RolloutSteered(at=START, by=BEN, word="abort")
    assert Story().ship(undone="ok").tell(aborted).end("failed") == "aborted"
    assert Story().ship(undone="failed").tell(aborted).end("failed") == "needs a person"


def test_a_failed_run_that_deploys_nothing_needs_a_person():
    other = DEPLOY.model_copy(update={"name": "triage"})
    assert Story(other).gates("not_found").end("failed") == "needs a person"
    assert Story(other).end("done") == "done"
