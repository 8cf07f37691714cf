"""Carries out intents: start, decide, cancel, report; refusals become answers to one person."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import assert_never

from bot.domain.board import Topic
from bot.domain.deployments.deployment import STRATEGY_PREFIX
from bot.domain.diagnoses.feedback import Feedback
from bot.domain.errors import (
    ApprovalRefusedError,
    BotError,
    IdentityUnknownError,
    NotAllowedError,
    NotFoundError,
)
from bot.domain.intent import (
    AcknowledgeAlert,
    AnyAlertIntent,
    AskWhyNot,
    CancelRun,
    CastVote,
    CloseAlert,
    GateIntent,
    Intent,
    MonitorIntent,
    Notice,
    PersonIntent,
    RateDiagnosis,
    RecordIntent,
    ReportAlert,
    ShowChecklist,
    ShowDelivery,
    ShowDiff,
    SilenceAlert,
    StartRun,
    SteerRun,
    TryMonitor,
)
from bot.domain.monitoring.episode import closed
from bot.domain.people import Profile
from bot.domain.reading import require_reading
from bot.domain.runs.approval import Approval, Vote, decide
from bot.domain.runs.event import CancelRequested, VoteCast
from bot.domain.runs.run import Run, fold
from bot.engine.deps import Deps
from bot.engine.incidents import attach_to_triage
from bot.engine.interjection import Interjection, interject
from bot.engine.seen_state import state_change
from bot.ports.directory import Directory
from bot.ports.notifier import Notifier
from bot.services.feedback import said_by
from bot.services.gate_commands import GateCommands
from bot.services.monitor_commands import MonitorCommands
from bot.services.record_commands import RecordCommands
from bot.services.rollout_control import RolloutControl
from bot.services.run_starter import RunStarter

log = logging.getLogger(__name__)


class IntentHandler:
    """Handles what the inbox holds; handling the same intent twice changes nothing more."""

    def __init__(
        self,
        deps: Deps,
        *,
        directory: Directory,
        notifier: Notifier,
        patience_s: Sequence[float] = (0.5, 1, 2, 4, 8),
    ) -> None:
        """Store the dependencies; ``patience_s`` are the pauses, in seconds, between look-ups of a person."""
        self._deps = deps
        self._directory = directory
        self._alerts = deps.stores.alerts
        self._board = deps.stores.board
        self._feedback = deps.stores.feedback
        self._notifier = notifier
        self._monitors = MonitorCommands(deps)
        self._gates = GateCommands(deps, directory=directory, notifier=notifier)
        self._records = RecordCommands(deps)
        self._starter = RunStarter(deps)
        self._steering = RolloutControl(deps, directory=directory)
        self._patience_s = tuple(patience_s)

    async def handle(self, intent: Intent) -> None:
        """Carry out one intent; a refusal is sent to the person who asked, with its reason."""
        try:
            await self._patiently(intent)
        except BotError as error:
            log.info("intent_refused", extra={"intent": intent.type, "key": intent.key, "reason": error.code})
            await self._notify(intent, error.in_full)

    async def _patiently(self, intent: Intent) -> None:
        """Retry while the person cannot be looked up: a brief outage of the chat loses no click."""
        for pause_s in self._patience_s:
            try:
                return await self._carry_out(intent)
            except IdentityUnknownError as error:
                log.info("identity_unknown", extra={"key": intent.key, "why": str(error)})
                await asyncio.sleep(pause_s)
        return await self._carry_out(intent)

    async def _carry_out(self, intent: Intent) -> None:
        match intent:
            case StartRun():
                await self._start(intent)
            case CastVote():
                await self._vote(intent)
            case CancelRun():
                await self._cancel(intent)
            case SteerRun():
                _require_member(await self._directory.profile(intent.by.id))
                await self._steering.carry_out(intent)
            case RateDiagnosis():
                await self._rate(intent)
            case ReportAlert() | AcknowledgeAlert() | SilenceAlert() | CloseAlert():
                await self._about_alert(intent)
            case MonitorIntent():
                await self._admit(intent)
                await self._notify(intent, await self._monitors.carry_out(intent))
            case RecordIntent():
                await self._admit(intent)
                await self._notify(intent, await self._records.carry_out(intent))
            case GateIntent():
                await self._admit(intent)
                await self._notify(intent, await self._gates.carry_out(intent))
            case _:
                assert_never(intent)

    async def _admit(self, intent: PersonIntent | StartRun) -> None:
        """Check that the person may ask for this; what only shows something is open to those who may read it.

        Raises:
            NotAllowedError: this person may not.
        """
        profile, catalogue = await self._directory.profile(intent.by.id), self._deps.catalogue
        match intent:
            case TryMonitor():
                if intent.name in catalogue.monitors:
                    require_reading(profile, catalogue).require(catalogue.monitors[intent.name][0])
                else:
                    _require_member(profile)
            case AskWhyNot() | ShowChecklist() | ShowDelivery() | ShowDiff():
                require_reading(profile, catalogue).require(intent.service)
            case StartRun() if _only_plans(intent):
                require_reading(profile, catalogue).require(str(intent.params.get("service") or ""))
            case _:
                _require_member(profile)

    async def _about_alert(self, intent: AnyAlertIntent) -> None:
        match intent:
            case ReportAlert():
                if await self._alerts.report(intent.alert):
                    await attach_to_triage(self._deps.stores, intent.alert)
                    await self._board.mark(Topic(kind="alert", id=intent.alert.id))
            case AcknowledgeAlert():
                await self._acknowledge(intent)
            case SilenceAlert():
                await self._silence(intent)
            case CloseAlert():
                await self._close(intent)

    async def _start(self, intent: StartRun) -> None:
        if intent.origin.kind not in ("cli", "webhook", "run"):
            await self._admit(intent)
        await self._starter.start(intent)

    async def _vote(self, intent: CastVote) -> None:
        run_id = intent.approval_id.partition(".")[0]
        profile = await self._directory.profile(intent.by.id)
        cast: VoteCast | None = None
        missing = 0

        async def decided(run: Run) -> Interjection | None:
            nonlocal cast, missing
            approval = run.approvals.get(intent.approval_id)
            if approval is None:
                raise NotFoundError("There is nothing left to decide here.")
            vote = Vote(
                approval_id=approval.id,
                by=intent.by,
                profile=profile,
                groups=await self._directory.groups_of(intent.by.id, among=approval.groups, fresh=True),
                verdict=intent.verdict,
                plan_hash=plan.digest if (plan := run.plan_for(approval.phase)) is not None else "",
                also=await self._other_accounts(profile, approval),
            )
            if intent.key in run.vote_keys:
                return None  # this click was recorded before a crash
            if intent.verdict == "approve":
                await self._require_state_as_planned(run, approval)
            now = self._deps.clock.now()
            decision, missing = decide(approval, vote, at=now), approval.missing - 1
            cast = VoteCast(
                at=now,
                approval_id=approval.id,
                by=intent.by,
                verdict=intent.verdict,
                decision=decision,
                why=intent.why,
                key=intent.key,
            )
            return Interjection(event=cast, wake=decision is not None)

        if await interject(self._deps.stores.journal, run_id, decided) is None or cast is None:
            return
        log.info("vote_cast", extra={"run_id": run_id, "verdict": intent.verdict, "decision": cast.decision})
        if cast.decision is None:
            await self._notify(intent, f"Your approval counts. {missing} more needed.")

    async def _require_state_as_planned(self, run: Run, approval: Approval) -> None:
        """Raise an error if something else serves now than when the plan was made."""
        if approval.decision is not None:
            return
        if changed := await state_change(self._deps, run, approval):
            raise ApprovalRefusedError(
                f"Your click was not counted: {changed}.",
                code="state_changed",
                hint="Cancel this and ask again for a new plan.",
            )

    async def _other_accounts(self, profile: Profile, approval: Approval) -> frozenset[str]:
        """Return the ids of those who asked or approved, and are this person with another account."""
        others = {person.id for person in (approval.requested_by, *approval.approved_by)} - {profile.id}
        profiles = [await self._directory.profile(other) for other in sorted(others)]
        return frozenset(other.id for other in profiles if profile.is_same_person(other))

    async def _cancel(self, intent: CancelRun) -> None:
        if intent.via != "cli":
            _require_member(await self._directory.profile(intent.by.id))

        async def decided(run: Run) -> Interjection | None:
            if run.state == "finished":
                raise NotFoundError("This has already ended, so there is nothing to cancel.")
            if run.cancelled_by is not None:
                return None
            event = CancelRequested(at=self._deps.clock.now(), by=intent.by, why=intent.why)
            return Interjection(event=event, wake=True)

        await interject(self._deps.stores.journal, intent.run_id, decided)

    async def _acknowledge(self, intent: AcknowledgeAlert) -> None:
        _require_member(await self._directory.profile(intent.by.id))
        alert = await self._alerts.get(intent.alert_id)
        if alert.status == "resolved":
            raise NotFoundError("This alert is already resolved, so there is nothing to acknowledge.")
        if not await self._alerts.acknowledge(alert.id, by=intent.by, at=intent.at):
            first = (await self._alerts.get(alert.id)).acknowledged_by
            if first is not None and first.id != intent.by.id:
                raise NotAllowedError(f"<@{first.id}> has already acknowledged this.", code="acknowledged")
        await self._board.mark(Topic(kind="alert", id=alert.id))

    async def _close(self, intent: CloseAlert) -> None:
        _require_member(await self._directory.profile(intent.by.id))
        alert = await self._alerts.get(intent.alert_id)
        if alert.status == "resolved":
            raise NotFoundError("This alert is already over.")
        if await self._alerts.report(closed(alert, at=intent.at, by=intent.by)):
            log.warning("alert_marked_over", extra={"alert": alert.id, "by": intent.by.id})
        await self._board.mark(Topic(kind="alert", id=alert.id))

    async def _silence(self, intent: SilenceAlert) -> None:
        _require_member(await self._directory.profile(intent.by.id))
        alert = await self._alerts.get(intent.alert_id)
        until = intent.at + timedelta(seconds=intent.seconds)  # so that handling it twice is the same silence
        await self._alerts.silence(alert.fingerprint, by=intent.by, until=until)
        await self._board.mark(Topic(kind="alert", id=alert.id))

    async def _rate(self, intent: RateDiagnosis) -> None:
        _require_member(await self._directory.profile(intent.by.id))
        said = said_by(await self._load(intent.run_id))
        word = Feedback(
            by=intent.by,
            at=intent.at,
            opinion=intent.opinion,
            cause=intent.cause,
            service=intent.service,
            text=intent.text,
        )
        if await self._feedback.rate(said, word):
            log.info("diagnosis_rated", extra={"run_id": said.run_id, "opinion": word.opinion})
            await self._board.mark(Topic(kind="run", id=said.run_id))

    async def _load(self, run_id: str) -> Run:
        return fold(run_id, await self._deps.stores.journal.load(run_id))

    async def _notify(self, intent: Intent, text: str) -> None:
        if not text:
            return
        match intent:
            case StartRun() if intent.origin.kind in ("webhook", "run"):
                return  # nobody asked
            case StartRun():
                origin = intent.origin
                notice = Notice(user=intent.by.id, channel=origin.channel, thread=origin.thread, text=text)
            case CancelRun(via="cli"):
                return  # a command line is not in the chat
            case CastVote():
                place = {"channel": intent.channel, "thread": intent.thread, "in_channel": intent.in_channel}
                notice = Notice.model_validate({"user": intent.by.id, "text": text, **place})
            case PersonIntent():
                notice = Notice(user=intent.by.id, channel=intent.channel, thread=intent.thread, text=text)
            case ReportAlert():
                return
            case _:
                assert_never(intent)
        await self._notifier.notify(notice)


def _only_plans(intent: StartRun) -> bool:
    """Return whether this is `/deploy plan …`, which shows what a deployment would do."""
    return intent.runbook.startswith(STRATEGY_PREFIX) and intent.params.get("dry_run") is True


def _require_member(profile: Profile) -> None:
    if not profile.is_member:
        raise NotAllowedError(
            f"I cannot do that for you: {profile.why_not}.",
            hint="Ask a member of the workspace.",
        )
