"""How a run ended: what was wrong, what was done and by whom, where things stand, and what to do next."""

from __future__ import annotations

from typing import assert_never

from bot.domain.deployments.deployment import ROLLBACK, deployment_of
from bot.domain.diagnoses.diagnosis import Cause, CauseKind
from bot.domain.diagnoses.finding import Facts, Measurement
from bot.domain.formatting import SHARES, duration, listed, several
from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.domain.runs.ending import Ending, blocked_by, changes_of, ending_of, stopped_by
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState, StepState
from bot.domain.runs.runbook import Background, Pipeline
from bot.views.blocks import section
from bot.views.limits import bold, prose
from bot.views.phrases import (
    after_echo,
    capital,
    in_readers_zone,
    likelihood,
    local,
    quantity,
    sentence,
    who,
    without_ids,
)
from bot.views.thread.diagnosis import cause_in_root, harmless_line
from bot.views.thread.remedy import in_the_past
from bot.views.thread.state import (
    calm_word,
    effects_left,
    headline,
    recovered_at,
    result_of,
    subject_of,
    took,
    trouble_began,
)

_STARTS = ("deploy-", ROLLBACK)


def final_blocks(run: Run) -> list[JsonObject]:
    """Return the reply that notifies of the end; the root message has the rest."""
    if run.outcome is None:
        return []
    colour, words = headline(run)
    return [section(f"{colour} {bold(f'{subject_of(run)}: {words}.')} See the top of this thread.")]


def ending_lines(run: Run) -> list[str]:
    """Return how a run ended and what to do next, a line each; empty while it is active."""
    ending = ending_of(run)
    if ending is None:
        return []
    step = next_step(run, ending)
    lines = [*_story(run, ending), f"*Next:* {step}" if step else ""]
    return [line for line in lines if line]


def _story(run: Run, ending: Ending) -> list[str]:  # noqa: C901, PLR0911  # a closed set
    match ending:
        case "recovered":
            return [_resolved(run), _cause(run), _fixed(run), _watched(run)]
        case "no fault found" | "cause unclear":
            return (
                [harmless_line(run), _summary(run)]
                if ending == "no fault found"
                else [_summary(run), _sureness(run)]
            )
        case "deployed":
            return [_serving(run), _fixed(run), _watched(run), _in_part(run)]
        case "stopped safely":
            return [_why_stopped(run), _back(run)]
        case "aborted":
            return [_aborted(run), _back(run)]
        case "blocked" | "refused":
            return [_refusal(run), "Nothing was changed."]
        case "rejected" | "expired":
            return [_cause(run), f"{sentence(_undecided(run))} {effects_left(run)}"]
        case "withdrawn":
            return [_cause(run), sentence(prose(run.summary, 600))]
        case "plan only":
            return [_planned(run), "Nothing was changed."]
        case "needs a person":
            return [_cause(run), _fixed(run), _unfixed(run)]
        case "done":
            text = "" if run.summary == "Done." else sentence(prose(run.summary, 600))
            return [text, _fixed(run), _watched(run)]
        case _:
            assert_never(ending)


def next_step(run: Run, ending: Ending) -> str:  # noqa: C901, PLR0911  # a closed set
    """Return what a person should do next; empty if there is nothing to do."""
    deploys = run.runbook.name.startswith(_STARTS)
    match ending:
        case "recovered":
            top = run.diagnosis.top if run.diagnosis is not None else None
            return "" if top is None else after(top)
        case "no fault found":
            return "if people still see problems, triage again over a longer time (`since 2h`)."
        case "cause unclear":
            return "needs a human. Check what I could not read, or triage again in a minute or two."
        case "deployed":
            return (
                "" if run.runbook.name == ROLLBACK else f"`/rollback {prose(run.service, 130)}` reverses it."
            )
        case "stopped safely":
            return (
                f"fix {_version(run)}, then deploy the fixed version."
                if deploys
                else "find out why it failed."
            )
        case "aborted":
            return "start it again when you are ready." if deploys else ""
        case "blocked":
            step = blocked_by(run)
            return prose(step.hint, 300) if step is not None and step.hint else "ask again once it is open."
        case "refused":
            return _hint(run) or "correct the request, then send it again."
        case "rejected":
            return (
                "change the plan, then ask again."
                if deploys
                else "the problem is still there. Fix it by hand, or triage again for a new plan."
            )
        case "expired":
            return (
                "ask again while an approver is there."
                if deploys
                else "the problem may still be there. Triage again for a new plan."
            )
        case "withdrawn":
            return (
                "ask again if it is still needed."
                if deploys
                else "if people still see problems, triage again."
            )
        case "plan only":
            return "*Deploy* starts it. Its approval is still needed."
        case "needs a person":
            return _for_a_person(run)
        case "done":
            return ""
        case _:
            assert_never(ending)


