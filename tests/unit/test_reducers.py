"""The named reducers say pass, fail, or that they do not know."""

from __future__ import annotations

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Source, SourceStatus
from bot.domain.diagnoses.finding import Findings
from bot.domain.runs.run import fold
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Runbook
from bot.engine.deps import ReduceInput
from bot.ranker import reading_of
from bot.reducers import REDUCERS
from tests.support.worlds import START, started

BOOK = Runbook.model_validate(
    {
        "name": "look",
        "summary": "Look.",
        "phases": [
            {
                "kind": "explore",
                "id": "g",
                "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}],
            }
        ],
    }
)


def judged(name, *outcomes):
    steps = {
        f"s{i}": StepState(id=f"s{i}", title=f"s{i}", outcome=o, error="why") for i, o in enumerate(outcomes)
    }
    given = ReduceInput(
        run=fold("r1", [started(BOOK)]),
        phases=(PhaseState(id="look", steps=steps),),
        arguments={},
        catalogue=Catalogue(),
        now=START,
    )
    return REDUCERS[name](given).verdict


@pytest.mark.parametrize(
    ("outcomes", "every", "some", "worst"),
    [
        (("ok", "ok"), "pass", "pass", "pass"),
        (("ok", "failed"), "fail", "pass", "fail"),
        (("ok", "timed_out"), "unknown", "pass", "unknown"),
        (("failed", "failed"), "fail", "fail", "fail"),
        (("failed", "unavailable"), "fail", "unknown", "fail"),
        ((), "unknown", "fail", "unknown"),
    ],
)
def test_a_judgement_never_takes_silence_for_a_yes(outcomes, every, some, worst):
    assert (judged("all", *outcomes), judged("any", *outcomes), judged("worst", *outcomes)) == (
        every,
        some,
        worst,
    )


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("unavailable", SourceStatus.UNAVAILABLE),
        ("garbage", SourceStatus.GARBAGE),
        ("timed_out", SourceStatus.TIMED_OUT),
        ("crashed", SourceStatus.CRASHED),
        ("not_configured", SourceStatus.NOT_CONFIGURED),
        (None, SourceStatus.TIMED_OUT),
    ],
)
def test_a_step_without_findings_says_how_reading_went(outcome, status):
    assert reading_of(StepState(id="logs", outcome=outcome, error="why")).status is status


def test_findings_are_read_back_from_the_journal_and_anything_else_is_garbage():
    findings = Findings(looked_at="two lines")
    step = StepState(id="logs", outcome="ok", result=findings.model_dump(mode="json"))
    assert reading_of(step) == findings
    other = step.model_copy(update={"result": {"type": "facts"}})
    assert reading_of(other) == Source(
        name="logs", status=SourceStatus.GARBAGE, why="it returned no findings"
    )
