"""Who is asked for an approval, and whether those who asked and approved are still entitled."""

from __future__ import annotations

import asyncio

from bot.domain.people import Person, Profile
from bot.domain.runs.approval import Approval, Audience
from bot.ports.directory import Directory

_NOT_PEOPLE = frozenset({"cli", "webhook", "run"})
"""Origins of runs that were not requested by a Slack account."""

MOST_DIRECT = 20
"""A direct message goes to each approver only if there are no more than this many."""


async def find_audience(directory: Directory, approval: Approval, *, directly: bool, origin: str) -> Audience:
    """Return who is asked: the groups, or people, to mention, and who gets a direct message.

    Only those are asked directly whose vote would count: not the requester, unless the policy allows it, and
    no guests.  ``directly``: whether direct messages are sent at all; ``origin``: that of the run.

    Raises:
        IdentityUnknownError: people cannot be looked up now.
    """
    found = [(name, await directory.members_of(name)) for name in approval.groups]
    listed = sorted({one for _, group in found if not group.mention for one in group.members})
    everyone = sorted({one for _, group in found for one in group.members})
    asked = everyone if directly and len(everyone) <= MOST_DIRECT else listed[:MOST_DIRECT]
    profiles = await asyncio.gather(*(directory.profile(one) for one in asked))
    is_person = origin not in _NOT_PEOPLE and not approval.policy.allow_requester
    own = await directory.profile(approval.requested_by.id) if is_person else None
    may = [profile for profile in profiles if profile.is_member and not _is_own(profile, own)]
    people = tuple(Person(id=profile.id, name=profile.name) for profile in may)
    return Audience(
        groups={group.mention: name for name, group in found if group.mention},
        people=tuple(person for person in people if person.id in listed),
        direct=people if asked is everyone and directly else (),
    )


def _is_own(profile: Profile, requester: Profile | None) -> bool:
    return requester is not None and profile.is_same_person(requester)


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
