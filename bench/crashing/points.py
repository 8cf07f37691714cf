"""The points at which a process may die: counted over all workers, armed and put in from outside."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import httpx
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.observability.health import Health
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.board import RedisMessageBoard

SCRIPTS = (
    *("start", "take", "append", "interject", "park", "wake", "put", "ack"),
    *("lock", "unlock", "claim", "release", "pump"),
)
"""The scripts that write something about a run; heartbeats and budgets are no points."""
ONLY_WHEN_SOMETHING_CAME = frozenset({"claim", "pump"})
LABELS = (*SCRIPTS, "record", "act", "post", "edit")
WHENS = ("before", "after")
_MOST_PROCESSES = 64
SIGNALS = {"kill": signal.SIGKILL, "zombie": signal.SIGSTOP}


@dataclass(frozen=True, order=True)
class Point:
    """The ``number``-th time that a run comes to a place, just before it or just after."""

    label: str
    when: str
    number: int

    def __str__(self) -> str:
        """Write it as ``before append 3``."""
        return f"{self.when} {self.label} {self.number}"


class Points:
    """Shared by the driver and its workers: how often each place was reached, and where to die next."""

    def __init__(self, context: BaseContext, lock: Path) -> None:
        """Begin with nothing armed; ``lock`` is a file of these points alone."""
        places = len(LABELS) * len(WHENS)
        self._lock = lock
        self._counts = context.Array("i", places, lock=False)
        self._armed = context.Array("i", 3, lock=False)  # place, number, signal; a number of 0 is nothing
        self._hit = context.Array("d", 2, lock=False)  # who died, and when on the monotonic clock
        self._working = context.Array("i", _MOST_PROCESSES, lock=False)  # the last processes that did a turn

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep the others out; the kernel lets them in when the process that is in dies."""
        with self._lock.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def arm(self, point: Point | None, *, mode: str = "kill") -> None:
        """Count anew; a process that reaches ``point`` gets the signal of ``mode``, one process only."""
        with self._alone():
            self._counts[:] = [0] * len(self._counts)
            self._hit[:] = [0.0, 0.0]
            place = 0 if point is None else _place(point.label, point.when)
            self._armed[:] = [place, 0 if point is None else point.number, int(SIGNALS[mode])]

    def reach(self, label: str, when: str) -> None:
        """Come to a place; the process may end here."""
        with self._alone():
            place = _place(label, when)
            self._counts[place] += 1
            if self._hit[0] or (place, self._counts[place]) != (self._armed[0], self._armed[1]):
                return
            self._hit[:] = [float(os.getpid()), time.monotonic()]
            number = self._armed[2]
        os.kill(os.getpid(), number)

    def note_working(self) -> None:
        """Note that this process does its work."""
        if os.getpid() in self._working[:]:
            return
        with self._alone():
            self._working[:] = [os.getpid(), *self._working[:-1]]

    def working(self, pids: Iterable[int]) -> bool:
        """Return whether all of these processes have begun to do their work."""
        return set(pids) <= set(self._working[:])

    @property
    def hit(self) -> tuple[int, float] | None:
        """The process that reached the armed point, and when in seconds of the monotonic clock."""
        pid, at = self._hit[:]
        return (int(pid), at) if pid else None

    def seen(self) -> Iterable[Point]:
        """List every point that was passed since counting began."""
        with self._alone():
            counts = list(self._counts)
        for label in LABELS:
            for when in WHENS:
                for number in range(1, counts[_place(label, when)] + 1):
                    yield Point(label, when, number)

    def put_in(self) -> None:
        """Make this process reach its points: at every script, record, outside effect and Slack message."""
        _noted(Health, "beat", self)
        _around(
            RedisStore, "run", self, label_of=lambda _store, script, *_: script if script in SCRIPTS else ""
        )
        _around(RedisMessageBoard, "record", self, label_of=lambda *_: "record")
        _around(httpx.AsyncClient, "post", self, label_of=lambda *_: "act")
        _around(AsyncWebClient, "chat_postMessage", self, label_of=lambda *_: "post")
        _around(AsyncWebClient, "chat_update", self, label_of=lambda *_: "edit")


def _place(label: str, when: str) -> int:
    return LABELS.index(label) * len(WHENS) + WHENS.index(when)


def _noted(owner: type, name: str, points: Points) -> None:
    """Have ``points`` note this process when it calls a method of ``owner``."""
    inner: Callable[..., None] = getattr(owner, name)

    def outer(*arguments: Any, **named: Any) -> None:  # noqa: ANN401  # whatever the method takes
        inner(*arguments, **named)
        points.note_working()

    setattr(owner, name, outer)


def _around(owner: type, name: str, points: Points, *, label_of: Callable[..., str]) -> None:
    """Put a method of ``owner`` between two points."""
    inner: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def outer(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  # whatever the method takes
        label = label_of(*arguments)
        if label and label not in ONLY_WHEN_SOMETHING_CAME:
            points.reach(label, "before")
        answer = await inner(*arguments, **named)
        if label and (answer or label not in ONLY_WHEN_SOMETHING_CAME):
            points.reach(label, "after")
        return answer

    setattr(owner, name, outer)
