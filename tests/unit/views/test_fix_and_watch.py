"""The fix from its proposal to its verification, and the watch after it."""

from __future__ import annotations

import pytest

from bot.domain.runs.approval import Approval
from bot.domain.runs.effect import ActionResult
from bot.domain.runs.event import ApprovalEnded, ApprovalReminded, ApprovalRequested, PlanRendered, VoteCast
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.runbook import ApprovalPolicy, Check, PluginCall, Runbook
from bot.views import ids
from bot.views.phrases import (
    SKIPPED,
)
from bot.views.thread.run import run_messages
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.views.story import ROLLBACK, TRIAGE, Story


def card(story):
    [message] = [m for m in run_messages(story.run, now=story.at) if m.slot == "phase:fix"]
    return message


def elements(story):
    return [item for block in card(story).blocks if block["type"] == "actions" for item in block["elements"]]


def test_the_proposal_says_exactly_what_will_change_and_how_it_is_undone():
    story = Story().diagnoses().proposes()
    asked = story.read("phase:fix")
    assert asked.startswith("🟡 Approval needed: Roll checkout back to 2.3.0")
    assert "It will: Send all traffic to 2.3.0; Record the rollback." in asked
    assert "Risk: Orders in flight on 2.3.1 are retried once." in asked
    assert "No undo: a record is never taken back." in asked
    assert "Success means: Error rate of checkout." in asked
    assert "`" not in asked
    read = story.details()
    assert "1. Send all traffic to 2.3.0" in read
    assert "`haproxy.shift(backend=checkout, candidate_percent=0)`" in read
    assert "Undo: `haproxy.shift`, restores the earlier state" in read
    assert "No undo: a record is never taken back" in read
    assert "Error rate of checkout: `result.value <= 0.02` within 1 min, held for 5 s" in read
    assert f"plan `{ROLLBACK.digest[:8]}`" in read


def test_an_undo_whose_arguments_are_known_is_shown_in_full():
    undo = PluginCall.model_validate({"action": "settings.put", "with": {"key": "pool", "value": 20}})
    plan = ROLLBACK.model_copy(update={"steps": (ROLLBACK.steps[0].model_copy(update={"undo": undo}),)})
    assert "Undo: `settings.put(key=pool, value=20)`" in Story().diagnoses().proposes(plan).details()


def test_the_buttons_carry_nothing_but_the_approvals_id_and_ask_once_more():
    approve, reject = elements(Story().diagnoses().proposes())
    assert (approve["action_id"], approve["value"]) == (ids.APPROVE, "r-7f3a.opaque")
    assert (reject["action_id"], reject["value"]) == (ids.REJECT_WHY, "r-7f3a.opaque")
    assert "Roll checkout back to 2.3.0. Orders in flight" in approve["confirm"]["text"]["text"]


def test_the_card_says_who_may_decide_and_that_the_requester_may_not():
    read = Story().diagnoses().proposes().read("phase:fix")
    assert "@oncall: please approve or reject by 03:30 UTC" in read
    assert "Ana asked for this and cannot approve it" in read


def test_a_reminder_names_who_may_decide_and_until_when_and_then_says_what_was_decided():
    story = Story().diagnoses().proposes()
    gate = story.run.waiting_for
    story.tell(ApprovalReminded(at=story.at, approval_id=gate.id))
    slot = f"remind:{gate.id}"
    assert "Still waiting for @oncall to decide: Roll checkout back to 2.3.0" in story.read(slot)
    assert "This request expires at 03:30 UTC. Use the buttons above." in story.read(slot)
    story.tell(VoteCast(at=story.at, approval_id=gate.id, by=BEN, verdict="approve", decision="approved"))
    assert "Approved by Ben" in story.read(slot)


def test_a_quorum_shows_who_has_agreed_so_far():
    story = Story().diagnoses().proposes(policy=ApprovalPolicy(groups=("oncall",), quorum=2))
    assert "0 of 2 approvals" in story.read("phase:fix")
    story.wait(3).votes(by=BEN, decision=None)
    assert "1 of 2 approvals: Ben" in story.read("phase:fix")
    assert len(elements(story)) == 2
    story.wait(3).votes(by=CHI)
    assert "Approved by Ben and Chika at 03:00 UTC." in story.read("phase:fix")


def test_a_requester_who_may_approve_is_named_with_the_reason():
    policy = ApprovalPolicy(groups=("oncall",), allow_requester=True, why="a team of one")
    assert "Ana asked for this and may approve it too: a team of one" in Story().diagnoses().proposes(
        policy=policy
    ).read("phase:fix")


