"""A step under judgement: look at the canary and at stable until the judge is sure, or people decide."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from bot.domain.rollouts.canary import CanaryReading, MetricReading, case_of
from bot.domain.rollouts.verdict import CanaryVerdict
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import ApprovalEnded, ApprovalRequested, CanaryJudged, StepFinished
from bot.domain.runs.plan import PlannedStep
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import ApprovalPolicy, Judging, ReadMetric
from bot.engine.session import RunSession
from bot.engine.steps import call

JUDGING: Final = "Judge canary and stable"
RaiseGate = Callable[[str, ApprovalPolicy], Approval]
"""Makes a gate for a step by a policy, bound to the plan as it stands."""

_LOOK_S = 5.0


def judge_step_id(step: str) -> str:
    """Name the judgement of a step as a step of its phase."""
    return f"judge:{step}"


class CanaryAnalysis:
    """Where one step is judged.

    It goes on looking while it is paused and while a person is asked: a canary that turns bad meanwhile is
    stopped without anybody's click.
    """

    def __init__(
        self, hand: RunSession, phase: str, step: PlannedStep, judging: Judging, *, raise_gate: RaiseGate
    ) -> None:
        """Keep what is judged; what an earlier owner of the run has read is in the run."""
        self._hand = hand
        self._phase = phase
        self._name = judge_step_id(step.id)
        self._judging = judging
        self._raise_gate = raise_gate

    async def decided(self) -> StepFinished | None:
        """Judge until it is decided; gives what went wrong, or none where the way is free."""
        known = self._state
        if known.outcome is not None:
            return None if known.outcome == "ok" else self._ended(known.error or "it failed before")
        while True:
            verdict = await self._look()
            why, free = self._why_stop(verdict), False
            if not why:
                free = self._may_pass(verdict)
            if not why and not free and self._age_s >= float(self._judging.for_s):
                why, free = self._ask()
            if why or free:
                fact = self._ended(why, by=verdict)
                self._hand.note(*self._nobody_needs_to_decide(), fact)
                return fact if why else None
            await asyncio.sleep(self._judging.every_s)

    @property
    def _state(self) -> StepState:
        return self._hand.run.phases[self._phase].steps.get(self._name) or StepState(id=self._name)

    @property
    def _age_s(self) -> float:
        since = self._state.judged_since
        return 0.0 if since is None else max(0.0, (self._hand.now - since).total_seconds())

    async def _look(self) -> CanaryVerdict:
        """Read every metric once, judge all that was read so far, and write it down."""
        metrics = self._judging.metrics
        seen = await asyncio.gather(*(self._read(metric) for metric in metrics))
        names = (metric.rule.name for metric in metrics)
        reading = CanaryReading(at_s=self._age_s, seen=dict(zip(names, seen, strict=True)))
        case = case_of(
            [metric.rule for metric in metrics],
            (*self._state.readings, reading),
            policy=self._judging.policy,
        )
        verdict = await asyncio.to_thread(self._hand.deps.judge, case)
        await self._hand.write(
            CanaryJudged(
                at=self._hand.now, phase=self._phase, step=self._name, reading=reading, verdict=verdict
            )
        )
        return verdict

    async def _read(self, metric: ReadMetric) -> MetricReading:
        plugin = self._hand.deps.plugins.get(metric.plugin)
        called = await call(self._hand, plugin, metric.arguments, step_id=metric.rule.name, timeout_s=_LOOK_S)
        if called.outcome != "ok" or called.data is None:
            return MetricReading(error=called.error or called.outcome)
        data = called.data.get("data")
        told = data if isinstance(data, dict) else {}
        return MetricReading(data={**told, "value": called.data["value"]} if "value" in called.data else told)

    def _why_stop(self, verdict: CanaryVerdict) -> str:
        """Tell why nothing more should be tried; empty while all is well."""
        if self._hand.stopping:
            return self._hand.stopping
        return f"the judge stopped it: {verdict.text}" if verdict.decision == "stop" else ""

    def _may_pass(self, verdict: CanaryVerdict) -> bool:
        steering = self._hand.run.steering
        if steering.paused_by is not None:
            return False
        if steering.promoted_by is not None:
            return True
        return verdict.decision == "proceed" and self._age_s >= float(self._judging.at_least_s)

    def _ask(self) -> tuple[str, bool]:
        """Put it to a person: why it is to be stopped, if it is, and whether somebody let it pass."""
        hand = self._hand
        gate = hand.run.gate(self._phase, step=self._name)
        if gate is None:
            gate = self._raise_gate(self._name, self._judging.ask)
            hand.note(ApprovalRequested(at=hand.now, approval=gate))
        match gate.decision:
            case None if hand.now >= gate.expires_at:
                hand.note(ApprovalEnded(at=hand.now, approval_id=gate.id, decision="expired"))
                return "the judge could not decide, and nobody did in time", False
            case None:
                return "", False
            case "approved":
                return "", hand.run.steering.paused_by is None
            case _:
                who = f" by {gate.decided_by.name or gate.decided_by.id}" if gate.decided_by else ""
                return f"the judge could not decide, and it was {gate.decision}{who}", False

    def _nobody_needs_to_decide(self) -> tuple[ApprovalEnded, ...]:
        """Close the gate that people were asked at, where it was decided without them."""
        gate = self._hand.run.gate(self._phase, step=self._name)
        if gate is None or gate.decision is not None:
            return ()
        return (ApprovalEnded(at=self._hand.now, approval_id=gate.id, decision="cancelled"),)

    def _ended(self, why: str, *, by: CanaryVerdict | None = None) -> StepFinished:
        return StepFinished(
            at=self._hand.now,
            phase=self._phase,
            step=self._name,
            outcome="failed" if why else "ok",
            result=None if by is None else by.model_dump(mode="json"),
            error=why,
            reason="" if by is None else by.reason,
            took_s=round(self._age_s, 3),
        )
