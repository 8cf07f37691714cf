"""What people and systems ask for, as written down before anything is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.domain.catalogue import Address
from bot.domain.deployments.checklist import MOST_NOTE, Version
from bot.domain.deployments.delivery import MOST_DAYS
from bot.domain.deployments.deploy_lock import MOST_S
from bot.domain.deployments.freeze import Reason
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.feedback import MOST_CHARS, Opinion
from bot.domain.model import Instant, JsonObject, Model, Name
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.domain.rollouts.canary import SteeringWord
from bot.domain.runs.approval import Verdict
from bot.domain.runs.event import Origin


class _Intent(Model):
    key: str = Field(min_length=1, max_length=300)
    """Derived from the delivery (trigger id, event id, fingerprint): the same key twice is one intent."""
    at: Instant


class PersonIntent(_Intent):
    """What a person asked for in the chat; the answer goes to where they did."""

    by: Person
    channel: str
    thread: str = ""


class StartRun(_Intent):
    """Somebody asked for a runbook; names and shapes are checked, membership is not yet."""

    type: Literal["start_run"] = "start_run"
    runbook: str
    params: JsonObject
    by: Person
    origin: Origin


class CastVote(PersonIntent):
    """Somebody clicked *Approve* or *Reject*."""

    type: Literal["cast_vote"] = "cast_vote"
    approval_id: str
    verdict: Verdict


class CancelRun(PersonIntent):
    """Somebody asked for a run to end."""

    type: Literal["cancel_run"] = "cancel_run"
    run_id: str
    why: str = ""
    via: Literal["chat", "cli"] = "chat"
    """Whoever reaches the command line may do everything; in the chat, membership is looked up."""


class SteerRun(PersonIntent):
    """Somebody told a rollout under way what to do."""

    type: Literal["steer_run"] = "steer_run"
    run_id: str
    word: SteeringWord


class ReportAlert(_Intent):
    """A monitoring system said that an alert fires, or is over."""

    type: Literal["report_alert"] = "report_alert"
    alert: Alert


class AcknowledgeAlert(PersonIntent):
    """Somebody clicked *Acknowledge*."""

    type: Literal["acknowledge_alert"] = "acknowledge_alert"
    alert_id: str


class SilenceAlert(PersonIntent):
    """Somebody wants to hear nothing new of an alert, for ``seconds`` from when they asked."""

    type: Literal["silence_alert"] = "silence_alert"
    alert_id: str
    seconds: float = Field(gt=0, le=30 * 86_400)


class RateDiagnosis(PersonIntent):
    """Somebody said whether a diagnosis was right."""

    type: Literal["rate_diagnosis"] = "rate_diagnosis"
    run_id: str
    opinion: Opinion
    cause: CauseKind | None = None
    service: str = ""
    text: str = Field(default="", max_length=MOST_CHARS)


class MonitorIntent(PersonIntent):
    """Somebody asked something of a monitor."""

    name: str
    """The monitor's full name, ``service/id``."""


class PauseMonitor(MonitorIntent):
    """Somebody asked for a monitor not to look: for ``seconds``, or until it is resumed."""

    type: Literal["pause_monitor"] = "pause_monitor"
    seconds: float | None = Field(default=None, gt=0)


class ResumeMonitor(MonitorIntent):
    """Somebody asked for a paused monitor to look again."""

    type: Literal["resume_monitor"] = "resume_monitor"


class MuteMonitor(MonitorIntent):
    """Somebody asked for a monitor to look on, but to begin no message for ``seconds``."""

    type: Literal["mute_monitor"] = "mute_monitor"
    seconds: float = Field(gt=0)


class UnmuteMonitor(MonitorIntent):
    """Somebody asked for a muted monitor to be heard again."""

    type: Literal["unmute_monitor"] = "unmute_monitor"


class TryMonitor(MonitorIntent):
    """Somebody asked what a monitor would see now; nothing is kept of it."""

    type: Literal["try_monitor"] = "try_monitor"


class GateIntent(PersonIntent):
    """Somebody asked something of the gates."""


class LockDeploys(GateIntent):
    """Somebody wants a service not to be deployed, for ``seconds`` from when they asked."""

    type: Literal["lock_deploys"] = "lock_deploys"
    service: Address
    reason: Reason
    seconds: float = Field(gt=0, le=MOST_S)


class UnlockDeploys(GateIntent):
    """Somebody wants a lock to be taken off."""

    type: Literal["unlock_deploys"] = "unlock_deploys"
    service: Address


class HandOverLocks(GateIntent):
    """Somebody wants another person, by id, to hold all their locks."""

    type: Literal["hand_over_locks"] = "hand_over_locks"
    to: str


class AskWhyNot(GateIntent):
    """Somebody asked whether a service may be deployed now, and why not."""

    type: Literal["ask_why_not"] = "ask_why_not"
    service: Address
    version: str = ""


class RecordIntent(PersonIntent):
    """Somebody asked something of the record of deployments."""


class ChecklistIntent(GateIntent):
    """Somebody asked something of the checklist of a version."""

    service: Address
    version: Version


class TickItem(ChecklistIntent):
    """Somebody says that an item is done."""

    type: Literal["tick_item"] = "tick_item"
    item: Name
    note: str = Field(default="", max_length=MOST_NOTE)


class WaiveItem(ChecklistIntent):
    """Somebody wants a version to be deployed without an item."""

    type: Literal["waive_item"] = "waive_item"
    item: Name
    reason: Reason


class UntickItem(ChecklistIntent):
    """Somebody takes back what they said of an item, be it a tick or a waiver."""

    type: Literal["untick_item"] = "untick_item"
    item: Name


class ShowChecklist(ChecklistIntent):
    """Somebody asked how the checklist of a version stands."""

    type: Literal["show_checklist"] = "show_checklist"


class ShowDelivery(RecordIntent):
    """Somebody asked how well software is delivered: of a service, or of all, over ``days`` days."""

    type: Literal["show_delivery"] = "show_delivery"
    service: Address | Literal[""] = ""
    days: int = Field(ge=1, le=MOST_DAYS)


class ShowDiff(RecordIntent):
    """Somebody asked what another version of a service would change; without one, what the latest did."""

    type: Literal["show_diff"] = "show_diff"
    service: Address
    version: str = Field(default="", max_length=100)


AnyChecklistIntent = TickItem | WaiveItem | UntickItem | ShowChecklist
AnyRecordIntent = ShowDelivery | ShowDiff
AnyGateIntent = LockDeploys | UnlockDeploys | HandOverLocks | AskWhyNot | AnyChecklistIntent
AnyMonitorIntent = PauseMonitor | ResumeMonitor | MuteMonitor | UnmuteMonitor | TryMonitor
AnyAlertIntent = ReportAlert | AcknowledgeAlert | SilenceAlert
AnyIntent = (
    StartRun
    | CastVote
    | CancelRun
    | SteerRun
    | AnyRecordIntent
    | RateDiagnosis
    | AnyAlertIntent
    | AnyMonitorIntent
    | AnyGateIntent
)
Intent = Annotated[AnyIntent, Field(discriminator="type")]

INTENT: TypeAdapter[Intent] = TypeAdapter(Intent)
"""Reads one intent from JSON."""


class Notice(Model):
    """An answer to one person alone."""

    user: str
    channel: str
    thread: str = ""
    text: str
