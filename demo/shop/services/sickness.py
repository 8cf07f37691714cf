"""How a payments process gets sick: its fraud screening goes slow, or its cache grows without bound."""

from __future__ import annotations

import asyncio
import hashlib
import os
import time
from pathlib import Path
from typing import Literal

from demo.shop.services.base import ServiceError

Resource = Literal["cpu", "memory"]

SLOW_CPU_S = 0.11
SLOW_WAIT_S = 0.03
MOST_WAITING = 18
CACHE_ENTRY_BYTES = 1_600_000
MEMORY_LIMIT_BYTES = 256_000_000

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class FraudScreening:
    """Fraud screening: a hash per charge; a restart makes a sick one well."""

    def __init__(self) -> None:
        self._sick: Resource | None = None
        self._one_at_a_time = asyncio.Lock()
        self._waiting = 0
        self._cache: list[bytearray] = []

    @property
    def cached_bytes(self) -> int:
        """How much the cache of card fingerprints holds."""
        return len(self._cache) * CACHE_ENTRY_BYTES

    def fall_sick(self, resource: Resource) -> None:
        """From now on burn the processor, or leak memory, with every charge."""
        self._sick = resource

    async def screen(self, order: int) -> float:
        """Look at one charge; returns the seconds it took.

        Raises:
            ServiceError: the process sheds load (503): too many wait, or memory is past its limit.
        """
        started = time.perf_counter()
        if self._sick == "cpu":
            await self._slowly(order)
        elif self._sick == "memory":
            self._remember()
        else:
            _fingerprint(order, rounds=20)
        return time.perf_counter() - started

    async def _slowly(self, order: int) -> None:
        if self._waiting >= MOST_WAITING:
            message = f"fraud screening is overloaded: {self._waiting} charges are waiting"
            raise ServiceError(503, "screening_overloaded", message)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                until = time.thread_time() + SLOW_CPU_S
                while time.thread_time() < until:
                    _fingerprint(order, rounds=2000)
                await asyncio.sleep(SLOW_WAIT_S)
        finally:
            self._waiting -= 1

    def _remember(self) -> None:
        used = resident_bytes()
        if used > MEMORY_LIMIT_BYTES:
            message = (
                f"memory limit: {used // 1_000_000} of {MEMORY_LIMIT_BYTES // 1_000_000} MB in use; "
                f"the fingerprint cache holds {self.cached_bytes // 1_000_000} MB"
            )
            raise ServiceError(503, "memory_limit", message)
        self._cache.append(bytearray(b"\x01") * CACHE_ENTRY_BYTES)


def resident_bytes() -> int:
    """Read how much memory this process has in use."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def _fingerprint(order: int, *, rounds: int) -> bytes:
    digest = str(order).encode()
    for _ in range(rounds):
        digest = hashlib.sha256(digest).digest()
    return digest
