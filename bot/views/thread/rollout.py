"""A rollout in progress: the canary's share, the judgement of each metric, and the buttons to steer it."""

from __future__ import annotations

import re
from datetime import timedelta

from bot.domain.formatting import about, percent, several
from bot.domain.model import JsonObject
from bot.domain.rollouts.rollout import judged_now, last_judged, rollout_under_way, share_of
from bot.domain.rollouts.verdict import CanaryVerdict, MetricOutcome, MetricVerdict
from bot.domain.runs.plan import RenderedPlan
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import Pipeline
from bot.views import ids
from bot.views.blocks import actions, button, confirmation, context, section
from bot.views.limits import bold, code, prose
from bot.views.modals import modal
from bot.views.phrases import (
    BUSY,
    DONE,
    FAILED,
    PAUSED,
    SKIPPED,
    WAITING,
    WARNING,
    capital,
    local,
    sentence,
    who,
)

_LONG_S = 86_400.0
"""A longer wait than this, in seconds, is not worth naming."""
_SHARE = re.compile(r"(\d{1,3}) %")
_MARKS = {
    MetricOutcome.PASS: DONE,
    MetricOutcome.FAIL: FAILED,
    MetricOutcome.INCONCLUSIVE: BUSY,
    MetricOutcome.NO_DATA: WARNING,
    MetricOutcome.ERROR: WARNING,
}
_MOST_METRICS = 12
_MOST_ODDS = 1_000_000


def rollout_blocks(run: Run, phase: Pipeline, plan: RenderedPlan) -> list[JsonObject]:
    """Return the current judgement and the buttons to steer; only *Why?* once it is over."""
    why = button("Why?", action_id=ids.WHY_SO, value=run.id)
    if rollout_under_way(run) is not phase:
        mine = any(step.verdict for step in run.phases[phase.id].steps.values())
        return [actions(why)] if mine else []
    step = judged_now(run, phase)
    if step is None or step.verdict is None:
        return [actions(_abort(run))] if any(planned.judge for planned in plan.steps) else []
    lines = [*_metric_lines(step.verdict), _steered(run)]
    return [section(*lines), context(_what_next(run, plan, step)), actions(*_steering(run), why)]


def rollout_lines(run: Run) -> list[str]:
    """Return a rollout in progress in three lines: its shares, canary beside stable, and the time left."""
    phase = rollout_under_way(run)
    plan = run.plan_for(phase.id) if phase is not None else None
    if phase is None or plan is None:
        return []
    step = judged_now(run, phase)
    lines = [_shares_line(run, phase)]
    if step is not None and step.verdict is not None:
        metric = _leading(step.verdict)
        lines += [_in_short(metric)] if metric is not None else []
        lines += [_what_next(run, plan, step)]
    return [line for line in (*lines, _steered(run)) if line]


def _in_short(metric: MetricVerdict) -> str:
    """Return a metric of canary and stable without its statistics, and about how long it needs."""
    seen = sentence(capital(prose(metric.text.partition(";")[0], 300)))
    if metric.outcome is not MetricOutcome.INCONCLUSIVE or not metric.wait_s or metric.wait_s > _LONG_S:
        return seen
    return f"{seen} Decided in about {about(metric.wait_s)}."


def steering_buttons(run: Run) -> list[JsonObject]:
    """Return the buttons that steer a judged rollout; none if nothing is judged now."""
    phase = rollout_under_way(run)
    step = judged_now(run, phase) if phase is not None else None
    return [] if step is None or step.verdict is None else _steering(run)


def _leading(verdict: CanaryVerdict) -> MetricVerdict | None:
    """Return the metric to look at first: a failed one, then a critical one."""
    ranked = sorted(
        verdict.metrics, key=lambda metric: (metric.outcome is not MetricOutcome.FAIL, not metric.critical)
    )
    return ranked[0] if ranked else None


def _shares_line(run: Run, phase: Pipeline) -> str:
    """Return the steps of a rollout with the present one in bold: ``5 ▸ *25* ▸ 50 ▸ 100 %``."""
    shares = [int(found[1]) for step in run.phases[phase.id].steps.values()
              if not step.id.startswith("judge:") and (found := _SHARE.search(step.title))]  # fmt: skip
    now = judged_now(run, phase)
    share = share_of(now) if now is not None else None
    here = None if share is None else round(share * 100)
    marked = [f"*{value}*" if value == here else f"{value}" for value in dict.fromkeys([*shares, 100])]
    if not shares:
        return "" if share is None else f"{percent(share)} of the traffic"
    return f"{' ▸ '.join(marked)} % of the traffic"


def verdict_line(step: StepState, name: str) -> str:
    """Return a judgement as one line, in progress or passed."""
    if step.outcome is None:
        return f"{BUSY} {name} …"
    if step.verdict is not None and step.verdict.decision == "ask":
        return f"{SKIPPED} {name}: not decided by the judge"
    return f"{DONE} {name}: no harm found"


