"""Waits for a condition, with a clear error if it does not come true."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.errors import BotError

T = TypeVar("T")

_LOOK_S = 0.05


class DemonstrationError(BotError):
    """A part of the demonstration did not come up, or did not work as expected."""

    reason = "demonstration_failed"


async def until(look: Callable[[], Awaitable[T | None]], what: str, within_s: float, *, hint: str = "") -> T:
    """Poll until there is something, and return it.

    Raises:
        DemonstrationError: there was nothing within ``within_s`` seconds.
    """
    try:
        async with asyncio.timeout(within_s):
            while (found := await look()) is None:  # noqa: ASYNC110  # other processes change it: no event
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise DemonstrationError(f"Waited {within_s:g} s for {what}.", hint=hint) from None
    return found
