"""What a request to the control API holds, read or refused."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from demo.shop.errors import RefusedError
from demo.shop.load import MOST_PER_S


async def body_of(request: web.Request) -> dict[str, Any]:
    """Return the JSON object of a body; empty if there is no body.

    Raises:
        RefusedError: it is not JSON (400), or not an object (422).
    """
    text = await request.text()
    try:
        body = json.loads(text or "{}")
    except ValueError:
        raise RefusedError(400, "bad_json", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise RefusedError(422, "bad_body", "The body is not a JSON object.")
    return body


def rate_of(value: object, name: str, *, least: float = 0) -> float:
    """Return a rate, per second.

    Raises:
        RefusedError: it is not a number from ``least`` to the most that the load can do (422).
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= MOST_PER_S:
        raise RefusedError(422, "bad_rate", f"{name} must be a number from {least:g} to {MOST_PER_S:g}.")
    return float(value)


def share_of(value: object, name: str) -> float:
    """Return a share.

    Raises:
        RefusedError: it is not a number from 0 to 0.5 (422).
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 0.5:  # noqa: PLR2004
        raise RefusedError(422, "bad_parameter", f"{name} must be a number from 0 to 0.5.")
    return float(value)


def switch_of(value: object, name: str) -> bool:
    """Return whether something is on.

    Raises:
        RefusedError: it is neither true nor false (422).
    """
    if not isinstance(value, bool):
        raise RefusedError(422, "bad_parameter", f"{name} must be true or false.")
    return value
