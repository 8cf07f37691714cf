"""Changes over the API happen at most once a key, and never for a caller with a stale token."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from demo.shop.errors import RefusedError

MOST_REMEMBERED = 10_000

Answer = dict[str, Any]


@dataclass(frozen=True)
class _StoredAnswer:
    body: str
    answer: Answer


class Guard:
    """Remembers answers by ``Idempotency-Key``, and the highest ``X-Fencing-Token`` that came with each key.

    Tokens are compared under one key, because each caller that makes changes counts its own tokens: a low
    one of another caller is not stale. Without a key they are compared over the whole resource.
    """

    def __init__(self) -> None:
        self._highest: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._answers: OrderedDict[tuple[str, str], _StoredAnswer] = OrderedDict()
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def once(
        self,
        resource: str,
        body: Answer,
        change: Callable[[], Awaitable[Answer]],
        *,
        key: str = "",
        token: str = "",
    ) -> tuple[Answer, bool]:
        """Make a ``change`` to a ``resource``, or repeat the answer that the same ``key`` got before.

        A refused change is not remembered: it changed nothing, so it may be tried again.

        Returns:
            The answer, and whether it was repeated.

        Raises:
            RefusedError: the token is lower than one seen before (409) or is not a number (400), or the key
                was used with another body (422).
        """
        async with self._locks[resource]:
            self._fence(resource, key, token)
            written = json.dumps(body, sort_keys=True)
            known = self._answers.get((resource, key)) if key else None
            if known is not None:
                if known.body != written:
                    raise RefusedError(
                        422, "key_reused", "This Idempotency-Key came with another body before."
                    )
                return known.answer, True
            answer = await change()
            if key:
                self._answers[resource, key] = _StoredAnswer(written, answer)
                _forget_oldest(self._answers)
            return answer, False

    def _fence(self, resource: str, key: str, token: str) -> None:
        if not token:
            return
        if not (token.isascii() and token.isdigit()):
            raise RefusedError(400, "bad_fencing_token", "X-Fencing-Token must be a whole number, 0 or more.")
        seen, number = self._highest.get((resource, key), 0), int(token)
        if number < seen:
            message = f"Token {number} is stale: {seen} has been seen for {key or resource}."
            raise RefusedError(409, "stale_fencing_token", message, seen=seen)
        self._highest[resource, key] = number
        _forget_oldest(self._highest)


def _forget_oldest(known: OrderedDict[tuple[str, str], Any]) -> None:
    if len(known) > MOST_REMEMBERED:
        known.popitem(last=False)
