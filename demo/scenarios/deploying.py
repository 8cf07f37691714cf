"""Play a deployment as people would: type it, approve it as another person, measure what clients saw."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from bot.domain.model import Model
from bot.domain.runs.event import CanaryJudged, EffectIntended, Event, StepFinished
from bot.domain.runs.run import Run
from bot.views.ids import ABORT
from demo.scenarios.acting import APPROVES, ASKS, approve, new_run, post_to_shop
from demo.scenarios.play import settle
from demo.scenarios.report import unapproved_writes
from demo.scenarios.rollouts import ROLLOUTS, Ending, RolloutScenario
from demo.scenarios.stage import DemoStage
from demo.scenarios.striking import strike
from demo.scenarios.waiting import until

CHANNEL = "checkout-oncall"
_RUN_S, _PLAN_S, _ROLLOUT_S, _CALM_S = 40.0, 60.0, 400.0, 60.0
_TRAFFIC = ("shift", "replace", "ramp")
"""The names of the steps that shift traffic to a version."""
_SYNCS_S = 4.0
"""Seconds; longer than a few syncs from Git."""


class RolloutReport(Model):
    """One deployment, as it went; times are in seconds."""

    scenario: str
    service: str
    strategy: str
    version: str
    expected: str
    ended: str
    right: bool
    """Whether it ended as expected, for the expected reason, without a change that was not approved."""
    outcome: str
    verdict: str
    """The judge's last verdict: ``proceed``, ``stop``, ``ask``; empty without a judge."""
    decided_by: tuple[str, ...]
    """The metrics of the judge, or the step that failed."""
    why: str
    safety: str
    """What the card shows about a rollback."""
    approved_by: tuple[str, ...]
    self_approval_refused: bool | None
    detection_s: float | None
    """From the candidate's first traffic to the decision to stop it."""
    rollback_s: float | None
    """From the decision to the candidate's last answer, as clients saw it; 0 if that was earlier."""
    silent_s: float | None
    """From the bot's death, or the beginning of its hanging, to the canary's last answer."""
    requests: int
    failed_requests: int
    """The failures that clients saw, from any version."""
    failed_by_candidate: int
    """Those of them that the candidate itself answered with an error."""
    writes: int
    writes_without_approval: int
    slack_rate_limited: int
    run_id: str
    thread: str


async def roll_out(on: DemoStage, one: RolloutScenario) -> RolloutReport:
    """Type the deployment as one person, approve it as another, and return how it went.

    Raises:
        DemonstrationError: an expected step did not happen.
    """
    if one.after:
        await roll_out(on, next(other for other in ROLLOUTS if other.name == one.after))
        await settle(on)
    load: dict[str, object] = {"per_s": one.per_s, "faulty_share": one.faulty_share}
    if one.returning:
        load["returning"] = True
    await post_to_shop(on, "PUT", f"/load/{one.service}", load)
    await _steady(on, one)
    slack_before, before = await on.slack.stats(), await _load(on, one.service)
    known = set(await on.journal.recent())
    words = f"{one.strategy} {one.service} {one.version} {one.words}".strip()
    await on.slack.slash("/deploy", words, user=ASKS, channel=CHANNEL)
    run_id = await until(lambda: new_run(on, known), "the run", _RUN_S)
    (run, refused), silent_s = await asyncio.gather(_see_through(on, run_id), _struck(on, one, run_id))
    stays = (
        await _rolled_back(on, one, known | {run_id}) if one.then_rolled_back or one.then_breached else False
    )
    held = one.returning and await _answers_still(on, one)
    final = await on.posted(run_id, "final")
    after, slack_after = await _load(on, one.service), await on.slack.stats()
    events = await on.journal.load(run_id)
    ended = ending_of(run, events)
    if stays and ended == "promoted":
        ended = "rolled_back"
    decided_at = decision_at(events)
    failed = after["failed"] - before["failed"]
    return RolloutReport(
        scenario=one.name,
        service=one.service,
        strategy=one.strategy,
        version=one.version,
        expected=one.ends,
        ended=ended,
        right=ended == one.ends
        and one.decided_by in ("", *decided_by(run))
        and not held
        and unapproved_writes(events) == 0
        and unnoticed(one, silent_s=silent_s, failed=failed),
        outcome=run.outcome or "",
        verdict=next((e.verdict.decision for e in reversed(events) if isinstance(e, CanaryJudged)), ""),
        decided_by=decided_by(run),
        why=run.summary,
        safety=str((run.phases["safety"].output or {}).get("summary", "")) or run.summary,
        approved_by=tuple(p.name or p.id for gate in run.approvals.values() for p in gate.approved_by),
        self_approval_refused=refused,
        detection_s=_between(_first_traffic(events), decided_at),
        rollback_s=None if decided_at is None else _last_answer_after(after, one.version, decided_at),
        requests=after["sent"] - before["sent"],
        silent_s=silent_s,
        failed_requests=failed,
        failed_by_candidate=_failed_of(after, one.version) - _failed_of(before, one.version),
        writes=sum(isinstance(event, EffectIntended) for event in events),
        writes_without_approval=unapproved_writes(events),
        slack_rate_limited=slack_after["rate_limited"] - slack_before["rate_limited"],
        run_id=run.id,
        thread=await on.slack.thread_text(final.channel, final.thread or final.ts),
    )


def unnoticed(one: RolloutScenario, *, silent_s: float | None, failed: int) -> bool:
    """Return whether a hit bot's canary lost its traffic in time, with no failure for clients; pure."""
    return one.struck is None or (silent_s is not None and silent_s <= one.silent_within_s and failed == 0)


