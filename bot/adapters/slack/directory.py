"""Looks up people and their groups in Slack when a decision needs them."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Generic, TypeVar

from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack.client import Identity
from bot.adapters.slack.failures import SLACK_ERRORS, SlackFailure, slack_failure_of
from bot.domain.catalogue import ApproverGroup, Catalogue
from bot.domain.errors import IdentityUnknownError
from bot.domain.people import GroupMembers, Profile, Standing

log = logging.getLogger(__name__)

_GROUP_ID = re.compile(r"S[A-Z0-9]{8,}")
_GONE = frozenset({"no_such_subteam", "subteam_not_found", "invalid_usergroup"})
_NOBODY = frozenset({"user_not_found", "user_not_visible", "users_not_found"})


T = TypeVar("T")


class _Memory(Generic[T]):
    """Remembers answers for a while, and asks once for all concurrent requests for the same answer."""

    def __init__(self, remember_s: float) -> None:
        self._remember_s = remember_s
        self._known: dict[str, tuple[float, T]] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def get(self, key: str, ask: Callable[[], Awaitable[T]], *, fresh: bool) -> T:
        async with self._asking.setdefault(key, asyncio.Lock()):
            if not fresh and key in self._known and time.monotonic() - self._known[key][0] < self._remember_s:
                return self._known[key][1]
            answer = await ask()
            self._known[key] = (time.monotonic(), answer)
            return answer


class SlackDirectory:
    """Looks up people and groups; raises when it cannot check, so that an unknown person is refused.

    Groups are remembered ``remember_s`` seconds, because Slack allows 20 such requests a minute, except for
    decisions; profiles are never remembered.
    """

    def __init__(
        self,
        client: AsyncWebClient,
        *,
        identity: Identity,
        catalogue: Catalogue,
        remember_s: float = 30,
    ) -> None:
        """Ask ``client``; ``catalogue`` defines the groups."""
        self._client = client
        self._identity = identity
        self._catalogue = catalogue
        self._members = _Memory[frozenset[str]](remember_s)
        self._handles = _Memory[dict[str, str]](remember_s)

    async def profile(self, user_id: str) -> Profile:
        """Return a person's profile.

        Raises:
            IdentityUnknownError: Slack does not answer now.
        """
        try:
            ours = await self._identity.get()
            told = await self._client.users_info(user=user_id)
        except SLACK_ERRORS as error:
            trouble = slack_failure_of(error)
            if trouble.kind == "refused" and trouble.code in _NOBODY:
                return Profile(id=user_id, name=user_id, standing="unknown")
            raise _unknown(trouble) from error
        user = told["user"]
        standing = _standing(user, teams={ours.team_id, ours.enterprise_id} - {""})
        email = str((user.get("profile") or {}).get("email") or "")
        return Profile(id=user_id, name=_name(user), standing=standing, email=email)

    async def groups_of(self, user_id: str, *, among: Sequence[str], fresh: bool = False) -> frozenset[str]:
        """Return which of these groups the person is in; ``fresh``: as of now, not as remembered.

        Raises:
            IdentityUnknownError: as ``profile``.
        """
        groups = {name: self._catalogue.group(name) for name in among}
        return frozenset([name for name, group in groups.items() if await self._is_in(user_id, group, fresh)])

    async def _is_in(self, user_id: str, group: ApproverGroup, fresh: bool) -> bool:  # noqa: FBT001
        if group.members and user_id not in group.members:
            return False
        if not group.usergroup:
            return bool(group.members)
        return user_id in await self._members_of(group.usergroup, fresh=fresh)

    async def members_of(self, group: str) -> GroupMembers:
        """Return the members of a group, and how Slack mentions it; none in a group that does not exist.

        Raises:
            IdentityUnknownError: as ``profile``.
        """
        entry = self._catalogue.group(group)
        if not entry.usergroup:
            return GroupMembers(members=entry.members)
        found = await self._members_of(entry.usergroup, fresh=False)
        if entry.members:
            return GroupMembers(members=found & entry.members)
        return GroupMembers(mention=await self._group_id(entry.usergroup, fresh=False), members=found)

    async def _group_id(self, usergroup: str, *, fresh: bool) -> str:
        """Return the id of a user group; empty if there is none with that handle."""
        return usergroup if _GROUP_ID.fullmatch(usergroup) else await self._id_of(usergroup, fresh=fresh)

    async def _members_of(self, usergroup: str, *, fresh: bool) -> frozenset[str]:
        group_id = await self._group_id(usergroup, fresh=fresh)
        if not group_id:
            log.warning("usergroup_unknown", extra={"usergroup": usergroup})
            return frozenset()

        async def ask() -> frozenset[str]:
            told = await self._client.usergroups_users_list(usergroup=group_id)
            return frozenset(told["users"])

        try:
            return await self._members.get(group_id, ask, fresh=fresh)
        except SLACK_ERRORS as error:
            trouble = slack_failure_of(error)
            if trouble.kind == "refused" and trouble.code in _GONE:
                log.warning("usergroup_unknown", extra={"usergroup": usergroup})
                return frozenset()
            raise _unknown(trouble) from error

    async def _id_of(self, handle: str, *, fresh: bool) -> str:
        async def ask() -> dict[str, str]:
            told = await self._client.usergroups_list()
            return {group["handle"]: group["id"] for group in told["usergroups"]}

        try:
            handles = await self._handles.get("all", ask, fresh=fresh)
        except SLACK_ERRORS as error:
            raise _unknown(slack_failure_of(error)) from error
        return handles.get(handle.lstrip("@"), "")


def _standing(user: dict[str, Any], *, teams: set[str]) -> Standing:
    """Return the standing of an account in our workspace, or organisation."""
    if user.get("deleted"):
        return "deactivated"
    if user.get("is_bot") or user.get("is_workflow_bot"):
        return "bot"
    if user.get("is_stranger") or user.get("team_id") not in teams:
        return "outsider"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "guest"
    return "member"


def _name(user: dict[str, Any]) -> str:
    profile = user.get("profile") or {}
    return str(profile.get("display_name") or user.get("real_name") or user.get("name") or user["id"])


def _unknown(trouble: SlackFailure) -> IdentityUnknownError:
    log.error("directory_unreachable", extra={"code": trouble.code})
    return IdentityUnknownError(
        "I cannot check who you are right now, so I did nothing.",
        hint="Try again in a minute.",
    )
