"""Waiting for something to become true, with words for when it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.domain.errors import BotError

T = TypeVar("T")

_LOOK_S = 0.05


class DemonstrationError(BotError):
    """A part of the demonstration did not come up, or did not do what it should."""

    reason = "demonstration_failed"


async def until(look: Callable[[], Awaitable[T | None]], what: str, within_s: float, *, hint: str = "") -> T:
    """Look until there is something to see, and give it.

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
