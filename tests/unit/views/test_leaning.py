"""The preliminary diagnosis and its changes, as people read them."""

from __future__ import annotations

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.runs.event import PreliminaryDiagnosisChanged
from bot.domain.runs.preliminary import PreliminaryDiagnosis
from tests.unit.views.story import Story, found

RELEASE = PreliminaryDiagnosis(
    kind=CauseKind.BAD_RELEASE, service="checkout", component="2.3.1", summary="2.3.1 fails", confidence=0.5
)
PLACE = PreliminaryDiagnosis(
    kind=CauseKind.UNKNOWN, service="checkout", summary="It is in <!here>", confidence=0.4
)


def leaned(story, step, move, leaning):
    return story.tell(
        PreliminaryDiagnosisChanged(at=story.at, phase="evidence", step=step, leaning=leaning, move=move)
    )


def test_what_it_looks_like_so_far_is_told_with_what_moved_it():
    story = Story().asks().step("evidence", "logs", found("logs"))
    leaned(story, "logs", "first", PLACE)
    assert "🎯 So far: possible (40 %) after Logs: It is in <!here>." in story.read("root")
    story.step("evidence", "changes", found("changes"))
    leaned(story, "changes", "replaced", RELEASE)
    assert (
        "🎯 So far: Recent changes (cicd) changed the diagnosis, now possible (50 %): 2.3.1 fails."
        in story.read("root")
    )
    story.step("evidence", "metrics", found("metrics"))
    leaned(story, "metrics", "strengthened", RELEASE.model_copy(update={"confidence": 0.92}))
    assert (
        "🎯 So far: strengthened by Metrics (monitoring), now very likely (92 %): 2.3.1 fails."
        in story.read("root")
    )


def test_once_all_is_in_the_way_there_is_told_and_stays():
    story = Story().gathers()
    leaned(story, "logs", "first", PLACE)
    assert "How the diagnosis changed" not in story.details()
    leaned(story, "changes", "replaced", RELEASE)
    leaned(story, "database", "weakened", RELEASE.model_copy(update={"confidence": 0.3}))
    leaned(story, "dependencies", "gone", PreliminaryDiagnosis())
    told = story.details()
    assert "So far" not in told
    assert "How the diagnosis changed\n• Possible (40 %) after Logs" in told
    assert "• Weakened by Database, now possible (30 %): 2.3.1 fails." in told
    assert "• Dependencies (network) ruled this out; there is no other suspect so far." in told


def test_only_the_last_turns_are_told_one_by_one():
    story = Story().gathers()
    for number in range(9):
        leaned(story, "logs", "replaced", RELEASE.model_copy(update={"component": str(number)}))
    assert "• 3 earlier changes" in story.details()
