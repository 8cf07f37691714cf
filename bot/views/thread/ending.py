"""How a run ended and what to do next, in one or two lines."""

from __future__ import annotations

from typing import assert_never

from bot.domain.diagnoses.diagnosis import Cause, CauseKind
from bot.domain.formatting import duration, listed, several
from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import RunOutcome
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import Background, Pipeline
from bot.views.blocks import context, section
from bot.views.limits import bold, code, prose
from bot.views.phrases import (
    OUTCOMES,
    after_echo,
    capital,
    human,
    sentence,
    who,
)
from bot.views.thread.state import calm_word, effects_left, recovered_at, took, trouble_began


def final_blocks(run: Run) -> list[JsonObject]:
    """Return the end of a run: the outcome with its numbers, and the next step."""
    if run.outcome is None:
        return []
    colour, _ = OUTCOMES[run.outcome]
    ended = run.finished_at or run.started_at
    lasted = duration((ended - run.started_at).total_seconds())
    return [
        section(f"{colour} {bold(headline_of_end(run, run.outcome))} {story(run)}".strip(), next_line(run)),
        context(f"run {code(run.id, 80)}", f"took {lasted}"),
    ]


def headline_of_end(run: Run, outcome: RunOutcome) -> str:
    """Return an outcome as a short sentence, with the time to recovery where there is one."""
    about = run.service or human(run.runbook.name)
    healed = recovered_at(run)
    if outcome == "recovered" and healed is not None:
        began, what = trouble_began(run)
        return f"{about} recovered {duration((healed - began).total_seconds())} after {what}."
    return sentence(f"{about}: {OUTCOMES[outcome][1]}")


def story(run: Run) -> str:
    """Return what led to the end, as mrkdwn: cause, fix, who approved, and the checks since."""
    match run.outcome:
        case None:
            return ""
        case "recovered":
            return " ".join(part for part in (_fixed(run), _watched(run)) if part)
        case "no_fault_found" | "unclear" | "no_remedy" | "failed" | "not_recovered" | "breached":
            return sentence(prose(after_echo(run.summary, OUTCOMES[run.outcome][1]), 800))
        case "cancelled":
            why = f": {prose(run.cancelled_why, 300)}" if run.cancelled_why else ""
            return f"{sentence(f'{who(run.cancelled_by)} cancelled it{why}')} {effects_left(run)}"
        case "rejected" | "expired":
            return f"{sentence(_undecided(run))} {effects_left(run)}"
        case "done":
            text = "" if run.summary == "Done." else prose(run.summary, 600)
            return " ".join(part for part in (sentence(text), _fixed(run), _watched(run)) if part)
        case _:
            assert_never(run.outcome)


def next_line(run: Run) -> str:
    """Return what a person should do next; empty if there is nothing to do."""
    text = "" if run.outcome is None else _next(run, run.outcome)
    return f"*Next:* {text}" if text else ""


def _next(run: Run, outcome: RunOutcome) -> str:  # noqa: C901  # a closed set
    match outcome:
        case "recovered":
            top = run.diagnosis.top if run.diagnosis is not None else None
            return "" if top is None else after(top)
        case "no_fault_found":
            return "if people still see problems, triage again over a longer time (`since 2h`)."
        case "unclear":
            return "needs a human. The thread shows what I checked and what is missing."
        case "no_remedy":
            return "needs a human. I found the cause but have no automated fix for it."
        case "rejected":
            return "the problem is still there. Fix it by hand, or triage again for a new plan."
        case "expired":
            return "the problem may still be there. Triage again for a new plan."
        case "failed":
            return "check the failed step in this thread, then fix it by hand or try again."
        case "not_recovered":
            return "check the other suspects in the diagnosis, or triage again to see the current state."
        case "breached":
            return "triage again now. The fix did not hold."
        case "cancelled" | "done":
            return ""
        case _:
            assert_never(outcome)


def after(cause: Cause) -> str:
    """Return what is left to do for a permanent fix, once a cause no longer does harm."""
    thing = prose(cause.component, 120) or "setting"
    holder = prose(str(cause.data.get("application_name") or "the transaction"), 80)
    version = prose(str(cause.data.get("version") or cause.component or "the release"), 80)
    lasting = {
        CauseKind.BAD_RELEASE: f"don't redeploy {version} until it is fixed.",
        CauseKind.BAD_CONFIGURATION: f"fix {thing} in its source, or it will be overwritten again.",
        CauseKind.DATABASE_LOCK: f"find out why {holder} held its lock for that long.",
        CauseKind.DATABASE_DOWN: "find out why the database went down.",
        CauseKind.DEPENDENCY_DOWN: f"switch back to {prose(cause.service, 80)} once it is healthy again.",
        CauseKind.SATURATION: f"find out what used up the {thing}.",
        CauseKind.SERVICE_DOWN: f"find out why {prose(cause.service, 80)} stopped.",
        CauseKind.CODE_FAULT: f"fix the bug in {prose(cause.service, 80)}.",
        CauseKind.UNKNOWN: "write down what you know while it is fresh.",
    }
    return lasting[cause.kind]


def _fixed(run: Run) -> str:
    parts: list[str] = []
    for phase in run.runbook.phases:
        plan = run.plan_for(phase.id) if isinstance(phase, Pipeline) else None
        if plan is not None and run.phases[phase.id].outcome == "ok":
            parts.append(f"{prose(plan.summary, 200)}{_approved(run.gate(phase.id))}")
    return sentence("; ".join(parts))


def _approved(gate: Approval | None) -> str:
    people = listed([who(person) for person in gate.approved_by]) if gate is not None else ""
    return f", approved by {people}" if people else ""


def _watched(run: Run) -> str:
    states = [run.phases[phase.id] for phase in run.runbook.phases if isinstance(phase, Background)]
    return " ".join(_calm(state) for state in states if state.outcome == "ok")


def _calm(state: PhaseState) -> str:
    """Return how a watch ended that breached nothing, and what its checks remark."""
    seen = list(state.samples[-1].seen.values()) if state.samples else []
    remarks = [sentence(capital(prose(str(one["remark"]), 300))) for one in seen if one.get("remark")]
    return " ".join(
        (f"{calm_word(state)} for {took(state)} ({several(state.samples_total, 'check')}).", *remarks)
    )


def _undecided(run: Run) -> str:
    gates = [gate for gate in run.approvals.values() if gate.decision not in {None, "approved"}]
    if not gates:
        return prose(run.summary, 600)
    gate = gates[-1]
    if gate.decision == "rejected":
        return f"{who(gate.decided_by)} rejected the plan"
    return f"No decision from {listed(list(gate.groups), last='or') or 'an approver'} in time"
