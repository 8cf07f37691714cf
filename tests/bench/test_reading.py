"""What the bench of threads counts, and that the recorded runs of the demo meet its goals."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.reading.__main__ import report
from bench.reading.measure import measure, states_of, thread_texts
from bench.reading.recording import RECORDED, RecordedRun, read_recordings, write_recording
from bot.domain.runs.ending import ending_of
from bot.domain.runs.run import fold
from demo.scenarios.scenarios import ALL
from tests.unit.views.story import BAD_RELEASE, ERRORS, Story, diagnosis

RUNS = list(read_recordings(RECORDED))


def recorded(story: Story) -> RecordedRun:
    return RecordedRun(scenario="told", run_id="r-7f3a", events=tuple(story.events))


def test_every_scenario_of_the_demo_is_recorded():
    assert {one.scenario for one in RUNS} == {one.name for one in ALL}


@pytest.mark.parametrize("run", RUNS, ids=[one.scenario for one in RUNS])
def test_a_recorded_thread_meets_the_goals(run: RecordedRun):
    found = measure(run)
    assert found.words <= 250
    assert (found.repeated, found.details, found.false_ticks, found.missing) == ((), (), (), ())


DEPLOYED = [one for one in RUNS if ending_of(fold(one.run_id, one.events)) == "deployed"]


@pytest.mark.parametrize("recorded_run", DEPLOYED, ids=[one.scenario for one in DEPLOYED])
def test_the_end_of_a_deployment_names_the_version_that_serves_now(recorded_run: RecordedRun):
    run, now = states_of(recorded_run)[-1]
    root = thread_texts(run, recorded_run, now=now)[0]
    version = run.params["version"]
    assert f"{version} has 100 %" in root or f"{run.service} is at {version}" in root


NO_FAULT = [one for one in RUNS if ending_of(fold(one.run_id, one.events)) == "no fault found"]


@pytest.mark.parametrize("recorded_run", NO_FAULT, ids=[one.scenario for one in NO_FAULT])
def test_an_alert_that_still_fires_says_that_its_triage_found_no_fault(recorded_run: RecordedRun):
    run, now = states_of(recorded_run)[-1]
    assert "Triage: no fault found." in thread_texts(run, recorded_run, now=now)[0]


def test_half_of_the_threads_are_at_most_150_words():
    assert report([measure(one) for one in RUNS], heights={})["met"]["median_words"]


def test_words_are_counted_while_it_waits_and_at_the_end_without_the_buttons():
    found = measure(recorded(Story().recovers()))
    assert found.words_to_decide is not None
    assert found.words == max(found.words_to_decide, found.words_at_end)
    assert measure(recorded(Story().diagnoses().finishes("no_remedy", "s"))).words_to_decide is None


def test_machine_language_is_found_with_its_kind():
    summary = "It fails since haproxy.shift(a=1): result.value <= 0.02 in 1a2b3c4d5e6f"
    cause = BAD_RELEASE.model_copy(update={"summary": summary})
    found = measure(recorded(Story().diagnoses(diagnosis(causes=(cause,))).proposes()))
    kinds = {term.partition(":")[0] for term in found.details}
    assert kinds == {"call", "expression", "argument", "hash"}


def test_evidence_that_stands_in_two_places_is_found():
    cause = BAD_RELEASE.model_copy(
        update={"summary": f"It broke: {ERRORS.summary}", "evidence": (ERRORS.id,)}
    )
    found = measure(recorded(Story().diagnoses(diagnosis(causes=(cause,))).proposes()))
    assert ERRORS.summary.rstrip(".") in found.repeated


def test_a_proposal_without_its_risk_is_incomplete():
    story = Story().diagnoses().proposes()
    bare = [
        event.model_copy(update={"plan": event.plan.model_copy(update={"risk": ""})})
        if event.type == "plan_rendered"
        else event
        for event in story.events
    ]
    run = RecordedRun(scenario="told", run_id="r-7f3a", events=tuple(bare))
    assert measure(run).missing == ("risk",)


def test_a_recording_reads_back_as_it_was(tmp_path: Path):
    write_recording(tmp_path, RUNS[0])
    assert list(read_recordings(tmp_path)) == [RUNS[0]]
