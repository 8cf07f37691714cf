"""Reads the state that a rollback recorded, for its undo; pure."""

from __future__ import annotations

from typing import TypedDict

from bot.domain.errors import ActionFailedError
from bot.domain.model import JsonObject


class Share(TypedDict):
    """A candidate's share of the traffic, in percent, and the routes that led to it."""

    percent: int
    routes: list[str]


def share_before(before: JsonObject) -> Share:
    """Return the share that the candidate had.

    Raises:
        ActionFailedError: ``before`` does not hold it.
    """
    match before:
        case {"percent": int(percent), "routes": list(routes)}:
            return Share(percent=percent, routes=[str(route) for route in routes])
        case _:
            raise _unknown()


def version_before(before: JsonObject) -> str:
    """Return the version that served.

    Raises:
        ActionFailedError: ``before`` does not hold it.
    """
    match before:
        case {"version": str(version)} if version:
            return version
        case _:
            raise _unknown()


def _unknown() -> ActionFailedError:
    return ActionFailedError(
        "The target's state before the rollback is not known, so the rollback was not undone.",
        hint="Deploy the version again if you want to restore it.",
        code="before_unknown",
    )
