"""What a rollback wrote down of the state before it, read back for its undo; pure."""

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
        ActionFailedError: it is not known.
    """
    match before:
        case {"percent": int(percent), "routes": list(routes)}:
            return Share(percent=percent, routes=[str(route) for route in routes])
        case _:
            raise _unknown()


def version_before(before: JsonObject) -> str:
    """Return the version that served.

    Raises:
        ActionFailedError: it is not known.
    """
    match before:
        case {"version": str(version)} if version:
            return version
        case _:
            raise _unknown()


def _unknown() -> ActionFailedError:
    return ActionFailedError(
        "What the target was like before the rollback is not known, so the rollback stays.",
        hint="Deploy the version again if you want it back.",
        code="before_unknown",
    )
