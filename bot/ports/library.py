"""The runbooks that were loaded and checked."""

from __future__ import annotations

from typing import Protocol

from bot.domain.runs.runbook import Runbook


class Library(Protocol):
    """The runbooks that were loaded and checked."""

    def get(self, name: str) -> Runbook:
        """Return a runbook.

        Raises:
            NotFoundError: no runbook has that name.
        """
        ...

    def names(self) -> tuple[str, ...]:
        """List every runbook's name."""
        ...