def _for_a_person(run: Run) -> str:
    match run.outcome:
        case "no_remedy":
            return "needs a human. I found the cause but have no automated fix for it."
        case "not_recovered":
            return "check the other suspects in *Details*, or triage again to see the current state."
        case "breached" if run.diagnosis is not None:
            return "triage again now. The fix did not hold."
        case "breached":
            watch = _breached(run)
            proposed = watch is not None and watch.on_breach is not None
            by_hand = f"type `/rollback {prose(run.service, 130)}`, or triage it."
            return "review the rollback that I proposed." if proposed else by_hand
        case _:
            return _hint(run) or "check the failed step in this thread, then finish or reverse it by hand."


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


def _resolved(run: Run) -> str:
    healed = recovered_at(run)
    if healed is None:
        return ""
    began, what = trouble_began(run)
    after_s = round((healed - began).total_seconds())
    return f"*Resolved* {local(healed)}, {duration(after_s)} after {what}."


def _cause(run: Run) -> str:
    top = run.diagnosis.top if run.diagnosis is not None else None
    return "" if top is None else cause_in_root(run, top)


def _summary(run: Run) -> str:
    shown = "no fault found" if run.outcome == "no_fault_found" else "cause unclear"
    text = run.diagnosis.summary if run.diagnosis is not None else run.summary
    return in_readers_zone(sentence(prose(after_echo(text, shown), 600)), near=run.started_at)


def _sureness(run: Run) -> str:
    causes = run.diagnosis.causes if run.diagnosis is not None else ()
    shown = bool(causes) and causes[0].summary.rstrip(".") in run.summary
    return f"{capital(likelihood(causes[0].confidence))}." if shown else ""


def _fixed(run: Run) -> str:
    """Return each change that was made: what, by whose approval, and what was verified."""
    parts: list[str] = []
    for phase in run.runbook.phases:
        plan = run.plan_for(phase.id) if isinstance(phase, Pipeline) else None
        state = run.phases[phase.id]
        if plan is not None and state.outcome == "ok":
            people = _approved(run.gate(phase.id))
            parts.append(f"{prose(in_the_past(plan.summary), 200)}{people}{_verified(state)}")
    promoted = run.steering.promoted_by
    early = f" {who(promoted)} promoted it before the judge was done." if promoted is not None else ""
    return f"*Done:* {sentence('; '.join(parts))}{early}" if parts else ""


def _approved(gate: Approval | None) -> str:
    people = listed([who(person) for person in gate.approved_by]) if gate is not None else ""
    return f", approved by {people}" if people else ""


def _verified(state: PhaseState) -> str:
    """Return the share that a check measured after a change, such as the errors; empty without one."""
    for step in state.steps.values():
        result = result_of(step)
        if step.id.startswith("verify:") and isinstance(result, Measurement) and result.unit in SHARES:
            return f"; errors now {quantity(result.value, result.unit)}"
    return ""


def _watched(run: Run) -> str:
    states = [run.phases[phase.id] for phase in run.runbook.phases if isinstance(phase, Background)]
    return " ".join(dict.fromkeys(_calm(state) for state in states if state.outcome == "ok"))


def _calm(state: PhaseState) -> str:
    """Return how a watch ended that breached nothing, and what its checks remark."""
    seen = list(state.samples[-1].seen.values()) if state.samples else []
    remarks = [sentence(capital(prose(str(one["remark"]), 300))) for one in seen if one.get("remark")]
    return " ".join(
        (f"{calm_word(state)} for {took(state)} ({several(state.samples_total, 'check')}).", *remarks)
    )


def _serving(run: Run) -> str:
    """Return what serves now and since when, as the last check of a rollout saw it."""
    done = [
        run.phases[phase.id]
        for phase in run.runbook.phases
        if isinstance(phase, Pipeline) and run.phases[phase.id].outcome == "ok"
    ]
    ended = next((state.finished_at for state in done if state.finished_at is not None), None)
    if ended is None:
        return ""
    for step in (step for state in reversed(done) for step in reversed(state.steps.values())):
        result = result_of(step)
        if step.id.startswith("verify:") and isinstance(result, Facts) and result.data.get("stable"):
            return f"*Now:* {prose(result.summary, 200)}, since {local(ended)}."
    record = deployment_of(run)
    version = record.version if record is not None else ""
    return (
        f"*Now:* {prose(run.service, 130)} is at {prose(version, 60)}, since {local(ended)}."
        if version
        else ""
    )


