"""Who asks whether they may deploy, and what that person may do."""

from __future__ import annotations

from bot.domain.model import Model
from bot.domain.people import Person


class DeployAsker(Model):
    """A person who asks about a service, looked up at that moment."""

    person: Person
    why_not: str = ""
    """Why this person may ask for no deployment at all; empty for a member."""
    approvers: tuple[str, ...]
    """The groups who may approve changes to the service."""
    groups: frozenset[str]
    """Those of them that the person is in."""
