"""Child processes that never outlive the supervisor, and the ports they listen on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demo.shop.errors import ShopError

STOP_TIMEOUT_S = 4.0
REVIVE_AFTER_S = 2.0


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """How to start one process."""

    name: str
    command: Sequence[str]
    output: Path
    """Where its standard output and error go."""
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """The user to run as; empty: the current user."""
    stop_signal: signal.Signals = signal.SIGTERM
    orphan_signal: str = "KILL"
    """What the kernel sends it when the supervisor dies."""


class ChildProcess:
    """One running process; when it dies unasked it is started again."""

    def __init__(self, spec: ProcessSpec) -> None:
        self.spec = spec
        self.restarts = 0
        """How often it died unasked and was started again."""
        self._process: asyncio.subprocess.Process | None = None
        self._guard: asyncio.Task[None] | None = None
        self._spawning = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Its process id, or none when it is not running."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def start(self) -> None:
        """Start it and keep it running."""
        await self._spawn()
        self._guard = asyncio.create_task(self._revive())

    async def run_once(self) -> int:
        """Start it and wait for its end; return its exit code."""
        await self._spawn()
        if self._process is None:
            raise RuntimeError("A process that was just started is missing.")
        return await self._process.wait()

    async def stop(self, *, timeout_s: float = STOP_TIMEOUT_S) -> None:
        """End it: by SIGTERM first, by SIGKILL after ``timeout_s`` seconds."""
        async with self._spawning:  # never while a process is half born: it would be lost
            if self._guard is not None:
                self._guard.cancel()
        if self._guard is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._guard
            self._guard = None
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.spec.stop_signal)
        try:
            await asyncio.wait_for(process.wait(), timeout_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def replace(self, spec: ProcessSpec, *, timeout_s: float = 1.0) -> None:
        """End it and start ``spec`` in its place."""
        await self.stop(timeout_s=timeout_s)
        self.spec = spec
        await self.start()

    async def _spawn(self) -> None:
        spec = self.spec
        with spec.output.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                *_as_user(spec),
                *spec.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**_environment(), **spec.environment},
                start_new_session=True,  # Ctrl-C in a terminal is for the supervisor, which stops us in order
            )

    async def _revive(self) -> None:
        while self._process is not None:
            await self._process.wait()
            await asyncio.sleep(REVIVE_AFTER_S)
            async with self._spawning:
                self.restarts += 1
                await self._spawn()


def _as_user(spec: ProcessSpec) -> list[str]:
    command = ["setpriv", "--pdeathsig", spec.orphan_signal]
    if spec.user:
        group = str(pwd.getpwnam(spec.user).pw_gid)
        command += ["--reuid", spec.user, "--regid", group, "--clear-groups"]
    return [*command, "--"]


def _environment() -> dict[str, str]:
    """Hand down only what a server needs: no proxy, no token of the person who started us."""
    kept = ("PATH", "HOME", "LANG", "TZ", "TMPDIR", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
    return {name: os.environ[name] for name in kept if name in os.environ}


def find_program(name: str) -> str:
    """Find a server that comes with the system.

    Raises:
        ShopError: it is not installed.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise ShopError(
            f"{name} is not installed.",
            hint="Install the Debian packages haproxy prometheus prometheus-alertmanager git",
        )
    return found


class Ports:
    """Free ports of this machine, held so that no other process gets them before the server binds them.

    A bound socket that does not listen keeps the kernel from giving the port to others, and with SO_REUSEADDR
    on both sides it does not stand in the way of the server.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self) -> int:
        """Choose a free loopback port."""
        held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        self._held.append(held)
        return int(held.getsockname()[1])

    def close(self) -> None:
        """Let go of all ports."""
        for held in self._held:
            held.close()
        self._held.clear()


async def until(
    ready: Callable[[], Awaitable[bool]], *, what: str, timeout_s: float, every_s: float = 0.05
) -> None:
    """Wait until ``ready`` returns true.

    Raises:
        ShopError: it did not within ``timeout_s`` seconds.
    """
    try:
        async with asyncio.timeout(timeout_s):
            while not await ready():  # noqa: ASYNC110  # what we wait for is another process
                await asyncio.sleep(every_s)
    except TimeoutError:
        raise ShopError(
            f"{what} did not come up within {timeout_s:g} s.", hint="Read its log for the reason."
        ) from None
