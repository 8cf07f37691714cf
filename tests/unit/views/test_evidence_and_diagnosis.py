"""The evidence of the specialists and its diagnosis, as people read them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.diagnoses.diagnosis import ReducerResult, RuledOut, Source, SourceStatus
from bot.domain.diagnoses.finding import Facts, Findings, Measurement
from bot.domain.runs.event import LookAgainPlanned, LookedAgain, StepRef
from bot.views.thread.evidence import finding_lines, short_findings
from tests.unit.views.story import (
    BAD_RELEASE,
    DEPLOY,
    ERRORS,
    LINES,
    PROBES,
    SLOW_BANK,
    START,
    Story,
    diagnosis,
    found,
)


def test_answers_are_shown_while_others_are_still_read():
    read = Story().asks().step("evidence", "metrics", found("metrics")).details()
    assert "⏳ Gather evidence: 1 of 5 answers in" in read
    assert "⏳ Logs: reading …" in read
    assert "✅ Metrics (monitoring): 41 series of 3 services" in read
    assert "checkout answers 12 % of its requests with a server error, usually 0.2 %" in read


def test_a_finding_says_how_much_since_when_and_where_to_check_it():
    read = Story().gathers().details()
    assert "A new error line in checkout 2.3.1, 214 lines (usually 0), since 02:59:07 UTC" in read
    assert "· view changes (https://deploys.example/77)" in read


def test_a_value_that_the_summary_says_is_not_said_twice():
    assert Story().gathers().details().count("0.2 %") == 1


def test_a_log_line_cannot_ping_or_break_the_message():
    story = Story().diagnoses()
    [message] = [m for m in story.messages if m.slot == "phase:diagnose"]
    assert "`KeyError: 'discount' &lt;!channel&gt; in 'price'`" in str(message.blocks).replace("\\'", "'")
    assert "<!channel>" not in message.text


def test_a_source_that_could_not_be_read_is_loud_with_its_reason_and_a_way_out():
    read = Story().gathers(but=["database"]).details()
    assert "⚠️ Gather evidence: 4 of 5 sources read" in read
    assert "⚠️ Database: did not answer in time, because no answer within 2 s." in read
    assert "Check that the source is up." in read


@pytest.mark.parametrize("outcome", ["unavailable", "garbage", "timed_out", "crashed", "failed", "in_doubt"])
def test_no_failed_step_looks_well(outcome):
    story = Story().asks().step("evidence", "logs", outcome=outcome, error="it broke")
    [line] = [text for text in story.details().split("\n") if "Logs" in text and "· " not in text]
    assert not line.startswith("✅")
    assert "it broke" in line


def test_a_source_that_is_not_set_up_is_no_trouble():
    story = Story().asks().step("evidence", "database", outcome="not_configured", error="no such source")
    assert "Not configured: Database" in story.details()
    assert "of 4 answers" in story.details()


def test_a_step_that_saw_nothing_says_what_it_looked_at():
    read = Story().gathers().details()
    assert "✅ Database: 1 database, 12 connections. Nothing unusual." in read


def test_only_the_strongest_three_findings_of_a_source_are_shown_and_the_rest_counted():
    many = tuple(
        ERRORS.model_copy(update={"id": f"m{i}", "summary": f"anomaly number {i}.", "strength": i / 60})
        for i in range(60)
    )
    read = Story().asks().step("evidence", "metrics", Findings(items=many, looked_at="60 series")).details()
    assert "anomaly number 59" in read
    assert "anomaly number 56" not in read
    assert "and 57 more" in read


def test_gaps_in_a_good_answer_are_shown():
    partial = Findings(looked_at="2 files", gaps=("12 lines were no JSON",))
    read = Story().asks().step("evidence", "logs", partial).details()
    assert "⚠️ 12 lines were no JSON" in read


def test_a_result_of_another_version_is_answered_rather_than_fatal():
    story = Story().asks().step("evidence", "logs", Facts(summary="fine"))
    old = story.events[-1].model_copy(update={"result": {"type": "prophecy", "omen": "crows"}})
    story.events[-1] = old
    assert "✅ Logs: answered" in story.details()


def test_measurements_and_facts_are_read_too():
    story = Story().asks()
    story.step("evidence", "logs", Facts(summary="all is calm"))
    story.step("evidence", "metrics", Measurement(value=0.25, unit="s", at=START))
    assert "Logs: all is calm" in story.details()
    assert "Metrics (monitoring): 250 ms" in story.details()


def test_a_quiet_look_around_is_told_by_the_root_alone():
    story = Story().looks_around()
    assert "phase:ground" not in story.slots()
    assert "✅ Look around · checkout: owned by payments, stands on payments and bank" in story.read("root")


def test_trouble_while_looking_around_is_in_the_details():
    story = Story().begin("ground", StepRef(id="who", title="Who is it"))
    assert story.slots() == ["root"]
    story.step("ground", "who", outcome="unavailable", error="the catalogue is gone").end("ground", "failed")
    assert story.slots() == ["root"]
    assert "could not be read, because the catalogue is gone" in story.details()


def test_the_diagnosis_shows_its_evidence_once_and_when_it_began():
    assert Story().diagnoses().read("phase:diagnose").split("\n") == [
        "🎯 Evidence",
        "• checkout 2.3.1 was deployed at 02:59 UTC by chika · view (https://deploys.example/77)",
        f"• {ERRORS.summary.rstrip('.')} · view ({ERRORS.evidence[0].url})",
        "• A new error line in checkout 2.3.1: `KeyError: 'discount' <!channel> in 'price'`",
        "The problem started at 02:59 UTC, 54 s before the request.",
        "Against it: CPU of the new version is as usual.",
        "Also suspected",
        "• Possible (35 %): The bank answers slowly.",
        "[Details]  [What else?]  [Right]  [Wrong]  [Other …]",
    ]


def test_the_thread_shows_one_finding_of_each_source_first_and_none_that_the_cause_repeats():
    same = ERRORS.model_copy(update={"id": "same", "summary": BAD_RELEASE.summary, "strength": 1})
    twice = ERRORS.model_copy(
        update={"id": "twice", "summary": "checkout 2.3.1 fails 12 %", "strength": 0.99}
    )
    lines = short_findings(Story().run, [same, twice, ERRORS, LINES], known=BAD_RELEASE.summary)
    assert [line[:20] for line in lines] == ["• checkout 2.3.1 fai", "• A new error line i"]


def test_times_in_evidence_are_in_the_readers_zone():
    [line] = short_findings(Story().run, [DEPLOY])
    at = START.replace(hour=2, minute=59, second=0)
    assert f"<!date^{int(at.timestamp())}^{{time}}|02:59 UTC>" in line


def test_evidence_comes_with_numbers_and_a_link_that_opens_its_query():
    read = Story().diagnoses().details()
    assert "12 % of its requests with a server error, usually 0.2 %, since 02:59:06 UTC" in read
    assert "http_requests_total" not in read
    assert "· view changes" in read


def test_a_query_without_a_link_is_there_to_paste():
    run = Story().diagnoses().run
    finding = run.diagnosis.findings[0]
    bare = finding.model_copy(
        update={"evidence": tuple(e.model_copy(update={"url": ""}) for e in finding.evidence)}
    )
    assert f"`{bare.evidence[0].query}`" in finding_lines(run, bare, queries=True)


def test_what_speaks_against_it_and_what_was_ruled_out_is_in_the_details():
    read = Story().diagnoses().details()
    assert "Evidence against\n• CPU of the new version is as usual" in read
    assert "Ruled out\n• storefront 1.9.0: not on the failing path" in read


def test_a_tie_is_shown_as_a_tie():
    rival = SLOW_BANK.model_copy(update={"confidence": 0.9})
    read = Story().diagnoses(diagnosis(causes=(BAD_RELEASE, rival))).read("phase:diagnose")
    assert "About equally likely\n• Very likely (90 %): The bank answers slowly." in read
    assert "Also suspected" not in read


def test_a_missing_source_makes_the_diagnosis_say_that_it_is_less_sure():
    unread = (
        Source(name="database", status=SourceStatus.UNAVAILABLE, why="connection refused"),
        Source(name="logs", status=SourceStatus.GARBAGE),
    )
    read = Story().diagnoses(diagnosis(sources=unread)).read("root")
    assert (
        "Not read: database (connection refused) and logs (garbage). Confidence is lower without them."
        in read
    )


def test_no_fault_found_says_what_was_looked_at_and_is_as_usual():
    nothing = diagnosis(
        verdict="no_fault_found", causes=(), summary="No fault found: errors of checkout are as usual."
    )
    story = Story().diagnoses(nothing)
    checked = "🟢 Checked: Logs, Metrics, Recent changes, Dependencies and Database."
    assert story.read("phase:diagnose").split("\n")[0] == checked
    read = story.details()
    assert "✅ Logs: 4,210 lines of 3 services over 30 min" in read
    assert "nothing is blocked" in read
    assert "storefront 1.9.0: not on the failing path" in read


def test_the_end_of_no_fault_names_what_is_unusual_but_harmless():
    nothing = diagnosis(verdict="no_fault_found", causes=(), summary="No fault found: errors are as usual.")
    root = Story().diagnoses(nothing).finishes("no_fault_found", nothing.summary).read("root")
    assert "Unusual, but harmless: checkout answers 12 % of its requests" in root
    assert "was deployed" not in root


def test_unclear_says_what_would_help():
    unclear = diagnosis(
        verdict="unclear",
        summary="Errors rose and nothing explains them",
        causes=(SLOW_BANK.model_copy(update={"evidence": (LINES.id, "the bank is far away")}),),
        sources=(Source(name="database", status=SourceStatus.TIMED_OUT, why="no answer within 2 s"),),
    )
    story = Story().diagnoses(unclear)
    read = story.read("phase:diagnose")
    assert read.startswith("🟠 What I could see\nI could not read database (no answer within 2 s).")
    assert "Possible (35 %): The bank answers slowly." in read
    assert "• the bank is far away" in read
    assert "Cause unclear: Errors rose and nothing explains them" in story.read("root")


def test_long_lists_are_counted_rather_than_told():
    many = tuple(RuledOut(what=f"deploy {i}", why="not on the failing path") for i in range(20))
    causes = (BAD_RELEASE.model_copy(update={"evidence": tuple(f"fact {i}" for i in range(9))}),)
    story = Story().diagnoses(diagnosis(ruled_out=many, causes=causes))
    assert "and 8 more" in story.details()
    assert story.read("phase:diagnose").count("• fact") == 3


@pytest.mark.parametrize(("verdict", "mark"), [("pass", "✅"), ("fail", "❌"), ("unknown", "⚠️")])
def test_a_judgement_is_told_with_its_details(verdict, mark):
    judgement = ReducerResult(verdict=verdict, summary="3 of 4 passed", details=("the smoke test did not",))
    story = Story().gathers().begin("diagnose").end("diagnose", output=judgement)
    assert story.read("phase:diagnose") == f"{mark} Diagnose: 3 of 4 passed\n• the smoke test did not"


def test_a_reducer_that_failed_says_why():
    story = Story().gathers().begin("diagnose").end("diagnose", "failed", why="no such service")
    assert "❌ Diagnose: no such service" in story.read("phase:diagnose")
    assert "no such service" in story.read("root")


def test_a_cause_without_evidence_shows_no_empty_list():
    bare = SLOW_BANK.model_copy(update={"confidence": 0.7})
    for verdict in ("cause_found", "unclear"):
        read = Story().diagnoses(diagnosis(verdict=verdict, causes=(bare,))).read("phase:diagnose")
        assert "🎯 Evidence" not in read
        assert "Evidence for the first" not in read


def test_a_verdict_without_any_cause_is_unclear():
    assert "🟠 What I could see" in Story().diagnoses(diagnosis(causes=())).read("phase:diagnose")


def test_an_answer_that_lacks_a_service_is_read_in_part_and_is_not_unusual_or_usual():
    gap = "payments: Prometheus did not answer within 4 s"
    story = Story().asks().step("evidence", "metrics", Findings(looked_at="41 series", gaps=(gap,)))
    for name in set(PROBES) - {"metrics"}:
        story = story.step("evidence", name, found("database"))
    story = story.end("evidence")
    read = story.details()
    assert "⚠️ Gather evidence: 5 of 5 sources read in " in read
    assert ", 1 in part" in read
    assert "41 series. Nothing unusual" not in read
    assert "⚠️ Payments: Prometheus did not answer within 4 s" in read
    assert "5 of 5 sources, 1 in part" in story.read("root")


def test_without_any_source_none_is_counted():
    story = Story().asks()
    for name in PROBES:
        story = story.step("evidence", name, outcome="not_configured", error="no such source")
    story = story.end("evidence")
    for read in (story.details(), story.read("root")):
        assert "no source is configured" in read
        assert "0 of 0" not in read


def unclear():
    away = (Source(name="metrics", status=SourceStatus.TIMED_OUT, why="no answer within 4 s"),)
    return diagnosis(verdict="unclear", summary="I am not sure.", sources=away)


def looks_again(story: Story) -> Story:
    until = story.run.started_at + timedelta(minutes=1)
    return story.tell(
        LookAgainPlanned(
            at=story.at,
            phase="diagnose",
            until=until,
            because="metrics did not answer in full",
            output=unclear().model_dump(mode="json"),
        )
    )


def test_before_a_second_look_the_first_diagnosis_is_shown_with_when_and_why():
    story = looks_again(Story().gathers(but=["metrics"]).begin("diagnose"))
    assert "Cause unclear" in story.read("root")
    for slot in ("phase:diagnose", "root"):
        read = story.read(slot)
        assert "I read the sources again, once, at 03:0" in read
        assert "because metrics did not answer in full." in read
    assert "[Cancel]" in story.read("root")


def test_a_second_look_replaces_the_answers_and_says_that_it_is_one():
    story = looks_again(Story().gathers(but=["metrics"]).begin("diagnose"))
    story = story.wait(60).tell(LookedAgain(at=story.at, phase="diagnose", over=("evidence",)))
    assert "⏳ Metrics (monitoring): reading …" in story.details()
    assert "I am reading the sources again" in story.read("phase:diagnose")
    for name in PROBES:
        story = story.step("evidence", name, found(name))
    story = story.end("evidence").end("diagnose", output=diagnosis())
    assert "5 of 5 sources read" in story.details()
    read = story.read("phase:diagnose")
    assert "This is the second look. At the first, metrics did not answer in full." in read
    assert "Cause unclear" not in read
