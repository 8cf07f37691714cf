"""Who may read what: one rule for every command, button and tab that only shows something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.catalogue import Catalogue
from bot.domain.errors import NotAllowedError
from bot.domain.people import Profile

RefusalReason = Literal["guest", "outsider", "bot", "deactivated", "unknown"]

_MOST_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class ReadingRight:
    """What one person may read: everything, or what is about the named services alone."""

    is_member: bool
    services: frozenset[str] | None = None
    """The services that may be read; none where everything may be."""

    @property
    def is_whole(self) -> bool:
        """Whether everything may be read, including what belongs to no service."""
        return self.services is None

    def covers(self, service: str) -> bool:
        """Return whether this service may be read; an empty name stands for all of them."""
        return self.services is None or service in self.services

    def require(self, service: str) -> None:
        """Refuse a service that may not be read; an empty name stands for all of them.

        Raises:
            NotAllowedError: the catalogue does not open it to guests; the code is ``guest``.
        """
        if not self.covers(service):
            named = ", ".join(f"`{name}`" for name in sorted(self.services or ())[:_MOST_NAMED])
            what = f"`{service}`" if service else "all services at once"
            raise NotAllowedError(
                f"I can't show you {what}: you are a guest in this workspace.",
                code="guest",
                hint=f"Guests may read about: {named}.",
            )


@dataclass(frozen=True, kw_only=True)
class ReadingRefusal:
    """Why one person may read nothing."""

    reason: RefusalReason
    message: str
    hint: str


def reading_right(profile: Profile, catalogue: Catalogue) -> ReadingRight | ReadingRefusal:
    """Return what a person may read, or why it is nothing.

    A member of the workspace may read everything.  A guest may read about the services that the catalogue
    opens to guests.  Outsiders, bots and accounts that are deactivated or unknown may read nothing.
    """
    standing = profile.standing
    if standing == "member":
        return ReadingRight(is_member=True)
    if standing == "guest" and (opened := catalogue.open_to_guests):
        whole = catalogue.read.guests and len(opened) == len(catalogue.services)
        return ReadingRight(is_member=False, services=None if whole else opened)
    hint = "Ask a member of the workspace."
    if standing == "guest":
        hint = "Ask a member, or have `read: {guests: true}` set in the catalogue."
    return ReadingRefusal(reason=standing, message=f"I can't show you this: {profile.why_not}.", hint=hint)


def require_reading(profile: Profile, catalogue: Catalogue) -> ReadingRight:
    """Return what a person may read.

    Raises:
        NotAllowedError: the person may read nothing; the code is the refusal's reason.
    """
    right = reading_right(profile, catalogue)
    if isinstance(right, ReadingRefusal):
        raise NotAllowedError(right.message, code=right.reason, hint=right.hint)
    return right
