"""What a played scenario showed, as data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.domain.board import PostedMessage
from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.model import Model
from bot.domain.runs.event import EffectIntended, Event, PhaseFinished, VoteCast
from bot.domain.runs.run import Run
from demo.scenarios.recorded import RollbackRecord
from demo.scenarios.scenarios import IncidentScenario
from demo.scenarios.stage import DemoStage

_NAMED = 0.5
"""From this confidence on a cause is named as more likely than not."""
_BLAMED = 0.3
"""From this confidence on a reader takes it as blame."""


class RankedCause(Model):
    """One cause as the diagnosis ranked it."""

    kind: str
    service: str
    component: str
    summary: str
    confidence: float


class Report(Model):
    """One scenario, as it went; times are in seconds, post_to_shop by the timestamps of Slack's messages."""

    scenario: str
    service: str
    verdict: str
    causes: tuple[RankedCause, ...]
    expected: str
    """The truth: ``kind of service``, or ``no fault``."""
    right: bool
    """Whether a true cause is first, all true ones are named, and no innocent service is blamed."""
    ruled_out: tuple[str, ...]
    unread_sources: tuple[str, ...]
    remedy: str
    approved_by: tuple[str, ...]
    self_approval_refused: bool | None
    verified: bool
    outcome: str
    alert_to_cause_s: float
    ask_to_cause_s: float
    alert_to_recovery_s: float | None
    fan_out_s: float
    slowest_probe_s: float
    slack_messages: int
    """Messages of this run in Slack, counted there: the root, the replies and the final line."""
    slack_edits: int
    """Edits of all messages while it ran, the alert's among them."""
    slack_rate_limited: int
    ack_p99_ms: float
    writes: int
    writes_without_approval: int
    record: RollbackRecord | None
    """Of a rollback: how it stands in the record of deployments."""
    run_id: str
    thread: str


async def report_of(
    on: DemoStage,
    scenario: IncidentScenario,
    run: Run,
    *,
    alert_ts: float,
    asked_at: float,
    before: dict[str, Any],
    self_approval_refused: bool | None,
    record: RollbackRecord | None,
) -> Report:
    """Return what happened, from the journal, from Slack and from the shop."""
    events = await on.journal.load(run.id)
    diagnosis = run.diagnosis
    cause_card = await on.posted(run.id, "phase:diagnosis")
    root = await on.posted(run.id, "root")
    after = await on.slack.stats()
    recovered_at = _recovered_at(events)
    fix = run.phases.get("fix")
    return Report(
        scenario=scenario.name,
        service=scenario.service,
        verdict=diagnosis.verdict if diagnosis else "none",
        causes=_ranked(diagnosis),
        expected=_expected(scenario),
        right=is_right(scenario, diagnosis),
        ruled_out=tuple(f"{r.what}: {r.why}" for r in diagnosis.ruled_out) if diagnosis else (),
        unread_sources=tuple(s.name for s in diagnosis.unread) if diagnosis else (),
        remedy=_remedy(run),
        approved_by=tuple(p.name or p.id for gate in run.approvals.values() for p in gate.approved_by),
        self_approval_refused=self_approval_refused,
        verified=fix is not None and fix.outcome == "ok",
        outcome=run.outcome or "",
        alert_to_cause_s=round(float(cause_card.ts) - alert_ts, 2),
        ask_to_cause_s=round(float(cause_card.ts) - asked_at, 2),
        alert_to_recovery_s=None if recovered_at is None else round(recovered_at - alert_ts, 2),
        fan_out_s=_fan_out_s(run),
        slowest_probe_s=max((s.took_s for s in run.phases["evidence"].steps.values()), default=0),
        slack_messages=await _messages_of(on, run, root),
        slack_edits=after["edits"] - before["edits"],
        slack_rate_limited=after["rate_limited"] - before["rate_limited"],
        ack_p99_ms=after["acks"]["p99_ms"] or 0,
        writes=sum(isinstance(event, EffectIntended) for event in events),
        writes_without_approval=unapproved_writes(events) + await _unasked_changes(on, run, events),
        record=record,
        run_id=run.id,
        thread=await on.slack.thread_text(root.channel, root.thread or root.ts),
    )


def is_right(scenario: IncidentScenario, diagnosis: Diagnosis | None) -> bool:
    """Return whether the diagnosis matches the truth."""
    if diagnosis is None:
        return False
    if scenario.cause is None:
        return diagnosis.verdict == "no_fault_found"
    top = diagnosis.top
    truths = {(scenario.cause, scenario.at), *((truth.cause, truth.at) for truth in scenario.also)}
    if top is None or (top.kind, top.service) not in truths:
        return False
    named = {(cause.kind, cause.service) for cause in diagnosis.causes if cause.confidence >= _NAMED}
    blamed = {f"{c.service} {c.component}" for c in diagnosis.causes if c.confidence >= _BLAMED}
    return truths <= named and scenario.innocent not in blamed


def _expected(scenario: IncidentScenario) -> str:
    if scenario.cause is None:
        return "no fault"
    truths = [(scenario.cause, scenario.at), *((truth.cause, truth.at) for truth in scenario.also)]
    return " and ".join(f"{cause.value} of {at}" for cause, at in truths)


def unapproved_writes(events: tuple[Event, ...]) -> int:
    """Return the number of effects intended before an approval; putting one back needs none."""
    approved = False
    count = 0
    for event in events:
        if isinstance(event, VoteCast):
            approved = event.decision == "approved"
        elif isinstance(event, EffectIntended) and not event.undo and not approved:
            count += 1
    return count


async def _unasked_changes(on: DemoStage, run: Run, events: tuple[Event, ...]) -> int:
    """Count the bot's changes in the shop's own ledger that came before the approval, or without one."""
    approved_at = next((e.at for e in events if isinstance(e, VoteCast) and e.decision == "approved"), None)
    answer = await on.shop.get("/changes", params={"since": run.started_at.isoformat()})
    changes = answer.json()["changes"]
    stamps = [datetime.fromisoformat(c["at"]) for c in changes if "pilothouse" in c["author"].lower()]
    if approved_at is None:
        return len(stamps)
    return sum(stamp < approved_at for stamp in stamps)


async def _messages_of(on: DemoStage, run: Run, root: PostedMessage) -> int:
    """Count what the thread holds of this run, by the messages' own metadata."""
    thread = await on.slack.messages(root.channel, thread_ts=root.thread or root.ts)
    ids = [(m.json.get("metadata") or {}).get("event_payload", {}).get("id") for m in thread]
    return ids.count(run.id)


def _fan_out_s(run: Run) -> float:
    """Return how long the evidence took in seconds, from its first step to its end."""
    state = run.phases["evidence"]
    if state.started_at is None or state.finished_at is None:
        return 0
    return round((state.finished_at - state.started_at).total_seconds(), 4)


def _recovered_at(events: tuple[Event, ...]) -> float | None:
    for event in events:
        if isinstance(event, PhaseFinished) and event.phase == "fix" and event.outcome == "ok":
            return event.at.timestamp()
    return None


def _ranked(diagnosis: Diagnosis | None) -> tuple[RankedCause, ...]:
    return tuple(
        RankedCause(
            kind=cause.kind.value,
            service=cause.service,
            component=cause.component,
            summary=cause.summary,
            confidence=round(cause.confidence, 3),
        )
        for cause in (diagnosis.causes if diagnosis else ())
    )


def _remedy(run: Run) -> str:
    state = run.phases.get("remedy")
    plan = state.plan if state else None
    return plan.summary if plan is not None and plan.steps else ""
