"""Approvals: a click becomes events, or a refusal with a reason; never silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from bot.domain.errors import ApprovalRefusedError
from bot.domain.model import Instant, Model
from bot.domain.people import Person, Profile
from bot.domain.runs.runbook import ApprovalPolicy

Verdict = Literal["approve", "reject"]
Decision = Literal["approved", "rejected", "expired", "cancelled", "withdrawn"]


class Audience(Model):
    """The people who are asked for a decision, as looked up when it was requested."""

    groups: dict[str, str] = Field(default_factory=dict)
    """The chat's user groups to mention: id to the name by which the catalogue knows the group."""
    people: tuple[Person, ...] = ()
    """The people to mention one by one, because they are listed in the catalogue."""
    direct: tuple[Person, ...] = ()
    """The people who are also asked in a direct message."""


class Approval(Model):
    """A gate on a phase: who, how many, until when; bound to the plan's hash."""

    id: str
    """Opaque; what the buttons carry."""
    phase: str
    step: str = ""
    """The step it guards, where it guards one step and not the whole phase."""
    plan_hash: str
    policy: ApprovalPolicy
    groups: tuple[str, ...]
    """The groups that may decide, resolved when the gate was raised."""
    requested_by: Person
    requested_at: Instant
    expires_at: Instant
    audience: Audience | None = None
    """Who is asked; none until they were looked up, and in journals of versions up to 0.4."""
    reminded_at: Instant | None = None
    approved_by: tuple[Person, ...] = ()
    decision: Decision | None = None
    decided_by: Person | None = None
    decided_at: Instant | None = None
    decided_why: str = ""
    """The reason that a person gave for a rejection."""

    @property
    def remind_at(self) -> datetime:
        """When those who may decide are reminded, unless a decision has been made."""
        half = (self.expires_at - self.requested_at) / 2
        after = half if self.policy.remind_s is None else timedelta(seconds=self.policy.remind_s)
        return self.requested_at + after

    @property
    def next_look_at(self) -> datetime:
        """When an open approval wants to be looked at again: to remind, or because it ends."""
        return self.expires_at if self.reminded_at is not None else min(self.remind_at, self.expires_at)

    @property
    def missing(self) -> int:
        """How many more people must approve."""
        return max(0, self.policy.quorum - len(self.approved_by))


class Vote(Model):
    """One click; identity and membership have been looked up by now."""

    approval_id: str
    by: Person
    profile: Profile
    groups: frozenset[str] = Field(default=frozenset())
    """Those of the approval's groups that the person is in at this moment."""
    verdict: Verdict
    plan_hash: str
    """The hash of the plan as it stands now."""
    also: frozenset[str] = Field(default=frozenset())
    """The ids of requesters and approvers that are other accounts of the same person."""


def decide(approval: Approval, vote: Vote, *, at: datetime) -> Decision | None:
    """Return the decision that one click brings about, or none while more people must approve.  Pure.

    Raises:
        ApprovalRefusedError: the click may not count; its ``code`` is ``approval_decided``,
            ``approval_expired``, ``not_a_member``, ``not_in_group``, ``self_approval``,
            ``plan_changed`` or ``already_voted``.
    """
    _refuse_if_over(approval, at=at)
    if not vote.profile.is_member:
        raise ApprovalRefusedError(
            f"Your click was not counted: {vote.profile.why_not}.",
            code="not_a_member",
            hint="Ask someone on call to decide.",
        )
    if not vote.groups:
        names = " or ".join(f"@{name}" for name in approval.groups)
        raise ApprovalRefusedError(
            f"Only members of {names} can decide this.", code="not_in_group", hint=f"Ask someone in {names}."
        )
    if vote.plan_hash != approval.plan_hash:
        raise ApprovalRefusedError(
            "The plan has changed since approval was requested.",
            code="plan_changed",
            hint="Start again to see the new plan.",
        )
    if vote.verdict == "reject":
        return "rejected"
    own = {vote.by.id, *vote.also}
    if approval.requested_by.id in own and not approval.policy.allow_requester:
        raise ApprovalRefusedError(
            "You asked for this, so you cannot approve it.",
            code="self_approval",
            hint="Ask someone else on call to approve.",
        )
    if any(person.id in own for person in approval.approved_by):
        raise ApprovalRefusedError(
            "You have already approved this.",
            code="already_voted",
            hint=f"{approval.missing} more must approve.",
        )
    return "approved" if approval.missing <= 1 else None


def _refuse_if_over(approval: Approval, *, at: datetime) -> None:
    if approval.decision is not None:
        who = f" by {approval.decided_by.name or approval.decided_by.id}" if approval.decided_by else ""
        raise ApprovalRefusedError(f"This was already {approval.decision}{who}.", code="approval_decided")
    if at >= approval.expires_at:
        raise ApprovalRefusedError(
            "This request has expired.", code="approval_expired", hint="Start again if it is still needed."
        )
