"""People and groups, looked up at the moment they matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.people import GroupMembers, Profile


class Directory(Protocol):
    """People and their groups, looked up at the moment they matter."""

    async def profile(self, user_id: str) -> Profile:
        """Return a person's profile."""
        ...

    async def groups_of(self, user_id: str, *, among: Sequence[str], fresh: bool = False) -> frozenset[str]:
        """Return which of these groups the person is in; ``fresh``: as of now, not as remembered."""
        ...

    async def members_of(self, group: str) -> GroupMembers:
        """Return the members of a group; none in a group that does not exist."""
        ...
