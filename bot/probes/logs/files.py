"""Reads the end of log files of JSON lines, only as much as is needed."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from bot.diagnosis.signals.loglines import ParsedLine, parse, stamp
from bot.domain.errors import ProbeGarbageError
from bot.domain.wording import clock_time, moment

BUDGET_BYTES = 10_000_000
"""How much one probe reads in all, in bytes."""

_BLOCK_BYTES = 65_536
_GARBAGE_SHARE = 0.5
_PARTIAL_SHARE = 0.05


@dataclass(kw_only=True)
class Tail:
    """What was read of one service's files."""

    lines: list[ParsedLine] = field(default_factory=list)
    starts_s: float = 0.0
    """The time from which no line is missing, in seconds since the epoch."""
    unread: int = 0
    """How many lines of the window could not be read."""
    gaps: list[str] = field(default_factory=list)
    files: int = 0
    cut: bool = False
    """Whether a file was longer than the part that may be read."""


def read_tail(pattern: str, *, start_s: float, budget: int) -> Tail:
    """Return the lines since ``start_s`` from all files that match ``pattern``, at most ``budget`` bytes."""
    tail = Tail()
    files = sorted(glob.glob(pattern))  # noqa: PTH207  # the pattern is absolute and a text
    if not files:
        tail.gaps.append("there is no such log file")
        return tail
    firsts: list[float] = []
    for path in files:
        try:
            with Path(path).open("rb") as file:
                first_s = _read(file, tail, start_s=start_s, budget=budget // len(files))
        except OSError as error:
            tail.gaps.append(f"{Path(path).name} cannot be read: {error.strerror}")
            continue
        tail.files += 1
        firsts.extend([] if first_s is None else [first_s])
    tail.lines.sort(key=lambda line: line.at_s)
    # Each of several files of a service begins when its process began, so no line is missing before it.
    # A file cut to the budget does miss lines, so the latest beginning counts then.
    tail.starts_s = (max(firsts) if tail.cut else min(firsts)) if firsts else start_s
    return tail


def refuse_garbage(*, good: int, unread: int) -> None:
    """Refuse logs of another kind; a broken line here and there is reported as a gap instead.

    Raises:
        ProbeGarbageError: most lines are not JSON objects with a time and a message.
    """
    if unread > _GARBAGE_SHARE * (good + unread):
        raise ProbeGarbageError(
            f"{unread_of(good=good, unread=unread)}.",
            hint="A line that can be read is a JSON object with a time and a message.",
        )


def unread_of(*, good: int, unread: int) -> str:
    """Return how many lines could not be read, in words: ``3 of 120 lines could not be read``."""
    return f"{unread} of {good + unread} lines could not be read (no JSON with a time and a message)"


def is_partial(*, good: int, unread: int) -> bool:
    """Whether so many lines could not be read that the rest cannot prove a quiet log."""
    return unread > _PARTIAL_SHARE * (good + unread)


def _read(file: BinaryIO, tail: Tail, *, start_s: float, budget: int) -> float | None:
    """Add one file's lines since ``start_s`` to ``tail``; return the time of the first line that was read."""
    size = os.fstat(file.fileno()).st_size
    offset = _offset_of(file, start_s, size=size)
    cut = size - offset > budget
    file.seek(size - budget if cut else offset)
    if cut:
        file.readline()
        tail.cut = True
    first_s: float | None = None
    unread = 0
    # Only a line feed ends a line: bytes that are not UTF-8 may hold what else looks like an end.
    for raw in file.read(size - file.tell()).split(b"\n"):
        if not raw.strip():
            continue
        line = parse(raw)
        if line is None:
            unread += 1
        elif line.at_s < start_s:
            unread = 0  # What could not be read before it is older still.
        else:
            tail.lines.append(line)
            first_s = line.at_s if first_s is None else min(first_s, line.at_s)
    tail.unread += unread
    if cut and first_s is not None:
        tail.gaps.append(
            f"only the last {budget // 1_000_000 or 1} MB were read, since {clock_time(moment(first_s))}"
        )
    return first_s


def _offset_of(file: BinaryIO, start_s: float, *, size: int) -> int:
    """Return the start of a line just before the window's first line, by bisection over ascending times."""
    low, high = 0, size
    while high - low > _BLOCK_BYTES:
        middle = (low + high) // 2
        at_s = _time_after(file, middle)
        if at_s is None or at_s >= start_s:
            high = middle
        else:
            low = middle
    if low == 0:
        return 0
    file.seek(low)
    file.readline()
    return file.tell()


def _time_after(file: BinaryIO, offset: int) -> float | None:
    """Return the time of the first whole line after ``offset`` that has one."""
    file.seek(offset)
    file.readline()
    for _ in range(20):
        raw = file.readline(_BLOCK_BYTES)
        if not raw:
            return None
        at_s = stamp(raw)
        if at_s is not None:
            return at_s
    return None
