"""Reads log files of JSON lines: errors, new and growing messages of a service and all it stands on."""

from __future__ import annotations

import asyncio
import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from bot.analysis.loglines import LogLine, parse, stamp
from bot.analysis.logs import LogRead, findings_of
from bot.analysis.words import clock_time, listing, moment, span
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.finding import Finding, FindingKind, Findings
from bot.engine.plugins import Context, probe

_BUDGET_BYTES = 10_000_000
_BLOCK_BYTES = 65_536
_GARBAGE_SHARE = 0.5


@dataclass(kw_only=True)
class _Tail:
    """What was read of one service's files."""

    lines: list[LogLine] = field(default_factory=list)
    starts_s: float = 0.0
    """From when on nothing is missing."""
    malformed: int = 0
    gaps: list[str] = field(default_factory=list)
    files: int = 0
    cut: bool = False
    """Whether a file was longer than what may be read of it."""


@probe(specialist="logs")
async def errors(ctx: Context, *, service: str, since_s: float = 1800, neighbours: bool = True) -> Findings:
    """What the logs of a service, and with ``neighbours`` of all it stands on, say more often than before.

    Reads the last ``since_s`` seconds, at most 10 MB in all; how much of that was read is said.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``logs`` source with a ``path``.
        ProbeUnavailableError: there is no such file, or none may be read; that is not a quiet log.
        ProbeGarbageError: most lines of every file are no JSON objects with a time.
    """
    scope = ctx.catalogue.downstream(service) if neighbours else (ctx.service(service),)
    paths = {entry.name: path for entry in scope if (path := entry.sources.get("logs", {}).get("path"))}
    if not paths:
        raise ProbeNotConfiguredError(f"{service} and what it stands on have no `logs` source with a `path`.")
    end_s = ctx.clock.now().timestamp()
    return await asyncio.to_thread(
        _look, paths, names=ctx.catalogue.names, start_s=end_s - since_s, end_s=end_s
    )


def _look(paths: dict[str, str], *, names: Sequence[str], start_s: float, end_s: float) -> Findings:
    budget = _BUDGET_BYTES // len(paths)
    tails = {name: _tail(path, start_s=start_s, budget=budget) for name, path in paths.items()}
    if not any(tail.files for tail in tails.values()):
        raise ProbeUnavailableError(f"No log file can be read: {'; '.join(_gaps(tails))}.")
    total = sum(len(tail.lines) for tail in tails.values())
    malformed = sum(tail.malformed for tail in tails.values())
    if malformed and malformed > _GARBAGE_SHARE * (total + malformed):
        raise ProbeGarbageError(f"{malformed} of {total + malformed} log lines are no JSON with a time.")
    found: list[Finding] = []
    normal: list[str] = []
    for name, tail in tails.items():
        covered_s = max(start_s, tail.starts_s)
        read = LogRead(service=name, lines=tail.lines, start_s=covered_s, end_s=end_s, path=paths[name])
        mine = findings_of(read, names=names)
        found.extend(mine)
        if tail.files and not any(finding.kind is FindingKind.LOG_ERRORS for finding in mine):
            normal.append(f"{name}: no more errors than usual in {len(tail.lines)} lines")
    return Findings(
        items=tuple(found),
        looked_at=f"{total} log lines of {listing(list(paths))} over {span(end_s - start_s)}",
        normal=tuple(normal),
        gaps=tuple(_gaps(tails)),
    )


def _gaps(tails: dict[str, _Tail]) -> list[str]:
    gaps = [f"{name}: {gap}" for name, tail in tails.items() for gap in tail.gaps]
    gaps.extend(
        f"{name}: {tail.malformed} lines are no JSON with a time"
        for name, tail in tails.items()
        if tail.malformed
    )
    return gaps


def _tail(pattern: str, *, start_s: float, budget: int) -> _Tail:
    tail = _Tail()
    files = sorted(glob.glob(pattern))  # noqa: PTH207  # the pattern is absolute and a text
    if not files:
        tail.gaps.append("no such log file")
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
    # Several files of one service: each begins when its process began, which hides nothing.  A file
    # cut to the budget does hide something, so then the latest beginning counts.
    tail.starts_s = (max(firsts) if tail.cut else min(firsts)) if firsts else start_s
    return tail


def _read(file: BinaryIO, tail: _Tail, *, start_s: float, budget: int) -> float | None:
    """Read one file's lines from ``start_s`` on; gives the time of its first line that was read."""
    size = os.fstat(file.fileno()).st_size
    offset = _offset_of(file, start_s, size=size)
    cut = size - offset > budget
    file.seek(size - budget if cut else offset)
    if cut:
        file.readline()
        tail.cut = True
    first_s: float | None = None
    for raw in file.read(size - file.tell()).splitlines():
        if not raw.strip():
            continue
        line = parse(raw)
        if line is None:
            tail.malformed += 1
        elif line.at_s >= start_s:
            tail.lines.append(line)
            first_s = line.at_s if first_s is None else min(first_s, line.at_s)
    if cut and first_s is not None:
        tail.gaps.append(
            f"only the last {budget // 1_000_000 or 1} MB were read, since {clock_time(moment(first_s))}"
        )
    return first_s


def _offset_of(file: BinaryIO, start_s: float, *, size: int) -> int:
    """Find, by bisection over ascending times, a line start a little before the first line of the window."""
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
    """Read the time of the first whole line after ``offset`` that has one."""
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
