"""The thread as a whole: its messages, its root, and how it ends."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from bot.domain.diagnoses.diagnosis import CauseKind, Source, SourceStatus
from bot.domain.diagnoses.finding import Facts
from bot.domain.people import Person
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.ending import ending_of
from bot.domain.runs.event import PlanRendered, RunOutcome, StepOutcome, StepRef
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.runbook import Runbook
from bot.views import ids
from bot.views.blocks import flatten
from bot.views.exports.transcript import thread_text
from bot.views.limits import unescape
from bot.views.phrases import (
    ENDINGS,
    STEP_OUTCOMES,
)
from bot.views.thread.details import details_modal
from bot.views.thread.ending import after
from bot.views.thread.run import run_messages
from tests.unit.views.oracle import assert_valid_message
from tests.unit.views.story import BAD_RELEASE, START, Story, diagnosis, found


def buttons(message):
    return [
        (item["action_id"], item["value"])
        for block in message.blocks
        if block["type"] == "actions"
        for item in block["elements"]
    ]


def test_a_triage_is_told_in_one_root_and_one_reply_a_phase_that_says_something():
    assert Story().recovers().slots() == [
        "root",
        "phase:diagnose",
        "phase:fix",
        "phase:watch",
        "final",
    ]


def test_a_phase_has_no_reply_before_it_has_started():
    assert Story().slots() == ["root"]
    assert Story().asks().slots() == ["root"]
    assert Story().gathers().begin("diagnose").slots() == ["root", "phase:diagnose"]


def test_a_reply_that_was_posted_never_disappears():
    told = Story().recovers()
    seen: set[str] = set()
    for length in range(1, len(told.events) + 1):
        part = Story()
        part.events, part.at = told.events[:length], told.at
        slots = set(part.slots())
        assert seen <= slots
        seen = slots


def test_rendering_again_later_changes_nothing_while_nothing_happens():
    run = Story().diagnoses().proposes().run
    assert run_messages(run, now=START) == run_messages(run, now=START + timedelta(minutes=25))


def test_the_root_says_at_once_who_asked_and_offers_to_cancel():
    story = Story()
    assert "Triage checkout: gathering context" in story.read("root")
    assert "requested by Ana" in story.read("root")
    assert buttons(story.messages[0]) == [(ids.CANCEL_RUN, "r-7f3a"), (ids.DETAILS, "r-7f3a")]


def test_the_root_shows_the_strongest_finding_while_others_are_still_read():
    story = Story().asks()
    assert "Still reading: Logs, Metrics, Recent changes, Dependencies and Database" in story.read("root")
    story.step("evidence", "metrics", found("metrics"))
    assert "Strongest evidence so far: checkout answers 12 % of its requests" in story.read("root")
    assert "1 of 5 sources" in story.read("root")


def test_the_root_says_the_cause_with_its_confidence_and_who_is_waited_for():
    root = Story().diagnoses().proposes().read("root")
    assert root.startswith("🟡 Triage checkout: waiting for approval")
    assert "Cause: Release 2.3.1 of checkout fails 12 % of its requests. Very likely (92 %)." in root
    assert "Waiting for @oncall to review in this thread by 03:30 UTC: Roll checkout back to 2.3.0." in root


def test_the_root_follows_the_fix_to_its_end():
    acting = Story().diagnoses().proposes().wait(3).votes()
    assert "Triage checkout: making changes" in acting.read("root")
    assert "Now: Roll checkout back to 2.3.0." in acting.read("root")
    verifying = Story().diagnoses().proposes().acts()
    assert "Triage checkout: verifying" in verifying.read("root")
    watching = Story().diagnoses().proposes().acts().verifies().watches()
    assert watching.read("root").startswith("🟢 Triage checkout: recovered, watching")
    assert "watching until 03:10 UTC" in watching.read("root")


def test_a_watch_with_nothing_to_judge_by_does_not_end_as_all_well():
    def ended(*, known: bool) -> Story:
        seen = {"known": known, "remark": "errors are not watched here: `git` counts nothing"}
        story = Story().diagnoses().proposes().acts().verifies().watches()
        story.look("watch", ok=True, text="up", errors=seen).end("watch")
        return story.finishes("recovered", "Release 2.3.1 of checkout is failing.")

    root = ended(known=False).read("root")
    assert "Up for 47 s (4 checks). Errors are not watched here: `git` counts nothing." in root
    assert "All well" not in root
    assert "up for 47 s, 4 checks" in ended(known=False).read("phase:watch")
    assert "All well for 47 s (4 checks). Errors are not watched here" in ended(known=True).read("root")


def test_the_end_says_how_fast_it_recovered_and_who_approved():
    story = Story().recovers(alert_before_s=20)
    assert story.read("root").split("\n")[:6] == [
        "🟢 Triage checkout: recovered",
        "Resolved 03:00 UTC, 40 s after the alert.",
        "Cause: Release 2.3.1 of checkout fails 12 % of its requests. Very likely (92 %).",
        "Done: Roll checkout back to 2.3.0, approved by Ben; errors now 0.2 %.",
        "All well for 45 s (3 checks).",
        "Next: don't redeploy 2.3.1 until it is fixed.",
    ]
    assert story.read("final") == "🟢 Triage checkout: recovered. See the top of this thread."
    assert buttons(story.messages[0]) == [(ids.DETAILS, "r-7f3a")]


def test_without_an_alert_recovery_counts_from_the_question():
    assert "Resolved 03:00 UTC, 20 s after the request." in Story().recovers().read("root")


def test_the_messages_people_wait_for_are_urgent():
    waiting = {m.slot: m.urgent for m in Story().diagnoses().proposes().messages}
    assert waiting == {"root": True, "phase:diagnose": True, "phase:fix": True}
    verifying = {m.slot: m.urgent for m in Story().diagnoses().proposes().acts().messages}
    assert not verifying["root"]
    assert not verifying["phase:fix"]
    ended = {m.slot: m.urgent for m in Story().recovers().messages}
    assert ended["root"]
    assert ended["final"]


@pytest.mark.parametrize("outcome", get_args(RunOutcome))
def test_every_outcome_has_words_in_the_root_and_the_final_line(outcome):
    story = Story().diagnoses().finishes(outcome, "the summary of the end")
    colour, words = ENDINGS[ending_of(story.run)]
    assert story.read("root").startswith(f"{colour} Triage checkout: {words}")
    assert story.read("final").startswith(f"{colour} Triage checkout: {words}")


def test_every_outcome_of_a_step_has_words():
    assert set(STEP_OUTCOMES) == set(get_args(StepOutcome))


@pytest.mark.parametrize("kind", CauseKind)
def test_every_kind_of_cause_says_what_is_left_to_do_for_good(kind):
    assert after(BAD_RELEASE.model_copy(update={"kind": kind})).endswith(".")


def test_nothing_found_ends_green_with_a_way_on():
    nothing = diagnosis(verdict="no_fault_found", causes=(), summary="No fault found: errors are as usual.")
    plan = RenderedPlan(summary="Nothing to change", why_empty="no fault was found")
    story = Story().diagnoses(nothing)
    story.begin("remedy").end("remedy", why="no fault was found")
    story.end("fix", "skipped", why=plan.why_empty).end("watch", "skipped", why="nothing was changed")
    story.finishes("no_fault_found", nothing.summary)
    assert story.slots() == ["root", "phase:diagnose", "final"]
    assert story.read("root").startswith("🟢 Triage checkout: no fault found\nUnusual, but harmless:")
    assert "\nErrors are as usual.\n" in story.read("root")
    assert "triage again over a longer time (`since 2h`)" in story.read("root")
    assert "✅" not in story.read("root")
    assert buttons(story.messages[0]) == [(ids.TRIAGE_AGAIN, "r-7f3a"), (ids.DETAILS, "r-7f3a")]


def test_a_cancelled_run_says_by_whom_and_what_is_left_of_it():
    story = Story().diagnoses().proposes().acts().cancelled()
    assert "stopping, because Ben cancelled it" in story.read("root")
    assert buttons(story.messages[0]) == [(ids.DETAILS, "r-7f3a")]
    story.finishes("cancelled", "Ben cancelled it.")
    root = story.read("root")
    assert "Aborted by Ben.\nChanges still in place: Send all traffic to 2.3.0 and Record" in root
    assert "stopped" in story.read("phase:fix")


def test_a_phase_that_an_end_came_before_was_not_begun_and_does_not_look_done():
    story = Story().asks().cancelled().finishes("cancelled", "Ben cancelled it.")
    assert "Fix" not in story.read("root")
    details = unescape(flatten(details_modal(story.run)["blocks"], names={}))
    assert "⚪ Fix · not started" in details
    assert "❌ Gather evidence" in details


def test_a_cancelled_run_that_did_nothing_says_so():
    story = Story().asks().cancelled().finishes("cancelled", "Ben cancelled it.")
    assert "Aborted by Ben.\nNothing was changed." in story.read("root")
    assert "Logs: no answer" not in story.read("root")


def test_the_root_warns_about_sources_that_were_not_read():
    said = diagnosis(
        sources=(Source(name="database", status=SourceStatus.TIMED_OUT, why="no answer within 2 s"),)
    )
    root = Story().gathers(but=["database"]).begin("diagnose").end("diagnose", output=said).read("root")
    assert "⚠️ Not read: database (no answer within 2 s). Confidence is lower without it." in root
    assert "not read: Database" in root


def test_people_are_mentioned_in_blocks_and_named_in_text():
    root = Story().messages[0]
    assert "<@U0ANA00001>" in str(root.blocks)
    assert "Ana" in root.text
    assert "<@" not in root.text


def test_somebody_without_a_chat_id_is_named():
    story = Story()
    cron = Person(id="alertmanager", name="Alertmanager")
    story.events[0] = story.events[0].model_copy(update={"requested_by": cron})
    assert "requested by Alertmanager" in story.read("root")


def test_progress_is_a_plan_block_where_the_workspace_has_them():
    story = Story().diagnoses().proposes().votes()
    root = run_messages(story.run, now=story.at, style="plan")[0]
    assert_valid_message(root)
    [plan] = [block for block in root.blocks if block["type"] == "plan"]
    states = {task["task_id"]: task["status"] for task in plan["tasks"]}
    assert states["diagnose"] == "complete"
    assert states["fix"] == "in_progress"
    assert states["watch"] == "pending"
    waiting = Story().diagnoses().proposes()
    root = run_messages(waiting.run, now=waiting.at, style="plan")[0]
    assert [block for block in root.blocks if block["type"] == "plan"] == []


def test_the_transcript_tells_the_whole_thread_with_its_buttons_and_links():
    story = Story().diagnoses().proposes()
    text = thread_text(story.run, story.at)
    assert text.startswith("🟡 Triage checkout: waiting for approval\n")
    assert "[Approve]  [Reject…]" in text
    assert "view (https://deploys.example/77)" in text
    assert "A new error line in checkout 2.3.1: `KeyError: 'discount' <!channel> in 'price'`" in text
    assert "&lt;" not in text


def deploy(*, watch=False):
    phases = [
        {
            "id": "ground",
            "kind": "explore",
            "steps": [{"id": name, "probe": name} for name in ("a", "b", "c")],
        },
        {"id": "ship", "kind": "pipeline", "title": "Ship", "steps": [{"id": "up", "action": "up"}]},
    ]
    after_it = {"id": "watch", "kind": "background", "checks": [{"id": "x", "probe": "p", "expect": "true"}]}
    phases += [after_it] if watch else []
    return Runbook.model_validate({"name": "deploy_canary", "summary": "s", "phases": phases})


def shipped(story):
    plan = RenderedPlan(summary="Ship 1.4.2", steps=(PlannedStep(id="up", title="Start it", action="up"),))
    story.end("ground").begin("ship", StepRef(id="up", title="Start it")).tell(
        PlanRendered(at=story.at, phase="ship", plan=plan)
    )
    assert "Deploy canary checkout: making changes" in story.read("root")
    return story.wait(3).step("ship", "up", ActionResult(summary="1.4.2 runs")).end("ship")


def test_a_run_that_diagnoses_nothing_is_simply_done():
    story = shipped(Story(deploy())).finishes("done", "Done.")
    assert story.read("root").startswith("🟢 Deploy canary checkout: done\n")
    assert "Done: Ship 1.4.2." in story.read("root")
    assert story.read("phase:ship") == "✅ Ship: done"
    assert buttons(story.messages[0]) == [(ids.DETAILS, "r-7f3a")]


def test_a_watch_after_work_that_mended_nothing_is_a_watch():
    story = shipped(Story(deploy(watch=True))).begin("watch")
    assert story.read("root").startswith("🔵 Deploy canary checkout: watching")


@pytest.mark.parametrize(
    ("on_breach", "then"),
    [
        ("rollback", "Next: review the rollback that I proposed."),
        (None, "Next: type `/rollback checkout`, or triage it."),
    ],
)
def test_a_deployment_that_fails_under_its_watch_says_so_and_how_to_go_back(on_breach, then):
    runbook = deploy(watch=True)
    *phases, watch = runbook.phases
    phases.append(watch.model_copy(update={"on_breach": on_breach}))
    story = shipped(Story(runbook.model_copy(update={"phases": tuple(phases)}))).begin("watch")
    story.look("watch", ok=False, text="errors since the switch: 35 %")
    story.end("watch", "breached", why="errors since the switch: 35 %")
    root = story.finishes("breached", "It failed while I watched: errors since the switch: 35 %").read("root")
    assert root.startswith("🔴 Deploy canary checkout: needs a person, failing since\n")
    assert "Done: Ship 1.4.2.\nSince then: errors since the switch: 35 %.\n" in root
    assert then in root
    assert story.read("phase:watch").startswith("🔴 It failed while I watched, after 1 check\n")


def test_findings_that_no_reducer_weighs_are_worth_a_reply():
    steps = [StepRef(id=name, title=name.upper()) for name in ("a", "b", "c")]
    story = Story(deploy()).begin("ground", *steps)
    assert story.slots() == ["root"]
    story.step("ground", "a", found("metrics"))
    assert "⏳ Ground\n• checkout answers 12 % of its requests" in story.read("phase:ground")


def test_the_root_says_what_is_done_between_the_readings():
    gathered = Story().gathers()
    assert "Now: weighing the evidence." in gathered.read("root")
    assert "⏳ Diagnose: weighing the evidence …" in gathered.begin("diagnose").read("phase:diagnose")
    planning = Story().diagnoses().begin("remedy")
    assert "Triage checkout: planning" in planning.read("root")
    assert "Now: working out what to change." in planning.read("root")
    assert "Triage checkout: finishing" in Story().diagnoses().end("remedy").end("fix").end("watch").read(
        "root"
    )


def rollout(**params) -> Story:
    steps = [{"id": "all", "probe": "gates.all"}]
    book = {
        "name": "deploy-canary",
        "summary": "s",
        "phases": [
            {"id": "gates", "kind": "explore", "required": True, "steps": steps},
            {"id": "ship", "kind": "pipeline", "steps": [{"id": "up", "action": "up"}]},
        ],
    }
    story = Story(Runbook.model_validate(book))
    given = {"service": "checkout", "version": "1.5.0", **params}
    story.events[0] = story.events[0].model_copy(update={"params": given})
    return story.begin("gates", StepRef(id="all", title="Gates"))


def test_a_plan_that_was_only_shown_says_that_nothing_changed_and_offers_to_deploy():
    story = rollout(dry_run=True).step("gates", "all", Facts(summary="open")).end("gates")
    story.tell(PlanRendered(at=story.at, phase="ship", plan=RenderedPlan(summary="Canary of 1.5.0")))
    root = story.end("ship", "skipped", why="not needed").finishes("done", "Done.").read("root")
    assert root.startswith("⚪ Deploy canary checkout 1.5.0: plan only, nothing was changed\n")
    assert "Plan: Canary of 1.5.0.\nNothing was changed.\nNext: Deploy starts it." in root
    assert "✅" not in root
    assert buttons(story.messages[0])[0] == (ids.DEPLOY_PLAN, "r-7f3a")


def test_a_closed_gate_blocks_and_says_why_and_what_opens_it():
    story = rollout().step(
        "gates",
        "all",
        outcome="failed",
        error="checkout is locked by Ana until 05:00 UTC",
        hint="Ask Ana to unlock it.",
        reason="lock_held",
    )
    root = (
        story.end("gates", "failed", why="locked")
        .finishes("failed", "Nothing was changed: locked")
        .read("root")
    )
    assert root.split("\n")[:4] == [
        "⚪ Deploy canary checkout 1.5.0: blocked",
        "Why: checkout is locked by Ana until 05:00 UTC.",
        "Nothing was changed.",
        "Next: Ask Ana to unlock it.",
    ]