def test_the_buttons_go_with_the_decision():
    story = Story().diagnoses().proposes().wait(8).votes()
    assert elements(story) == []
    assert "Approved by Ben at 03:00 UTC." in story.read("phase:fix")
    assert card(story).urgent


def test_the_buttons_go_when_the_time_is_over_even_before_that_is_recorded():
    story = Story().diagnoses().proposes().wait(1800)
    assert elements(story) == []


def test_a_rejection_names_who_and_that_nothing_was_changed():
    story = Story().diagnoses().proposes().wait(8).votes("reject", decision="rejected")
    story.end("fix", "rejected", why="Ben rejected it").finishes("rejected", "Nothing was changed.")
    read = story.read("phase:fix")
    assert "⚪ Roll checkout back to 2.3.0: rejected" in read
    assert "Rejected by Ben at 03:00 UTC. Nothing was changed." in read
    assert "Ben rejected the plan. Nothing was changed." in story.read("root")
    assert elements(story) == []


def test_an_expired_approval_says_that_nobody_decided():
    story = Story().diagnoses().proposes().expires().finishes("expired", "Nothing was changed.")
    assert "Expired at 03:30 UTC without a decision. Nothing was changed." in story.read("phase:fix")
    assert "No decision from oncall in time. Nothing was changed." in story.read("root")


def test_a_cancelled_approval_says_so():
    story = Story().diagnoses().proposes().cancelled()
    story.tell(ApprovalEnded(at=story.at, approval_id="r-7f3a.opaque", decision="cancelled"))
    assert "Cancelled before a decision." in story.read("phase:fix")


def test_steps_are_shown_as_they_are_done():
    story = Story().diagnoses().proposes().wait(8).votes().intends()
    read = story.read("phase:fix")
    assert "⏳ Send all traffic to 2.3.0 …" in read
    assert "▫️ Record the rollback" in read
    story.wait(1).step(
        "fix", "shift", ActionResult(summary="All traffic goes to 2.3.0", changed=False), took_s=0.9
    )
    read = story.read("phase:fix")
    assert "✅ Send all traffic to 2.3.0: All traffic goes to 2.3.0 (already in this state)" in read
    assert "⏳ Record the rollback …" in read


def test_verifying_shows_the_value_it_waits_for():
    story = Story().diagnoses().proposes().acts()
    story.look("fix", ok=False, text="Error rate of checkout: 4 %")
    read = story.read("phase:fix")
    assert "Roll checkout back to 2.3.0: done, verifying" in read
    assert "⏳ Error rate of checkout: 4 % 🟥" in read


def test_the_verified_end_shows_what_was_done_and_the_value():
    read = Story().diagnoses().proposes().acts().verifies().read("phase:fix")
    assert read.startswith("✅ Fix: done and verified")
    assert "Recorded as change 78. Error rate of checkout: 0.2 %." in read


def test_a_fix_that_did_not_help_says_so_in_the_title():
    story = Story().diagnoses().proposes().acts()
    error = "not within 60 s; last seen: 4 %"
    story.step("fix", "verify:rate", outcome="failed", error=error).end(
        "fix", "failed", why=f"Error rate: {error}"
    )
    story.finishes("not_recovered", "The fix was applied, but recovery could not be verified.")
    read = story.read("phase:fix")
    assert read.startswith("❌ Fix: done, but recovery is not verified")
    assert "❌ Error rate of checkout: not within 60 s." in read
    root = story.read("root")
    assert root.startswith("🔴 Triage checkout: needs a person, the fix did not help")
    assert "It did not help: 4 %. Changes still in place: Send all traffic to 2.3.0" in root


def test_a_failed_step_says_why_what_to_do_and_what_was_put_back():
    story = Story().diagnoses().proposes().wait(8).votes().intends().wait(1)
    story.step("fix", "shift", ActionResult(summary="All traffic goes to 2.3.0")).undone("shift")
    story.step("fix", "note", outcome="failed", error="the ledger is full", hint="Make room.")
    story.end("fix", "failed", why="Record the rollback: the ledger is full").finishes(
        "failed", "the ledger is full"
    )
    read = story.read("phase:fix")
    assert read.startswith("❌ Fix: stopped, rolled back")
    assert "❌ Record the rollback: the ledger is full." in read
    assert "Make room." in read
    assert "↩️ rolled back" in read


def test_an_undo_that_left_things_as_they_are_says_why_and_not_that_it_put_them_back():
    left = ActionResult(
        summary="expand of 1.4.0 was left in place, since orders.cents holds data", changed=False
    )
    story = Story().diagnoses().proposes().acts().undone("shift", said=left).end("fix", "failed", why="slow")
    read = story.read("phase:fix")
    assert "↩️ expand of 1.4.0 was left in place, since orders.cents holds data" in read
    assert "↩️ rolled back" not in read


