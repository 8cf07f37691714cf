"""Judges a step: compares the canary with stable until the judge is sure, or people decide."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bot.domain.rollouts.canary import CanaryReading, MetricReading, case_of, thinned
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import (
    ApprovalEnded,
    ApprovalRequested,
    ApproversFound,
    CanaryJudged,
    StepFinished,
)
from bot.domain.runs.plan import PlannedStep
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import ApprovalPolicy, Judging, ReadMetric
from bot.engine.phases.approval_gate import LOOK_UP_AGAIN, look_up_approvers, remind
from bot.engine.session import RunSession
from bot.engine.steps import call

JUDGING: Final = "Judge canary and stable"
RaiseGate = Callable[[str, ApprovalPolicy], Approval]
"""Returns an approval gate for a step by a policy, bound to the present plan."""

_LOOK_S = 5.0
_MOST_EARLIER = 60
"""Readings of each earlier share that are judged again at each look: counters need no more."""


def judge_step_id(step: str) -> str:
    """Return the step id of the judgement of a step."""
    return f"judge:{step}"


class CanaryAnalysis:
    """The judgement of one step.

    It keeps measuring while it is paused and while a person is asked: a canary that turns bad meanwhile is
    stopped without a click.
    """

    def __init__(
        self, session: RunSession, phase: str, step: PlannedStep, judging: Judging, *, raise_gate: RaiseGate
    ) -> None:
        """Store what is judged; the readings of an earlier owner of the run are in the run."""
        self._session = session
        self._phase = phase
        self._name = judge_step_id(step.id)
        self._judging = judging
        self._raise_gate = raise_gate
        self._look_up_at: datetime | None = None

    async def decided(self) -> StepFinished | None:
        """Judge until it is decided; return the failure, or none where the step may proceed."""
        known = self._state
        if known.outcome is not None:
            return None if known.outcome == "ok" else self._ended(known.error or "it failed before")
        while True:
            verdict = await self._look()
            why, free = self._why_stop(verdict), False
            if not why:
                free = self._may_pass(verdict)
            if not why and not free and self._age_s >= float(self._judging.for_s):
                why, free = await self._ask()
            if why or free:
                fact = self._ended(why, by=verdict)
                self._session.note(*self._close_gate(), fact)
                return fact if why else None
            await asyncio.sleep(self._judging.every_s)

    @property
    def _state(self) -> StepState:
        return self._session.run.phases[self._phase].steps.get(self._name) or StepState(id=self._name)

    @property
    def _age_s(self) -> float:
        since = self._state.judged_since
        return 0.0 if since is None else max(0.0, (self._session.now - since).total_seconds())

    async def _look(self) -> CanaryVerdict:
        """Read every metric once, judge all readings so far, and record the verdict."""
        metrics = self._judging.metrics
        seen = await asyncio.gather(*(self._read(metric) for metric in metrics))
        names = (metric.rule.name for metric in metrics)
        reading = CanaryReading(at_s=self._age_s, seen=dict(zip(names, seen, strict=True)))
        case = case_of(
            [metric.rule for metric in metrics],
            (*self._state.readings, reading),
            policy=self._judging.policy,
            counted=self._since_first_share(reading),
        )
        verdict = await asyncio.to_thread(self._session.deps.judge, case)
        await self._session.write(
            CanaryJudged(
                at=self._session.now, phase=self._phase, step=self._name, reading=reading, verdict=verdict
            )
        )
        return verdict

    def _since_first_share(self, newest: CanaryReading) -> tuple[CanaryReading, ...]:
        """Return what was read since the first share that these metrics judged, in seconds since then."""
        plan, steps = self._session.run.plan_for(self._phase), self._session.run.phases[self._phase].steps
        own = (*self._state.readings, newest)
        same = [
            judge_step_id(planned.id)
            for planned in (plan.steps if plan else ())
            if planned.judge is not None and planned.judge.metrics == self._judging.metrics
        ]
        before = [
            (known.judged_since, thinned(known.readings, most=_MOST_EARLIER))
            for name in same
            if name != self._name
            and (known := steps.get(name)) is not None
            and known.judged_since is not None
        ]
        if not before:
            return own
        first = before[0][0]
        return tuple(
            reading.model_copy(update={"at_s": reading.at_s + max(0.0, (since - first).total_seconds())})
            for since, readings in (*before, (self._state.judged_since or self._session.now, own))
            for reading in readings
        )

    async def _read(self, metric: ReadMetric) -> MetricReading:
        plugin = self._session.deps.plugins.get(metric.plugin)
        called = await call(
            self._session, plugin, metric.arguments, step_id=metric.rule.name, timeout_s=_LOOK_S
        )
        if called.outcome != "ok" or called.data is None:
            return MetricReading(error=called.error or called.outcome)
        data = called.data.get("data")
        told = data if isinstance(data, dict) else {}
        return MetricReading(data={**told, "value": called.data["value"]} if "value" in called.data else told)

    def _why_stop(self, verdict: CanaryVerdict) -> str:
        """Return why the step must stop; empty while all is well."""
        if self._session.stopping:
            return self._session.stopping
        return f"the judge stopped it: {verdict.text}" if verdict.decision == "stop" else ""

    def _may_pass(self, verdict: CanaryVerdict) -> bool:
        steering = self._session.run.steering
        if steering.paused_by is not None:
            return False
        if steering.promoted_by is not None:
            return True
        return verdict.decision == "proceed" and self._age_s >= float(self._judging.at_least_s)

    async def _ask(self) -> tuple[str, bool]:
        """Ask a person; return why it must stop, empty if it need not, and whether a person approved it."""
        session = self._session
        gate = session.run.gate(self._phase, step=self._name)
        if gate is None:
            gate = self._raise_gate(self._name, self._judging.ask)
            found = await self._look_up(gate)
            session.note(ApprovalRequested(at=session.now, approval=gate), *found)
        elif gate.decision is None and gate.audience is None:
            session.note(*await self._look_up(gate))
        match gate.decision:
            case None if session.now >= gate.expires_at:
                session.note(ApprovalEnded(at=session.now, approval_id=gate.id, decision="expired"))
                return "the judge could not decide, and no approver decided in time", False
            case None:
                remind(session, gate)
                return "", False
            case "approved":
                return "", session.run.steering.paused_by is None
            case _:
                who = f" by {gate.decided_by.name or gate.decided_by.id}" if gate.decided_by else ""
                return f"the judge could not decide, and it was {gate.decision}{who}", False

    async def _look_up(self, gate: Approval) -> tuple[ApproversFound, ...]:
        """Look up who is asked; after a failure not again at once, because that would delay the judging."""
        if self._look_up_at is not None and self._session.now < self._look_up_at:
            return ()
        self._look_up_at = self._session.now + LOOK_UP_AGAIN
        return await look_up_approvers(self._session, gate)

    def _close_gate(self) -> tuple[ApprovalEnded, ...]:
        """Close the open gate where the judge decided before a person did."""
        gate = self._session.run.gate(self._phase, step=self._name)
        if gate is None or gate.decision is not None:
            return ()
        return (ApprovalEnded(at=self._session.now, approval_id=gate.id, decision="cancelled"),)

    def _ended(self, why: str, *, by: CanaryVerdict | None = None) -> StepFinished:
        return StepFinished(
            at=self._session.now,
            phase=self._phase,
            step=self._name,
            outcome="failed" if why else "ok",
            result=None if by is None else by.model_dump(mode="json"),
            error=why,
            reason="" if by is None else by.reason,
            took_s=round(self._age_s, 3),
        )
