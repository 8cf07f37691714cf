"""Whoever paused, promoted, aborted or cancelled is named where the rollout is shown, also after its end."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.runs.approval import Approval, Audience
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalRequested,
    ApproversFound,
    CancelRequested,
    EffectIntended,
    PhaseFinished,
    PhaseStarted,
    PlanRendered,
    RolloutSteered,
    RunFinished,
    StepFinished,
    StepRef,
)
from bot.domain.runs.plan import PlannedStep, RenderedPlan
from bot.domain.runs.run import Run, fold
from bot.domain.runs.runbook import ApprovalPolicy
from bot.views.blocks import flatten
from bot.views.deployment import announcement
from bot.views.phrases import names_in
from bot.views.thread.run import run_messages
from tests.support.worlds import ANA, BEN, START, started
from tests.unit.engine.test_judged_steps import JUDGE
from tests.unit.views.oracle import assert_valid_message
from tests.unit.views.test_deployments import deployment
from tests.unit.views.test_rollout_chart import CANARY, STEP, look

SHIFT = {"id": "shift", "title": "Give it 5 %", "action": "worlds.act", "no_undo": "a test", "judge": JUDGE}
PLAN = RenderedPlan(summary="Deploy 1.5.0", steps=(PlannedStep.model_validate(SHIFT),))
REFS = (StepRef(id="shift", title="Give it 5 %"), StepRef(id=STEP, title="Judge canary and stable"))
BEGUN = (
    PlanRendered(at=START, phase="fix", plan=PLAN),
    PhaseStarted(at=START, phase="fix", steps=REFS),
    EffectIntended(at=START, phase="fix", step="shift", key="k", epoch=1),
    StepFinished(at=START, phase="fix", step="shift", outcome="ok"),
    look(1, canary_errors=0),
)


def said(word, who, *, after_s=60):
    return RolloutSteered(at=START + timedelta(seconds=after_s), by=who, word=word, key=word)


def rollout(*events) -> Run:
    return fold("r1", [started(CANARY), *BEGUN, *events])


def shown(run: Run, slot: str, *, after_s=60):
    messages = run_messages(run, now=START + timedelta(seconds=after_s))
    [message] = [one for one in messages if one.slot == slot]
    assert_valid_message(message)
    return message


def read(run: Run, slot: str) -> str:
    return flatten(shown(run, slot).blocks, names=names_in(run))


def test_who_promoted_and_who_paused_before_is_named_in_the_thread_after_the_end():
    run = rollout(
        said("pause", ANA),
        said("resume", BEN, after_s=120),
        said("promote", BEN, after_s=180),
        StepFinished(at=START, phase="fix", step=STEP, outcome="ok"),
        PhaseFinished(at=START, phase="fix", outcome="ok"),
        RunFinished(at=START, outcome="done", summary="Done."),
    )
    line = "Paused by Ana at 03:01 UTC, resumed by Ben at 03:02 UTC, promoted by Ben at 03:03 UTC."
    assert line in read(run, "phase:fix")
    assert "Ben promoted it before the judge was done." in read(run, "root")


def test_the_announcement_names_who_promoted_who_aborted_and_who_cancelled():
    steered = rollout(said("promote", BEN)).steering.said
    ended = announcement(deployment(steered=steered, outcome="succeeded", summary="Done.", finished_at=START))
    assert "Promoted by Ben at 03:01 UTC." in ended.text
    aborted = rollout(said("abort", ANA)).steering.said
    assert "Aborted by Ana at 03:01 UTC." in announcement(deployment(steered=aborted)).text
    cancelled = announcement(deployment(outcome="cancelled", decided_by=BEN))
    assert "Cancelled by Ben." in cancelled.text
    assert_valid_message(cancelled)


def test_a_click_is_shown_at_once_and_what_comes_later_keeps_its_pace():
    run = rollout(said("pause", ANA))
    for slot in ("root", "phase:fix"):
        assert "Paused by Ana." in read(run, slot)
        assert shown(run, slot, after_s=61).urgent
        assert not shown(run, slot, after_s=70).urgent
    assert not shown(rollout(), "root").urgent


def test_a_cancellation_is_shown_at_once():
    run = rollout(CancelRequested(at=START, by=BEN))
    assert shown(run, "root").urgent
    assert "Ben cancelled it: all traffic goes back to stable." in read(run, "root")


def test_a_question_of_the_judge_that_was_decided_without_people_says_so():
    gate = Approval(
        id="r1.ask",
        phase="fix",
        step=STEP,
        plan_hash="h",
        policy=ApprovalPolicy(groups=("oncall",)),
        groups=("oncall",),
        requested_by=ANA,
        requested_at=START,
        expires_at=START + timedelta(minutes=10),
    )
    found = ApproversFound(at=START, approval_id=gate.id, audience=Audience(groups={"S0ONCALL01": "oncall"}))
    asked = rollout(ApprovalRequested(at=START, approval=gate), found)
    read_now = read(asked, "ask:r1.ask")
    assert read_now.startswith(
        "🟡 Approval needed: continue although the judge could not decide: Deploy 1.5.0"
    )
    assert "So far:" in read_now
    assert "see the request in this thread" in read(asked, "phase:fix")
    over = rollout(
        ApprovalRequested(at=START, approval=gate),
        found,
        ApprovalEnded(at=START, approval_id=gate.id, decision="cancelled"),
    )
    assert "No longer needed" in read(over, "ask:r1.ask")