def rollout_why_modal(run: Run) -> JsonObject:
    """Return the modal with the reasons of the latest judgement of a rollout, metric by metric."""
    step = last_judged(run)
    verdict = step.verdict if step is not None else None
    if step is None or verdict is None:
        return modal(
            ids.REASONS, title="Why?", blocks=[section("Nothing has been judged yet.")], close="Close"
        )
    score = "" if verdict.score is None else f"score {verdict.score:.0f} of 100"
    deciding = ", ".join(prose(name, 60) for name in verdict.decided_by)
    decided = f"decided by {deciding}" if deciding else "not decided yet"
    blocks = [
        section(bold(verdict.text, 600)),
        context(score, decided, several(len(step.readings), "check")),
        *(section(*_reasons(metric)) for metric in verdict.metrics[:_MOST_METRICS]),
    ]
    return modal(ids.REASONS, title="Why?", blocks=blocks, close="Close")


def _reasons(metric: MetricVerdict) -> list[str]:
    lines = [f"{_MARKS[metric.outcome]} {bold(metric.metric, 100)}{' · critical' if metric.critical else ''}"]
    lines.append(sentence(prose(metric.text, 500)))
    if metric.value is not None and metric.baseline is not None:
        unit = f" {prose(metric.unit, 20)}" if metric.unit else ""
        lines.append(f"canary {metric.value:.4g}{unit}, stable {metric.baseline:.4g}{unit}")
    if (found := metric.interval) is not None:
        low, high = ("no limit" if end is None else f"{end:+.4g}" for end in (found.low, found.high))
        lines.append(f"difference between {low} and {high} ({percent(found.confidence)} confidence)")
    if metric.odds is not None:
        lines.append(_odds(metric.odds))
    if metric.effective_canary is not None and metric.effective_stable is not None:
        lines.append(
            f"based on {metric.effective_canary:,.0f} independent samples of the canary"
            f" and {metric.effective_stable:,.0f} of stable"
        )
    lines.append(code(metric.query, 400) if metric.query else "")
    return lines


def _odds(odds: float) -> str:
    shown = f"{odds:.3g}" if odds < _MOST_ODDS else f"more than {_MOST_ODDS:,}"
    return f"odds that it is worse: {shown} to 1"


def _metric_lines(verdict: CanaryVerdict) -> list[str]:
    return [
        f"{_MARKS[metric.outcome]} {bold(metric.metric, 60)}: {_in_short(metric)}"
        for metric in verdict.metrics[:_MOST_METRICS]
    ]


def _steered(run: Run) -> str:
    steering = run.steering
    if steering.aborted_by is not None:
        return f"{FAILED} *{who(steering.aborted_by)} aborted it:* all traffic goes back to stable."
    if run.cancelled_by is not None:
        return f"{FAILED} *{who(run.cancelled_by)} cancelled it:* all traffic goes back to stable."
    if steering.paused_by is not None:
        return f"{PAUSED} *Paused by {who(steering.paused_by)}.* It is still judged, and stopped if bad."
    if steering.promoted_by is not None:
        return f"{DONE} *Promoted by {who(steering.promoted_by)}.*"
    return ""


def _what_next(run: Run, plan: RenderedPlan, step: StepState) -> str:
    planned = next((one for one in plan.steps if f"judge:{one.id}" == step.id), None)
    if planned is None or planned.judge is None or step.judged_since is None:
        return ""
    asks = step.judged_since + timedelta(seconds=float(planned.judge.for_s))
    gate = next((gate for gate in run.approvals.values() if gate.step == step.id), None)
    if gate is not None and gate.decision is None:
        return f"{WAITING} the judge could not decide; it keeps checking, and you can decide now"
    return f"I'll ask you at {local(asks)} if it is still undecided"


def _steering(run: Run) -> list[JsonObject]:
    steering = run.steering
    if steering.aborted_by is not None or run.cancelled_by is not None:
        return []
    sure = confirmation(
        "Promote it now?", "Skips the remaining steps. The judge can still stop it.", yes="Promote now"
    )
    promote = button("Promote now", action_id=ids.PROMOTE, value=run.id, confirm=sure)
    paused = steering.paused_by is not None
    hold = button(
        "Resume" if paused else "Pause", action_id=ids.RESUME if paused else ids.PAUSE, value=run.id
    )
    return [hold, _abort(run)] if steering.promoted_by else [promote, hold, _abort(run)]


def _abort(run: Run) -> JsonObject:
    sure = confirmation(
        "Abort this rollout?",
        "All traffic goes back to the stable version at once.",
        yes="Abort it",
        no="Keep going",
        style="danger",
    )
    return button("Abort", action_id=ids.ABORT, value=run.id, style="danger", confirm=sure)
