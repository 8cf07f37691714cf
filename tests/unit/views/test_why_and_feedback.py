"""*Details*, *What else?* and the ratings, as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.diagnoses.diagnosis import CauseKind, OriginCandidate, RuledOut, Source, SourceStatus
from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis
from bot.domain.people import Person
from bot.views import ids
from bot.views.blocks import flatten
from bot.views.limits import unescape
from bot.views.thread.details import details_modal
from bot.views.thread.feedback import (
    accuracy_lines,
    accuracy_message,
    named_instead,
    opinions_line,
    other_modal,
)
from bot.views.thread.run import run_messages
from bot.views.thread.why import what_else_modal
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.views.oracle import assert_harmless, assert_valid_message, assert_valid_view
from tests.unit.views.story import BAD_RELEASE, SLOW_BANK, START, Story, diagnosis
from tests.unit.views.test_any_text_renders import texts, words

UNREAD = (
    Source(name="logs", status=SourceStatus.OK, why="4,210 lines"),
    Source(name="metrics", status=SourceStatus.TIMED_OUT, why="no answer within 2 s"),
    Source(name="database", status=SourceStatus.NOT_CONFIGURED),
)


def read(modal, said=None):
    """Return the text of a modal about a diagnosis."""
    story = Story().diagnoses(said)
    view = modal(story.run, story.run.diagnosis)
    assert_valid_view(view)
    return unescape(flatten(view["blocks"], names={}, urls=True))


def _details(run, _):
    return details_modal(run)


def word(by, opinion, **more):
    return Feedback(by=by, at=START, opinion=opinion, **more)


def test_why_shows_every_reason_with_its_link_what_spoke_against_and_what_was_not_read():
    told = read(_details, diagnosis(sources=UNREAD))
    assert told.startswith("Very likely (92 %): Release 2.3.1 of checkout fails 12 % of its requests")
    assert "view metrics (http://prometheus:9090/graph?g0.expr=a%7Cb&g0.tab=0)" in told
    assert "view changes (https://deploys.example/77)" in told
    assert "Evidence against\n• CPU of the new version is as usual." in told
    assert "Ruled out\n• storefront 1.9.0: not on the failing path." in told
    assert "Sources read\n• logs: 4,210 lines." in told
    assert "Not read: metrics (no answer within 2 s). Confidence is lower without it." in told
    assert "Ruled out\n• storefront 1.9.0" in told
    assert "1. Send all traffic to 2.3.0" not in told


def test_why_of_what_is_unclear_says_first_that_it_is():
    told = read(_details, diagnosis(verdict="unclear", summary="I am not sure."))
    assert "I am not sure." in told
    assert "Very likely (92 %)" in told
    none = diagnosis(verdict="no_fault_found", summary="No fault found.", causes=(), findings=())
    assert read(_details, none).startswith("No fault found.")


def test_what_else_shows_the_other_causes_and_not_the_first_again():
    told = read(what_else_modal)
    assert told.startswith("2 · Possible (35 %): The bank answers slowly.")
    assert "Release 2.3.1 of checkout" not in told
    assert "No other cause explains what was found" in read(what_else_modal, diagnosis(causes=(BAD_RELEASE,)))


def test_what_else_says_where_it_may_have_begun():
    places = (
        OriginCandidate(service="payments", score=2.0, confidence=0.81, evidence=("a", "b")),
        OriginCandidate(service="checkout", score=0.5, confidence=0.2, evidence=("c",)),
    )
    told = read(what_else_modal, diagnosis(causes=(BAD_RELEASE,), places=places))
    assert "`payments`: likely (81 %), based on 2 findings" in told
    assert "`checkout`: unlikely (20 %), based on 1 finding." in told


def test_a_tie_is_shown_as_a_tie_with_the_first_one_in_it():
    near = SLOW_BANK.model_copy(update={"confidence": 0.9, "against": ("it answers its health check",)})
    far = SLOW_BANK.model_copy(update={"confidence": 0.3, "service": "mail", "summary": "Mail is slow"})
    told = read(what_else_modal, diagnosis(causes=(BAD_RELEASE, near, far)))
    assert "1 (tie) · Very likely (92 %): Release 2.3.1" in told
    assert "1 (tie) · Very likely (90 %): The bank answers slowly." in told
    assert "Against it: it answers its health check." in told
    assert "3 · Possible (30 %): Mail is slow." in told


@settings(max_examples=60, deadline=None)
@given(summary=words, why=texts, count=st.sampled_from([1, 5, 200]))
def test_whatever_the_outside_says_the_modals_fit_and_ping_nobody(summary, why, count):
    cause = BAD_RELEASE.model_copy(update={"summary": summary, "against": (why,) * count})
    said = diagnosis(
        causes=(cause, cause),
        ruled_out=(RuledOut(what=summary, why=why),) * count,
        sources=(Source(name="logs", status=SourceStatus.CRASHED, why=why),) * count,
    )
    for modal in (_details, what_else_modal):
        assert_valid_view(modal(Story().run, said))
    told = opinions_line([word(ANA, "other", text=why[:2000], service=summary[:50])])
    assert_harmless(told)


def test_the_buttons_are_there_once_there_is_a_diagnosis_and_say_whose_they_are():
    story = Story().diagnoses()
    assert "[Details]  [What else?]  [Right]  [Wrong]  [Other …]" in story.read("phase:diagnose")
    [message] = [m for m in story.messages if m.slot == "phase:diagnose"]
    (row,) = [block for block in message.blocks if block["type"] == "actions"]
    assert {element["value"] for element in row["elements"]} == {story.run.id}
    assert "[Why?]" not in Story().gathers().begin("diagnose").read("phase:diagnose")


def test_what_people_say_stands_below_the_diagnosis():
    story = Story().diagnoses()
    feedback = [
        word(ANA, "right"),
        word(BEN, "right"),
        word(CHI, "other", cause=CauseKind.SATURATION, service="payments", text="see <!channel>"),
    ]
    [message] = [
        m for m in run_messages(story.run, now=story.at, feedback=feedback) if m.slot == "phase:diagnose"
    ]
    assert_valid_message(message)
    assert (
        "2 people confirmed this, 1 person named another cause (saturation in payments: see <!channel>)"
        in unescape(message.text)
    )


def test_other_may_be_answered_in_part_or_not_at_all():
    view = other_modal(["payments", "checkout"], private_metadata="{}")
    assert_valid_view(view)
    assert all(block["optional"] for block in view["blocks"])
    assert_valid_view(other_modal([], private_metadata="{}"))
    empty = {
        ids.SERVICE_BLOCK: {ids.SERVICE_INPUT: {"selected_option": None}},
        ids.KIND_BLOCK: {ids.KIND_INPUT: {"selected_option": None}},
        ids.TEXT_BLOCK: {ids.TEXT_INPUT: {"value": None}},
    }
    assert named_instead(empty) == ("", None, "")
    full = {
        ids.SERVICE_BLOCK: {ids.SERVICE_INPUT: {"selected_option": {"value": "payments"}}},
        ids.KIND_BLOCK: {ids.KIND_INPUT: {"selected_option": {"value": "saturation"}}},
        ids.TEXT_BLOCK: {ids.TEXT_INPUT: {"value": "CPU"}},
    }
    assert named_instead(full) == ("payments", CauseKind.SATURATION, "CPU")


def rated(number, opinion, *, confidence: float | None = 0.9, verdict="cause_found"):
    said = DiagnosisSummary(
        run_id=f"r{number}",
        at=START + timedelta(hours=number),
        service="checkout",
        verdict=verdict,
        confidence=confidence,
    )
    words = [word(Person(id=f"U0{n}"), one) for n, one in enumerate(opinion)]
    return RatedDiagnosis(said=said, feedback=tuple(words))


def test_accuracy_is_told_with_its_count_its_doubt_and_by_how_sure_the_diagnoses_were():
    told = [rated(n, ["right"]) for n in range(9)]
    told += [rated(9, ["wrong"]), rated(10, ["other"], confidence=0.7)]
    told += [rated(11, ["right"], confidence=None, verdict="unclear"), rated(12, ["right", "wrong"])]
    lines = accuracy_lines(told, period="the last 30 d")
    headline = "*83 % (10 of 12; 95 % CI 55 to 95 %) of the diagnoses from the last 30 d were right*"
    assert lines == [
        f"{headline}, as rated by responders.",
        "• very likely: 90 % (9 of 10; 95 % CI 60 to 98 %)",
        "• likely: 0 % (0 of 1; 95 % CI 0 to 79 %)",
        "• unclear: 100 % (1 of 1; 95 % CI 21 to 100 %)",
        "Not counted: 1 diagnosis with conflicting ratings.",
        "Wrong: `r9` and `r10`.",
    ]
    message = accuracy_message(told, week="2026-W10")
    assert_valid_message(message)
    assert "of the diagnoses from week 2026-W10 were right" in message.text


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([], "No diagnoses from the last 30 d have been rated."),
        (
            [rated(1, ["right", "wrong"])],
            "No accuracy for the last 30 d: the ratings of 1 diagnosis conflict",
        ),
    ],
)
def test_without_a_judgement_no_figure_is_made_up(told, said):
    assert accuracy_lines(told, period="the last 30 d")[0].startswith(said)