def ending_of(run: Run, events: tuple[Event, ...]) -> Ending:
    """Return in one word how a deployment ended, from its journal."""
    if run.phases["rollout"].outcome == "ok":
        return "promoted"
    if any(gate.step.startswith("judge:") for gate in run.approvals.values()):
        return "asked"
    changed = any(isinstance(event, EffectIntended) for event in events)
    doubtful = any(step.outcome == "in_doubt" for step in run.phases["rollout"].steps.values())
    return "in_doubt" if doubtful else "rolled_back" if changed else "refused"


def decided_by(run: Run) -> tuple[str, ...]:
    """Return the judge's metrics that decided, or the step or check that failed."""
    named: list[str] = []
    for state in run.phases.values():
        for step in state.steps.values():
            if step.outcome == "failed" and step.verdict is not None:
                named += step.verdict.decided_by
            elif step.outcome not in (None, "ok") and state.outcome == "failed":
                named.append(step.id)
    return tuple(named)


def decision_at(events: tuple[Event, ...]) -> datetime | None:
    """Return when it was decided to roll the version back; none if it was not."""
    for event in events:
        if isinstance(event, CanaryJudged) and event.verdict.decision == "stop":
            return event.at
    undos = [event.at for event in events if isinstance(event, EffectIntended) and event.undo]
    return undos[0] if undos else None


def _first_traffic(events: tuple[Event, ...]) -> datetime | None:
    shifted = (e.at for e in events if isinstance(e, StepFinished) and e.step.startswith(_TRAFFIC))
    return next(shifted, None)


def _between(first: datetime | None, then: datetime | None) -> float | None:
    return None if first is None or then is None else round(max(0.0, (then - first).total_seconds()), 2)


def _last_answer_after(load: dict[str, Any], version: str, moment: datetime) -> float | None:
    last = load["by_version"].get(version, {}).get("last_at")
    return 0.0 if last is None else _between(moment, datetime.fromisoformat(last))


def _answered_by(load: dict[str, Any], version: str) -> int:
    return int(load["by_version"].get(version, {}).get("answered", 0))


def _failed_of(load: dict[str, Any], version: str) -> int:
    return int(load["by_version"].get(version, {}).get("failed", 0))


async def _struck(on: DemoStage, one: RolloutScenario, run_id: str) -> float | None:
    return await strike(on, one, run_id) if one.struck else None


async def _see_through(on: DemoStage, run_id: str) -> tuple[Run, bool | None]:
    """Approve each plan as another person, and abort if the judge asks; return the end, and a refusal.

    The refusal is whether the requester was kept from approving; none if no approval was requested.
    """
    refused: bool | None = None

    def stands(run: Run) -> bool:
        return run.state == "finished" or run.waiting_for is not None

    run = await on.when(run_id, stands, "the plan", _PLAN_S)
    while run.state != "finished":
        gate = run.waiting_for
        if gate is not None and gate.step.startswith("judge:"):
            await _abort(on, run_id)
        elif gate is not None:
            refused = await approve(on, run) and refused is not False
        known = {known.id for known in run.approvals.values()}

        def moved(run: Run, known: set[str] = known) -> bool:
            waits = run.waiting_for
            return run.state == "finished" or (waits is not None and waits.id not in known)

        run = await on.when(run_id, moved, "the end of the rollout", _ROLLOUT_S)
    return run, refused


async def _rolled_back(on: DemoStage, one: RolloutScenario, known: set[str]) -> bool:
    """See a rollback through, typed by a person or proposed by a watch; return whether it lasts.

    It lasts if the version no longer answers any client, even a few syncs later.
    """
    if one.then_rolled_back:
        await on.slack.slash("/rollback", one.service, user=ASKS, channel=CHANNEL)
    back_id = await until(lambda: new_run(on, known), "the rollback", _RUN_S)
    back, _ = await _see_through(on, back_id)
    if back.outcome != "done":
        return False
    await asyncio.sleep(_SYNCS_S)
    before = _answered_by(await _load(on, one.service), one.version)
    await asyncio.sleep(_SYNCS_S)
    return before == _answered_by(await _load(on, one.service), one.version)


async def _answers_still(on: DemoStage, one: RolloutScenario) -> bool:
    """Return whether any other version still answers clients, such as those with an old cookie."""

    async def others() -> int:
        versions = (await _load(on, one.service))["by_version"]
        return sum(
            count["answered"] for version, count in versions.items() if version not in ("", one.version)
        )

    before = await others()
    await asyncio.sleep(_SYNCS_S)
    return await others() != before


async def _load(on: DemoStage, service: str) -> dict[str, Any]:
    found: dict[str, Any] = (await on.shop.get(f"/load/{service}")).json()
    return found


async def _steady(on: DemoStage, one: RolloutScenario) -> None:
    """Wait for some traffic, so that the counters of the target include it."""
    begun = (await _load(on, one.service))["sent"]
    wanted = min(100, round(one.per_s * 4))

    async def flowed() -> bool | None:
        return (await _load(on, one.service))["sent"] >= begun + wanted or None

    await until(flowed, f"the traffic of {one.service}", _CALM_S)


async def _abort(on: DemoStage, run_id: str) -> None:
    """Click *Abort* as the person who is asked."""
    card = await on.posted(run_id, "phase:rollout")
    await on.press(card, ABORT, user=APPROVES)
