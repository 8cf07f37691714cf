"""An approval: who may decide and until when, the buttons while they count, and the decision."""

from __future__ import annotations

import re
from datetime import datetime
from typing import assert_never

from bot.domain.formatting import listed, several
from bot.domain.model import JsonObject
from bot.domain.runs.approval import Approval
from bot.views import ids
from bot.views.blocks import actions, button, confirmation, context, section
from bot.views.limits import prose
from bot.views.phrases import (
    DONE,
    REMINDER,
    local,
    sentence,
    who,
)

_GROUP_ID = re.compile(r"S[A-Z0-9]{2,}")


def decision_blocks(gate: Approval, *, what: str, risk: str, now: datetime) -> list[JsonObject]:
    """Return who may decide, until when, and the buttons while valid; ``what`` and ``risk`` are plain."""
    blocks = [section(line) for line in votes(gate)]
    blocks.append(context(*_terms(gate)))
    if now < gate.expires_at:
        blocks.append(actions(*decision_buttons(gate, what=what, risk=risk)))
    return blocks


def reminder_blocks(gate: Approval, *, what: str) -> list[JsonObject]:
    """Return the reminder for those who may decide; after a decision, the decision instead."""
    if gate.decision is not None:
        return [context(f"{decided_line(gate).removesuffix('.')} (after a reminder).")]
    missing = "" if gate.missing == 1 else f" {several(gate.missing, 'more approval')} needed."
    return [
        section(
            f"{REMINDER} *Still waiting* for {mentions(gate)} to decide: {sentence(prose(what))}{missing}",
            f"This request expires at {local(gate.expires_at)}. Use the buttons above.",
        )
    ]


def deciders(gate: Approval) -> str:
    """Return the groups that may decide, as a phrase that notifies no one."""
    return listed([f"*@{prose(name, 60)}*" for name in gate.groups], last="or") or "an approver"


def mentions(gate: Approval) -> str:
    """Return the groups and people who may decide, so that Slack notifies them; by name if it cannot."""
    if gate.audience is None:
        return deciders(gate)
    groups = [f"<!subteam^{one}>" for one in gate.audience.groups if _GROUP_ID.fullmatch(one)]
    return listed([*groups, *map(who, gate.audience.people)], most=20, last="or") or deciders(gate)


def decided_line(gate: Approval) -> str:
    """Return who decided, when and why; empty before a decision."""
    at = "" if gate.decided_at is None else f" at {local(gate.decided_at)}"
    match gate.decision:
        case None:
            return ""
        case "approved":
            people = listed([who(person) for person in gate.approved_by])
            return f"Approved by {people or who(gate.decided_by)}{at}."
        case "rejected":
            why = f": {sentence(prose(gate.decided_why))}" if gate.decided_why else "."
            return f"Rejected by {who(gate.decided_by)}{at}{why}"
        case "expired":
            return f"Expired at {local(gate.expires_at)} without a decision."
        case "cancelled":
            return "Cancelled before a decision."
        case "withdrawn":
            return f"Withdrawn{at}: {sentence(prose(gate.decided_why, 600) or 'its ground is gone')}"
        case _:
            assert_never(gate.decision)


def votes(gate: Approval) -> list[str]:
    """Return who has approved while more people must; empty before the first approval."""
    if gate.decision is not None or not gate.approved_by:
        return []
    people = listed([who(person) for person in gate.approved_by])
    return [f"{DONE} *{people}: approved.* Waiting for {several(gate.missing, 'more approval')}."]


def request_line(gate: Approval) -> str:
    """Return the request to those who may decide, so that Slack notifies them."""
    return f"{mentions(gate)}: please approve or reject by {local(gate.expires_at)}."


def personal_line(gate: Approval) -> str:
    """Return the request to one person, who reads it alone."""
    return f"Please approve or reject by {local(gate.expires_at)}. Your click counts as in the thread."


def _terms(gate: Approval) -> list[str]:
    needed = gate.policy.quorum
    asked = f"{deciders(gate)}: please approve or reject by {local(gate.expires_at)}"
    terms = [asked] if gate.audience is None else []
    if needed > 1:
        agreed = listed([who(person) for person in gate.approved_by])
        count = f"{len(gate.approved_by)} of {several(needed, 'approval')}"
        terms.append(f"{count}: {agreed}" if agreed else count)
    if gate.policy.allow_requester:
        terms.append(
            f"{who(gate.requested_by)} asked for this and may approve it too: {prose(gate.policy.why, 160)}"
        )
    else:
        terms.append(f"{who(gate.requested_by)} asked for this and cannot approve it")
    return terms


def decision_buttons(gate: Approval, *, what: str, risk: str) -> tuple[JsonObject, JsonObject]:
    """Return *Approve*, which asks once more, and *Reject*, which asks for the reason."""
    asked = confirmation("Approve this?", f"{sentence(what)} {risk}".strip(), yes="Approve")
    approve = button("Approve", action_id=ids.APPROVE, value=gate.id, style="primary", confirm=asked)
    return approve, button("Reject…", action_id=ids.REJECT_WHY, value=gate.id, style="danger")