def test_an_undo_that_failed_is_an_alarm():
    story = (
        Story().diagnoses().proposes().acts().undone("shift", "failed").end("fix", "breached", why="too slow")
    )
    assert "🚨 could not be rolled back (failed): check it by hand" in story.read("phase:fix")
    assert "Why it stopped: too slow" in story.read("phase:fix")


@pytest.mark.parametrize("recorded", [True, False])
def test_an_effect_in_doubt_is_loud(recorded):
    story = Story().diagnoses().proposes().wait(8).votes().intends()
    if recorded:
        story.step("fix", "shift", outcome="in_doubt", error="no answer within 10 s", hint="Ask the proxy.")
    assert recorded == ("🚨" in story.read("phase:fix"))
    story.end("fix", "failed", why="nothing more is done before a person has looked").finishes(
        "failed", "in doubt"
    )
    read = story.read("phase:fix")
    assert "🚨 In doubt: Send all traffic to 2.3.0" in read
    assert "Check the target before you do anything else." in read
    assert "in doubt, check the target before you do anything else" in read.split("\n")[0]


def test_an_effect_in_doubt_of_a_cancelled_run_is_not_said_to_be_nothing():
    story = Story().diagnoses().proposes().wait(8).votes().intends().cancelled()
    story.finishes("cancelled", "Ben cancelled it.")
    assert "It is in doubt whether anything was changed" in story.read("root")


def step_gate(story, decision=None):
    approval = Approval(
        id="r-7f3a.second",
        phase="fix",
        step="note",
        plan_hash=ROLLBACK.digest,
        policy=ApprovalPolicy(groups=("dba",)),
        groups=("dba",),
        requested_by=ANA,
        requested_at=story.at,
        expires_at=story.at.replace(hour=4),
    )
    story.tell(ApprovalRequested(at=story.at, approval=approval))
    if decision is not None:
        verdict = "approve" if decision == "approved" else "reject"
        vote = VoteCast(at=story.at, approval_id=approval.id, by=CHI, verdict=verdict, decision=decision)
        story.tell(vote)
    return story


def half_done():
    story = Story().diagnoses().proposes().wait(8).votes().intends()
    return story.step("fix", "shift", ActionResult(summary="All traffic goes to 2.3.0"))


def test_a_step_with_a_gate_of_its_own_shows_what_was_done_and_what_is_asked():
    story = step_gate(half_done())
    read = story.read("phase:fix")
    assert read.startswith("🟡 Roll checkout back to 2.3.0: the next step needs an approval")
    assert "✅ Send all traffic to 2.3.0: All traffic goes to 2.3.0" in read
    assert "⏸️ Record the rollback" in read
    assert "No undo: a record is never taken back." in read
    assert "@dba: please approve or reject by 04:00 UTC" in read
    assert [item["value"] for item in elements(story)] == ["r-7f3a.second"] * 2
    assert "Waiting for @dba to review in this thread by 04:00 UTC: Record the rollback." in story.read(
        "root"
    )


def test_the_decision_on_a_step_is_kept_beside_that_on_the_plan():
    story = step_gate(half_done(), "approved")
    read = story.read("phase:fix")
    assert "Approved by Ben at 03:00 UTC." in read
    assert "Record the rollback: Approved by Chika at 03:00 UTC." in read
    assert card(story).urgent
    assert elements(story) == []


def test_a_step_rejected_half_way_tells_what_was_put_back():
    story = step_gate(half_done(), "rejected").undone("shift")
    story.end("fix", "rejected", why="Chika rejected it").finishes("rejected", "Chika rejected it")
    assert "Record the rollback: Rejected by Chika" in story.read("phase:fix")
    assert "↩️ rolled back" in story.read("phase:fix")
    assert "Chika rejected the plan. All changes were rolled back." in story.read("root")


def test_a_pipeline_without_a_gate_goes_straight_to_its_steps():
    story = Story().diagnoses().proposes().acts()
    story.events = [e for e in story.events if e.type not in {"approval_requested", "vote_cast"}]
    assert "Approved" not in story.read("phase:fix")
    assert "✅ Send all traffic to 2.3.0" in story.read("phase:fix")


def runbook(*phases):
    return Runbook.model_validate({"name": "planned", "summary": "s", "phases": list(phases)})


