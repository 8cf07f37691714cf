"""Checks, before an approved plan is carried out, that its requester and approvers are still entitled."""

from __future__ import annotations

from bot.domain.people import Person
from bot.domain.runs.approval import Approval
from bot.ports.directory import Directory

_NOT_PEOPLE = frozenset({"cli", "webhook", "run"})
"""Origins of runs that were not requested by a Slack account."""


async def lapse_reason(directory: Directory, approval: Approval, *, origin: str) -> str:
    """Return why an approval no longer counts, in words; empty if it still counts.

    Raises:
        IdentityUnknownError: people cannot be looked up now.
    """
    for person in approval.approved_by:
        profile = await directory.profile(person.id)
        if not profile.is_member:
            return f"{_name(person)}, who approved it, is no longer a member ({profile.standing})"
        if not await directory.groups_of(person.id, among=approval.groups, fresh=True):
            return f"{_name(person)}, who approved it, is no longer in {_named(approval.groups)}"
    if origin not in _NOT_PEOPLE:
        person = approval.requested_by
        profile = await directory.profile(person.id)
        if not profile.is_member:
            return f"{_name(person)}, who requested it, is no longer a member ({profile.standing})"
    return ""


def _name(person: Person) -> str:
    return person.name or person.id


def _named(groups: tuple[str, ...]) -> str:
    return " or ".join(f"@{group}" for group in groups)
