"""How tests wait: they ask a condition until it holds, up to a limit that only a fault reaches."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

LIMIT_S = 40.0
"""A machine that is busy with other things needs seconds for what takes milliseconds otherwise."""
_EVERY_S = 0.02


async def until(
    condition: Callable[[], T | Awaitable[T]],
    *,
    what: str,
    within_s: float = LIMIT_S,
    log: Path | None = None,
) -> T:
    """Return the first true value of a condition, which may be asynchronous.

    Raises:
        AssertionError: it did not hold within ``within_s`` seconds; the end of ``log`` is shown.
    """
    try:
        async with asyncio.timeout(within_s):
            while True:
                found = condition()
                value = await found if inspect.isawaitable(found) else found
                if value:
                    return value
                await asyncio.sleep(_EVERY_S)
    except TimeoutError:
        shown = await asyncio.to_thread(log.read_text, "utf-8", "replace") if log else ""
        raise AssertionError(f"{what}: not within {within_s:g} s\n{shown[-2000:]}") from None


def until_now(condition: Callable[[], T], *, what: str, within_s: float = LIMIT_S) -> T:
    """Return the first true value of a condition, as :func:`until` does, without an event loop.

    Raises:
        AssertionError: it did not hold within ``within_s`` seconds.
    """
    end_s = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > end_s:
            raise AssertionError(f"{what}: not within {within_s:g} s")
        time.sleep(_EVERY_S)
    return found
