"""The processes of the demonstration: started, hit, started anew, and ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from demo.scenarios.children import die_with_parent
from demo.scenarios.waiting import DemonstrationError

READY_S = 180.0
"""Seconds that a part may take to come up; on a busy machine that is much longer than usual."""
_STOP_S = 10.0
_ROOT = Path(__file__).resolve().parents[2]
ROLES = ("web", "worker", "clock")


class BotProcesses:
    """The bot's processes, one a role."""

    def __init__(
        self, stack: contextlib.AsyncExitStack, *, folder: Path, environment: Mapping[str, str]
    ) -> None:
        """Start processes with these settings; ``stack`` ends them."""
        self._stack = stack
        self._folder = folder
        self._environment = environment
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, role: str) -> None:
        """Start a new process of a role, even if the one before still runs."""
        log = self._folder / f"{role}.log"
        self._running[role] = await child(self._stack, ("bot", role), log, environment=self._environment)

    def hit(self, roles: Iterable[str], how: signal.Signals) -> dict[str, asyncio.subprocess.Process]:
        """Send a signal to the processes of these roles, and return them."""
        processes = {role: self._running[role] for role in roles}
        for process in processes.values():
            process.send_signal(how)
        return processes

    async def broken(self) -> str:
        """Wait until one of them ends, which none should, and raise with the log to read."""
        ends = {asyncio.create_task(process.wait()): role for role, process in self._running.items()}
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
        role = ends[done.pop()]
        return f"The bot's {role} has ended. Read {self._folder / f'{role}.log'}."


async def announced(stack: contextlib.AsyncExitStack, command: tuple[str, ...], log: Path) -> dict[str, Any]:
    """Start a process that prints one JSON line once it is ready, and read that.

    Raises:
        DemonstrationError: it did not come up; the message has the end of its log.
    """
    process = await child(stack, command, log, announces=True)
    assert process.stdout is not None  # noqa: S101  # it was asked for
    try:
        async with asyncio.timeout(READY_S):
            line = await process.stdout.readline()
        answer: dict[str, Any] = json.loads(line)
    except (TimeoutError, ValueError):
        raise DemonstrationError(f"python -m {command[0]} did not come up.", hint=_tail(log)) from None
    return answer


async def child(
    stack: contextlib.AsyncExitStack,
    command: tuple[str, ...],
    log: Path,
    *,
    environment: Mapping[str, str] | None = None,
    announces: bool = False,
) -> asyncio.subprocess.Process:
    """Start ``python -m`` of a command, which ends with ``stack`` or with this process.

    Only our own packages are imported, and none from the working directory (``-P``); they come from where
    this process has them.
    """
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", *command),
            stdout=asyncio.subprocess.PIPE if announces else output,
            stderr=output,
            env={**os.environ, **(environment or {}), "PYTHONPATH": path},
            cwd=log.parent,
            preexec_fn=die_with_parent,
        )
    stack.push_async_callback(_stop, process)
    return process


async def killed(process: asyncio.subprocess.Process) -> None:
    """End a process that may be dead or stopped already, and wait until it is gone."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_S):
            await process.wait()
    except TimeoutError:
        await killed(process)


def _tail(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").splitlines()[-5:] if log.exists() else []
    return f"The end of {log}:\n" + "\n".join(lines)
