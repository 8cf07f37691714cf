"""People, and what is known of them."""

from __future__ import annotations

from bot.domain.model import Model


class Person(Model):
    """Somebody who asked or clicked; ``id`` is the chat's own id."""

    id: str
    name: str = ""


class Profile(Model):
    """What the directory says of a person at this moment."""

    id: str
    name: str
    is_member: bool
    """A full member of our workspace: no guest, bot, outsider or deactivated account."""
    why_not: str = ""
    """Why they are no member, in words for themselves."""
