"""People and groups, looked up at the moment they matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.domain.people import Profile


class Directory(Protocol):
    """Who people are, asked at the moment it matters."""

    async def profile(self, user_id: str) -> Profile:
        """Look a person up."""
        ...

    async def groups_of(self, user_id: str, *, among: Sequence[str]) -> frozenset[str]:
        """Tell which of these groups the person is in now."""
        ...
