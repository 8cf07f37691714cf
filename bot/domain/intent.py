"""What people and systems ask for, as written down before anything is answered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bot.domain.catalogue import Address
from bot.domain.deployments.checklist import MOST_NOTE
from bot.domain.deployments.delivery import MOST_DAYS
from bot.domain.deployments.deploy_lock import MOST_S
from bot.domain.deployments.freeze import MOST_REASON, Reason
from bot.domain.deployments.version import OptionalVersion, Version
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
    """A person asked for a runbook; names and shapes are checked, membership is not yet."""

    type: Literal["start_run"] = "start_run"
    runbook: str
    params: JsonObject
    by: Person
    origin: Origin


class CastVote(PersonIntent):
    """A person clicked *Approve* or *Reject*."""

    type: Literal["cast_vote"] = "cast_vote"
    approval_id: str
    verdict: Verdict
    why: str = Field(default="", max_length=MOST_REASON)
    """The reason for a rejection; it may be left out."""
    in_channel: bool = False
    """Whether the channel shows the clicked reply too, so that the person may not see the thread."""


class CancelRun(PersonIntent):
    """A person asked for a run to end."""

    type: Literal["cancel_run"] = "cancel_run"
    run_id: str
    why: str = ""
    via: Literal["chat", "cli"] = "chat"
    """Anyone with access to the command line may do everything; in the chat, membership is looked up."""


class SteerRun(PersonIntent):
    """A person steered a rollout under way."""

    type: Literal["steer_run"] = "steer_run"
    run_id: str
    word: SteeringWord


class ReportAlert(_Intent):
    """A monitoring system reported that an alert fires, or is over.

    Versions up to 0.4 stored reports as intents; now they are stored in the alerts as they arrive, in order.
    """

    type: Literal["report_alert"] = "report_alert"
    alert: Alert


class AcknowledgeAlert(PersonIntent):
    """A person clicked *Acknowledge*."""

    type: Literal["acknowledge_alert"] = "acknowledge_alert"
    alert_id: str


class SilenceAlert(PersonIntent):
    """A person silenced an alert for ``seconds`` from when they asked."""

    type: Literal["silence_alert"] = "silence_alert"
    alert_id: str
    seconds: float = Field(gt=0, le=30 * 86_400)


class CloseAlert(PersonIntent):
    """A person marked an alert as over, because its source does not report its end."""

    type: Literal["close_alert"] = "close_alert"
    alert_id: str


class RateDiagnosis(PersonIntent):
    """A person rated a diagnosis as right or wrong."""

    type: Literal["rate_diagnosis"] = "rate_diagnosis"
    run_id: str
    opinion: Opinion
    cause: CauseKind | None = None
    service: str = ""
    text: str = Field(default="", max_length=MOST_CHARS)


class MonitorIntent(PersonIntent):
    """A request about a monitor."""

    name: str
    """The monitor's full name, ``service/id``."""


class PauseMonitor(MonitorIntent):
    """A person paused a monitor: for ``seconds``, or until it is resumed."""

    type: Literal["pause_monitor"] = "pause_monitor"
    seconds: float | None = Field(default=None, gt=0)


class ResumeMonitor(MonitorIntent):
    """A person resumed a paused monitor."""

    type: Literal["resume_monitor"] = "resume_monitor"


class MuteMonitor(MonitorIntent):
    """A person muted a monitor: it keeps checking but posts no new alerts for ``seconds``."""

    type: Literal["mute_monitor"] = "mute_monitor"
    seconds: float = Field(gt=0)


class UnmuteMonitor(MonitorIntent):
    """A person unmuted a monitor."""

    type: Literal["unmute_monitor"] = "unmute_monitor"


class TryMonitor(MonitorIntent):
    """A person asked what a monitor would see now; the result is not stored."""

    type: Literal["try_monitor"] = "try_monitor"


class GateIntent(PersonIntent):
    """A request about the gates."""


class LockDeploys(GateIntent):
    """A person locked a service against deployments for ``seconds`` from when they asked."""

    type: Literal["lock_deploys"] = "lock_deploys"
    service: Address
    reason: Reason
    seconds: float = Field(gt=0, le=MOST_S)


class UnlockDeploys(GateIntent):
    """A person asked for a lock to be removed."""

    type: Literal["unlock_deploys"] = "unlock_deploys"
    service: Address


class HandOverLocks(GateIntent):
    """A person handed over all their locks to another person, by id."""

    type: Literal["hand_over_locks"] = "hand_over_locks"
    to: str


class AskWhyNot(GateIntent):
    """A person asked whether a service may be deployed now, and if not, why."""

    type: Literal["ask_why_not"] = "ask_why_not"
    service: Address
    version: OptionalVersion = ""


class RecordIntent(PersonIntent):
    """A request about the record of deployments."""


class ChecklistIntent(GateIntent):
    """A request about the checklist of a version."""

    service: Address
    version: Version


class TickItem(ChecklistIntent):
    """A person confirmed that an item is done."""

    type: Literal["tick_item"] = "tick_item"
    item: Name
    note: str = Field(default="", max_length=MOST_NOTE)


class WaiveItem(ChecklistIntent):
    """A person waived an item, so that a version can be deployed without it."""

    type: Literal["waive_item"] = "waive_item"
    item: Name
    reason: Reason


class UntickItem(ChecklistIntent):
    """A person withdrew their tick or waiver of an item."""

    type: Literal["untick_item"] = "untick_item"
    item: Name


class ShowChecklist(ChecklistIntent):
    """A person asked for the state of a version's checklist."""

    type: Literal["show_checklist"] = "show_checklist"


class ShowDelivery(RecordIntent):
    """A person asked for the delivery metrics of a service, or of all, over ``days`` days."""

    type: Literal["show_delivery"] = "show_delivery"
    service: Address | Literal[""] = ""
    days: int = Field(ge=1, le=MOST_DAYS)


class ShowDiff(RecordIntent):
    """A person asked what another version of a service would change; without one, what the latest did."""

    type: Literal["show_diff"] = "show_diff"
    service: Address
    version: OptionalVersion = ""


AnyChecklistIntent = TickItem | WaiveItem | UntickItem | ShowChecklist
AnyRecordIntent = ShowDelivery | ShowDiff
AnyGateIntent = LockDeploys | UnlockDeploys | HandOverLocks | AskWhyNot | AnyChecklistIntent
AnyMonitorIntent = PauseMonitor | ResumeMonitor | MuteMonitor | UnmuteMonitor | TryMonitor
AnyAlertIntent = ReportAlert | AcknowledgeAlert | SilenceAlert | CloseAlert
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
    in_channel: bool = False
    """Shown in the channel as well as in the ``thread``."""
    text: str
