"""People, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from bot.domain.model import Model

Standing = Literal["member", "guest", "outsider", "bot", "deactivated", "unknown"]
"""What an account is to our workspace; only a full member may ask for changes."""

_WHY_NOT: Mapping[Standing, str] = {
    "member": "",
    "guest": "you are a guest in this workspace",
    "outsider": "you belong to another workspace",
    "bot": "you are a bot",
    "deactivated": "your account is deactivated",
    "unknown": "I found no account with your id",
}


class Person(Model):
    """A person who asked or clicked; ``id`` is the chat's own id."""

    id: str
    name: str = ""


class Profile(Model):
    """A person's entry in the directory at this moment."""

    id: str
    name: str
    standing: Standing
    email: str = ""
    """Empty where it is not known."""

    def is_same_person(self, other: Profile) -> bool:
        """Return whether two accounts belong to one person: the same account, or the same mailbox.

        Case, and what follows a ``+`` in the name of a mailbox, make no difference.
        """
        mine, theirs = _mailbox(self.email), _mailbox(other.email)
        return self.id == other.id or (mine != "" and mine == theirs)

    @property
    def is_member(self) -> bool:
        """Whether this is a full member of our workspace."""
        return self.standing == "member"

    @property
    def why_not(self) -> str:
        """Why this is not a full member, in words for the person; empty for a member."""
        return _WHY_NOT[self.standing]


class GroupMembers(Model):
    """A group of approvers, as the directory knows it at this moment."""

    mention: str = ""
    """The id by which the chat mentions exactly this group; empty where it has none."""
    members: frozenset[str] = frozenset()
    """The ids of the people in it."""


def _mailbox(email: str) -> str:
    name, _, domain = email.strip().casefold().rpartition("@")
    return f"{name.partition('+')[0]}@{domain}" if name else ""