def _in_part(run: Run) -> str:
    return "" if run.summary == "Done." else sentence(prose(run.summary, 400))


def _why_stopped(run: Run) -> str:
    step = stopped_by(run)
    if step is None or step.verdict is None:
        return f"*Why:* {sentence(prose(after_echo(run.summary, 'stopped'), 500))}"
    failed = [metric.text.partition(";")[0] for metric in step.verdict.metrics if metric.outcome == "fail"]
    seen = " ".join(map(sentence, failed[:2])) or step.verdict.text
    return f"*Why:* stopped automatically. {sentence(capital(prose(seen, 400)))}"


def _back(run: Run) -> str:
    """Return where all traffic is and since when, once changes were rolled back."""
    done = [step for step in changes_of(run) if step.outcome == "ok"]
    before = _version_before(run)
    if not done or not before or any(step.undone != "ok" for step in done):
        return effects_left(run)
    ends = [
        ended
        for phase in run.runbook.phases
        if isinstance(phase, Pipeline) and (ended := run.phases[phase.id].finished_at) is not None
    ]
    since = f" since {local(max(ends))}" if ends else ""
    return f"*Now:* all traffic of {prose(run.service, 130)} is back on {prose(before, 60)}{since}."


def _version_before(run: Run) -> str:
    """Return the version that served before a rollout; empty if it is not known."""
    for phase in run.phases.values():
        for step in phase.steps.values():
            result = result_of(step)
            stable = result.data.get("stable") if isinstance(result, Facts) else None
            version = stable.get("version") if isinstance(stable, dict) else None
            if isinstance(version, str) and version:
                return version
    record = deployment_of(run)
    return record.previous_version if record is not None else ""


def _aborted(run: Run) -> str:
    person = run.steering.aborted_by or run.cancelled_by
    why = f": {prose(run.cancelled_why, 300)}" if run.cancelled_why else ""
    return sentence(f"*Aborted* by {who(person)}{why}")


def _refusal(run: Run) -> str:
    step = blocked_by(run) or _failed_step(run)
    text = step.error if step is not None and step.error else after_echo(run.summary, "nothing was changed")
    return f"*Why:* {sentence(in_readers_zone(prose(text, 500), near=run.started_at))}"


def _unfixed(run: Run) -> str:
    """Return why a run could not finish what it began, and what it left."""
    if run.outcome == "no_remedy":
        return "Nothing was changed."
    if (watch := _breached(run)) is not None and run.diagnosis is None:
        return f"*Since then:* {sentence(prose(run.phases[watch.id].why, 500))}"
    step = _failed_step(run)
    _, _, seen = (step.error if step is not None else "").partition("; last seen:")
    if run.outcome == "not_recovered" and step is not None and seen:
        still = prose(seen.strip().removeprefix(f"{step.title}:").strip(), 300)
        return f"*It did not help:* {sentence(still)} {effects_left(run)}"
    return f"{sentence(without_ids(prose(run.summary, 500)))} {effects_left(run)}"


def _breached(run: Run) -> Background | None:
    """Return the watch that saw a change fail; none if none did."""
    watches = (phase for phase in run.runbook.phases if isinstance(phase, Background))
    return next((phase for phase in watches if run.phases[phase.id].outcome == "breached"), None)


def _hint(run: Run) -> str:
    step = _failed_step(run)
    return prose(step.hint, 300) if step is not None else ""


def _failed_step(run: Run) -> StepState | None:
    steps = [step for phase in run.phases.values() for step in phase.steps.values()]
    bad = [step for step in steps if step.outcome not in {None, "ok", "not_configured"} and step.error]
    return bad[-1] if bad else None


def _planned(run: Run) -> str:
    plans = [state.plan for state in run.phases.values() if state.plan is not None]
    return f"*Plan:* {sentence(prose(plans[-1].summary, 300))}" if plans else ""


def _version(run: Run) -> str:
    version = run.params.get("version")
    return prose(version, 60) if isinstance(version, str) and version else "it"


def _undecided(run: Run) -> str:
    gates = [gate for gate in run.approvals.values() if gate.decision not in {None, "approved"}]
    if not gates:
        return prose(run.summary, 600)
    gate = gates[-1]
    if gate.decision == "rejected":
        why = f": {prose(gate.decided_why)}" if gate.decided_why else ""
        return f"{who(gate.decided_by)} rejected the plan{why}"
    return f"No decision from {listed(list(gate.groups), last='or') or 'an approver'} in time"
