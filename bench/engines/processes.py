"""Worker processes of a contender, and what they cost, as Linux counts it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from bench.engines.contender import Place
from bot.domain.errors import BotError
from demo.scenarios.children import die_with_parent

_ROOT = Path(__file__).resolve().parent.parent.parent
_READY_S = 60.0
_STOP_S = 10.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class BenchError(BotError):
    """A part of the benchmark did not come up, or did not do what it should."""

    reason = "bench_failed"


@contextlib.asynccontextmanager
async def spawned(
    *command: str,
    log: Path,
    env: Mapping[str, str] | None = None,
    announces: bool = False,
    pipes: bool = False,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run ``python -m`` with ``command``; with ``announces``, wait for the line it prints when it is ready.

    With ``pipes``, what it prints is left for the caller to read.

    Raises:
        BenchError: it ended, or said nothing within a minute.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            stdout=asyncio.subprocess.PIPE if announces or pipes else output,
            stderr=output,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            cwd=_ROOT,
            preexec_fn=die_with_parent,
        )
    try:
        if announces:
            await _announced(process, command, log)
        yield process
    finally:
        await _stopped(process)


async def bring_up(stack: contextlib.AsyncExitStack, module: str, place: Place, *, workers: int) -> None:
    """Bring up workers of a contender's ``module``, which say when they are ready; ``stack`` ends them.

    Raises:
        BenchError: one did not come up.
    """
    for _ in range(workers):
        log = place.folder / "worker.log"
        await stack.enter_async_context(spawned(module, place.redis_url, log=log, announces=True))


async def _announced(process: asyncio.subprocess.Process, command: tuple[str, ...], log: Path) -> None:
    assert process.stdout is not None  # noqa: S101  # it was asked for
    try:
        async with asyncio.timeout(_READY_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise BenchError(f"python -m {command[0]} did not come up.", hint=f"Read {log}.")


async def _stopped(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def tree(pid: int) -> tuple[int, ...]:
    """List a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], ())
    return tuple(found)


def cpu_s(pids: tuple[int, ...]) -> float:
    """Tell the processor seconds that these processes have used, by themselves and in the kernel."""
    return sum(_TICK_S * (int(f[11]) + int(f[12])) for pid in pids if (f := _stat(pid)))


def rss_mb(pids: tuple[int, ...]) -> float:
    """Tell the megabytes of memory these processes hold; what they share is counted once for each."""
    return sum(_PAGE_MB * int(fields[21]) for pid in pids if (fields := _stat(pid)))


def _stat(pid: int) -> list[str]:
    """Read what the kernel says of a process, from its state on; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []
