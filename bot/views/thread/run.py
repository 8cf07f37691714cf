"""The thread of a run: one root message, at most one reply for each phase, and the final line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from bot.domain.board import DesiredMessage
from bot.domain.diagnoses.feedback import Feedback
from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Background, Explore, FanOut, Phase, Pipeline, Plan, Reduce, plan_source
from bot.views.blocks import message
from bot.views.phrases import (
    names_in,
)
from bot.views.thread.charts import phase_charts
from bot.views.thread.diagnosis import diagnosis_blocks, is_worth_showing
from bot.views.thread.ending import final_blocks
from bot.views.thread.evidence import found_blocks, is_worth_a_reply
from bot.views.thread.fix import is_pressing, pipeline_blocks
from bot.views.thread.remedy import plan_blocks
from bot.views.thread.request import direct_blocks, reminder, request_blocks
from bot.views.thread.rollout_chart import rollout_chart
from bot.views.thread.root import Style, root_blocks
from bot.views.thread.watch import watch_blocks

_JUST = timedelta(seconds=3)
"""For this long after a click, what it changed is edited at once."""


def run_messages(
    run: Run,
    *,
    now: datetime,
    style: Style = "classic",
    feedback: Sequence[Feedback] = (),
    link: str = "",
) -> tuple[DesiredMessage, ...]:
    """Return the messages of a run: ``root``, each phase with its requests, ``final``, direct messages.

    Pure, and unchanged while nothing happens: ``now`` decides only whether an approval's buttons still count.
    A reply that was once there stays.  ``feedback`` is shown below the diagnosis, and direct messages have
    ``link``, the address of the thread.
    """
    names = names_in(run)
    clicked = run.cancelled_by is not None or _just_steered(run, now=now)
    pressing = clicked or run.waiting_for is not None or run.outcome is not None
    messages = [message("root", root_blocks(run, style=style), names=names, urgent=pressing)]
    for phase in run.runbook.phases:
        gates = [gate for gate in run.approvals.values() if gate.phase == phase.id]
        messages += [_request(run, gate, names=names, now=now) for gate in gates if _is_first(gate)]
        blocks = _phase_blocks(run, phase, now=now, feedback=feedback)
        if blocks:
            shown = message(
                f"phase:{phase.id}", blocks, names=names, urgent=clicked or _is_urgent(run, phase)
            )
            stays_away = _is_about_to_ask(run, phase) or any(map(_replaces, gates))
            messages.append(shown.model_copy(update={"only_edit": stays_away}))
        messages += phase_charts(run, phase, names=names)
        if isinstance(phase, Pipeline):
            messages += rollout_chart(run, phase, names=names)
        for gate in gates:
            if gate.step and gate.audience is not None:
                messages.append(_request(run, gate, names=names, now=now))
            if gate.reminded_at is not None:
                messages.append(_reminder(run, gate, names=names))
    if run.outcome is not None:
        messages.append(message("final", final_blocks(run), names=names, urgent=True))
    return (*messages, *_direct(run, names=names, now=now, link=link))


def _just_steered(run: Run, *, now: datetime) -> bool:
    """Return whether a person has just steered the rollout, and waits to see that it counts."""
    return bool(run.steering.said) and now - run.steering.said[-1].at < _JUST


def _is_first(gate: Approval) -> bool:
    """Return whether a request comes before anything else of its phase."""
    return not gate.step and gate.audience is not None


def _is_about_to_ask(run: Run, phase: Phase) -> bool:
    """Return whether a request comes next: those who may decide are being looked up."""
    if not isinstance(phase, Pipeline) or phase.approval is None or run.phases[phase.id].outcome is not None:
        return False
    is_waived = any(waiver.phase == phase.id and not waiver.step for waiver in run.waived)
    return run.gate(phase.id, step="") is None and not is_waived


def _replaces(gate: Approval) -> bool:
    """Return whether a request shows all there is of its phase: nothing has begun."""
    return _is_first(gate) and gate.decision != "approved"


def _request(run: Run, gate: Approval, *, names: Mapping[str, str], now: datetime) -> DesiredMessage:
    """Return the request for a decision, also shown in the channel.

    It is kept up to date for good, but not posted once the decision is made.
    """
    made = message(f"ask:{gate.id}", request_blocks(run, gate, now=now), names=names, urgent=True)
    return made.model_copy(update={"broadcast": True, "only_edit": gate.decision is not None})


def _direct(run: Run, *, names: Mapping[str, str], now: datetime, link: str) -> Iterator[DesiredMessage]:
    """Yield each request as a direct message to those who are asked directly.

    The message of a person who has just decided is edited at once; the others' can wait a moment.
    """
    for gate in run.approvals.values():
        for person in gate.audience.direct if gate.audience is not None else ():
            blocks = direct_blocks(run, gate, person, now=now, link=link)
            voters = {one.id for one in (*gate.approved_by, gate.decided_by) if one is not None}
            made = message(f"direct:{gate.id}:{person.id}", blocks, names=names, urgent=person.id in voters)
            closed = gate.decision is not None
            yield made.model_copy(update={"to": person.id, "only_edit": closed})


def _reminder(run: Run, gate: Approval, *, names: Mapping[str, str]) -> DesiredMessage:
    decided = gate.decision is not None
    made = message(f"remind:{gate.id}", reminder(run, gate), names=names, urgent=decided)
    return made.model_copy(update={"only_edit": decided and gate.audience is not None})


def _phase_blocks(run: Run, phase: Phase, *, now: datetime, feedback: Sequence[Feedback]) -> list[JsonObject]:
    """Return a phase's reply; empty if the root's checklist shows enough."""
    if run.phases[phase.id].started_at is None:
        return []
    match phase:
        case Explore() | FanOut():
            return found_blocks(run, phase) if is_worth_a_reply(run, phase) else []
        case Reduce():
            return diagnosis_blocks(run, phase, feedback=feedback) if is_worth_showing(run, phase) else []
        case Plan():
            return [] if _is_carried_out(run, phase) else plan_blocks(run, phase)
        case Pipeline():
            return pipeline_blocks(run, phase, now=now)
        case Background():
            return watch_blocks(run, phase)
        case _:
            assert_never(phase)


def _is_carried_out(run: Run, plan: Plan) -> bool:
    """Return whether a pipeline shows the plan in its own reply; a skipped pipeline shows nothing."""
    found = run.phases[plan.id].plan
    only_shown = found is not None and bool(found.steps)
    return any(
        isinstance(phase, Pipeline)
        and plan_source(run.runbook, phase.id) == plan.id
        and not (only_shown and run.phases[phase.id].outcome == "skipped")
        for phase in run.runbook.phases
    )


def _is_urgent(run: Run, phase: Phase) -> bool:
    match phase:
        case Reduce() | FanOut():
            return run.phases[phase.id].outcome is not None
        case Pipeline():
            return is_pressing(run, phase)
        case Explore() | Plan() | Background():
            return False
        case _:
            assert_never(phase)