def test_a_plan_that_no_pipeline_carries_out_is_shown_itself():
    book = runbook({"id": "remedy", "kind": "plan", "diagnosis": "d"})
    story = Story(book).begin("remedy").tell(PlanRendered(at=Story().at, phase="remedy", plan=ROLLBACK))
    assert "It will: Send all traffic to 2.3.0; Record the rollback." in story.end("remedy").read(
        "phase:remedy"
    )
    assert "1. Send all traffic to 2.3.0" in story.details()
    empty = RenderedPlan(summary="No remedy known", why_empty="no remedy is known for saturation")
    story = Story(book).begin("remedy").tell(PlanRendered(at=Story().at, phase="remedy", plan=empty))
    assert "No remedy known: no remedy is known for saturation" in story.end("remedy").read("phase:remedy")
    failed = Story(book).begin("remedy").end("remedy", "failed", why="the template is broken")
    assert "❌ Remedy: the template is broken" in failed.read("phase:remedy")


def test_a_pipeline_whose_plan_could_not_be_rendered_says_why():
    step = {"id": "a", "action": "act"}
    story = Story(runbook({"id": "go", "kind": "pipeline", "steps": [step]})).begin("go")
    assert "the template is broken" in story.end("go", "failed", why="the template is broken").read(
        "phase:go"
    )


def test_forty_steps_stay_readable_and_within_the_limits():
    steps = tuple(
        ROLLBACK.steps[0].model_copy(update={"id": f"s{i}", "title": f"Step number {i}"}) for i in range(40)
    )
    story = Story().diagnoses().proposes(ROLLBACK.model_copy(update={"steps": steps}))
    assert "Step number 5.\nand 34 more steps" in story.read("phase:fix")
    assert "[Approve]" in story.read("phase:fix")
    assert "40. Step number 39" in story.details()


def test_a_check_of_a_step_is_shown_with_the_step():
    check = Check(id="up", title="It answers", probe="http.health", expect="result.value == 1", within_s=30)
    steps = (ROLLBACK.steps[0].model_copy(update={"verify": (check,), "approval": ApprovalPolicy()}),)
    story = Story().diagnoses().proposes(ROLLBACK.model_copy(update={"steps": steps}))
    assert "Checked: It answers: `result.value == 1` within 30 s" in story.details()
    assert "It will: Send all traffic to 2.3.0 (needs its own approval)." in story.read("phase:fix")


def test_the_watch_shows_its_looks_and_when_it_ends():
    read = Story().diagnoses().proposes().acts().verifies().watches(looks=4).read("phase:watch")
    assert read.startswith("⏳ Keep watching until 03:10 UTC")
    assert "🟩🟩🟩🟩" in read
    assert "Error rate: 0.2 %" in read


def test_a_watch_that_ended_well_says_for_how_long():
    story = Story().diagnoses().proposes().acts().verifies().watches().end("watch")
    assert "✅ Keep watching: all well for 45 s, 3 checks" in story.read("phase:watch")


def test_a_breach_is_red_in_the_watch_and_at_the_end():
    story = Story().diagnoses().proposes().acts().verifies().watches()
    story.look("watch", ok=False, text="Error rate: 9 %").look("watch", ok=None, text="could not be measured")
    story.end("watch", "breached", why="Error rate: 9 %").finishes(
        "breached", "It came back: Error rate: 9 %"
    )
    assert story.read("phase:watch").startswith("🔴 The problem came back while I watched, after 5 checks")
    assert "🟩🟩🟩🟥⬜" in story.read("phase:watch")
    assert story.read("root").startswith("🔴 Triage checkout: needs a person, the problem came back")
    assert "triage again now. The fix did not hold." in story.read("root")


def test_a_watch_that_was_stopped_or_failed_says_so():
    base = Story().diagnoses().proposes().acts().verifies().watches()
    assert "❌ Keep watching: no probe" in base.end("watch", "failed", why="no probe").read("phase:watch")
    stopped = (
        Story().diagnoses().proposes().acts().verifies().watches().cancelled().finishes("cancelled", "x")
    )
    assert f"{SKIPPED} Keep watching: stopped after 3 checks" in stopped.read("phase:watch")


@pytest.mark.parametrize(
    ("for_s", "params", "until"),
    [("params.watch", {"watch": 120}, "until 03:02 UTC"), ("settings.watch_s", {}, "")],
)
def test_the_end_of_a_watch_is_told_where_the_run_knows_it(for_s, params, until):
    data = TRIAGE.model_dump(mode="json", by_alias=True)
    data["phases"][-1]["for_s"] = for_s
    story = Story(Runbook.model_validate(data))
    story.events[0] = story.events[0].model_copy(update={"params": {"service": "checkout", **params}})
    story.begin("watch")
    assert story.read("phase:watch") == f"⏳ Keep watching {until}".rstrip()
