"""What the matrix stands on: a Valkey that may be killed, a local Slack, targets, workers and clocks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

import handlers
from bench.crashing.outside import Outside, outside
from bench.crashing.points import Points
from bench.crashing.worker import run
from bot.adapters.redis.store import RedisStore, connect
from bot.adapters.slack.manifest import manifest_of
from demo.scenarios.children import die_with_parent
from demo.scenarios.valkey import embedded_valkey

_HERE = Path(__file__).resolve().parent
_PEOPLE = _HERE.parent.parent / "demo" / "scenarios" / "workspace.yaml"
CHANNEL = "C0CHECKOUT"
SERVICE = "checkout"


@dataclass
class Crew:
    """The workers and clocks of one prefix, which share their points; whoever dies can be replaced."""

    name: str
    points: Points
    environment: Mapping[str, str]
    logs: Path
    context: ForkServerContext
    members: dict[int, tuple[str, ForkServerProcess]] = field(default_factory=dict)

    def hire(self, role: str) -> int:
        """Start one more process of a role; gives its id."""
        log = str(self.logs / f"{self.name}-{role}.log")
        process = self.context.Process(
            target=run, args=(role, self.environment, self.points, log), daemon=True
        )
        process.start()
        assert process.pid is not None  # noqa: S101  # it was started
        self.members[process.pid] = (role, process)
        return process.pid

    async def up(self, *, within_s: float = 180) -> None:
        """Wait until everybody works: a run is to meet the crew, and not the start of its processes.

        Raises:
            TimeoutError: somebody does not after ``within_s`` seconds.
        """
        async with asyncio.timeout(within_s):
            while not self.points.working(self.members):  # noqa: ASYNC110  # other processes wake nobody here
                await asyncio.sleep(0.02)

    def kill(self, pid: int) -> None:
        """Kill one of them with -9."""
        os.kill(pid, signal.SIGKILL)
        self.members[pid][1].join(5)

    def bury(self) -> list[str]:
        """Start another process for each that has ended; gives the last words of those that nobody killed."""
        last_words: list[str] = []
        for pid, (role, process) in list(self.members.items()):
            if process.is_alive():
                continue
            if process.exitcode != -signal.SIGKILL:
                lines = (self.logs / f"{self.name}-{role}.log").read_text("utf-8", "replace").splitlines()
                last_words.append(f"{role} ended with {process.exitcode}: {lines[-1] if lines else ''}")
            del self.members[pid]
            self.hire(role)
        return last_words

    def of(self, role: str) -> list[int]:
        """List the ids of the processes of a role."""
        return [pid for pid, (known, _) in self.members.items() if known == role]

    def dismiss(self) -> None:
        """End everybody."""
        for pid, (_, process) in self.members.items():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            process.join(5)
        self.members.clear()


@dataclass
class World:
    """One world, shared by several crews."""

    folder: Path
    logs: Path
    valkey: Path
    redis_url: str
    slack: Mapping[str, str]
    targets: Outside
    context: ForkServerContext
    lease_s: float
    servers: contextlib.AsyncExitStack
    """The Valkeys that were started, one after the other, on the same folder."""
    restarting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def restart_valkey(self, *, after_s: float) -> None:
        """Kill the server with -9, if it is there, and start it again on its append-only file."""
        async with self.restarting:
            probe = connect(self.redis_url)
            try:
                pid = int((await probe.client.info("server"))["process_id"])
            except (RedisError, OSError):  # its last start failed, which that run has reported
                pass
            else:
                os.kill(pid, signal.SIGKILL)
            finally:
                await probe.aclose()
            await asyncio.sleep(after_s)
            await self.servers.enter_async_context(embedded_valkey(self.valkey))

    @contextlib.contextmanager
    def crew(self, name: str, *, workers: int = 2, clocks: int = 2) -> Any:  # noqa: ANN401  # a context manager
        """Have a crew with keys of its own."""
        environment = {
            "PILOTHOUSE_REDIS_URL": self.redis_url,
            "PILOTHOUSE_REDIS_PREFIX": name,
            "PILOTHOUSE_SLACK_BOT_TOKEN": self.slack["bot_token"],
            "PILOTHOUSE_SLACK_APP_TOKEN": self.slack["app_token"],
            "PILOTHOUSE_SLACK_API_URL": self.slack["api_url"],
            "PILOTHOUSE_CATALOGUE": str(self.folder / "catalogue.yaml"),
            "PILOTHOUSE_RUNBOOKS": str(_HERE / "crash.yaml"),
            "PILOTHOUSE_LEASE_S": str(self.lease_s),
            "PILOTHOUSE_RECONCILE_S": "1",
        }
        points = Points(self.context, self.folder / f"{name}.lock")
        made = Crew(name, points, environment, self.logs, self.context)
        try:
            for role in ("worker",) * workers + ("clock",) * clocks:
                made.hire(role)
            yield made
        finally:
            made.dismiss()

    def store(self, prefix: str) -> RedisStore:
        """Connect to a crew's keys."""
        return connect(self.redis_url, prefix=prefix)


@contextlib.asynccontextmanager
async def world(*, lease_s: float, logs: Path | None = None) -> AsyncIterator[World]:
    """Bring everything up but the crews; their logs are kept in ``logs``, a folder that is there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bench.crashing.worker"])
    with tempfile.TemporaryDirectory(prefix="ph-crash-") as name:
        folder = Path(name)
        manifest = folder / "manifest.json"
        manifest.write_text(json.dumps(manifest_of(handlers.modules())), "utf-8")
        async with (
            outside() as targets,
            contextlib.AsyncExitStack() as servers,
            _local_slack(manifest) as slack,
        ):
            redis_url = await servers.enter_async_context(embedded_valkey(folder / "valkey"))
            catalogue = {
                "services": [
                    {
                        "name": SERVICE,
                        "channel": "checkout-oncall",
                        "sources": {"outside": {"url": targets.url}},
                    }
                ]
            }
            (folder / "catalogue.yaml").write_text(json.dumps(catalogue), "utf-8")
            yield World(
                folder,
                logs or folder,
                folder / "valkey",
                redis_url,
                slack,
                targets,
                context,
                lease_s,
                servers,
            )


@contextlib.asynccontextmanager
async def _local_slack(manifest: Path) -> AsyncIterator[dict[str, str]]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "localslack", "--json", "--port", "0", "--no-rate-limits"),
        *("--workspace", str(_PEOPLE), "--manifest", str(manifest), "--app-name", "pilothouse"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )
    assert process.stdout is not None  # noqa: S101  # it was asked for
    try:
        async with asyncio.timeout(180):
            line = await process.stdout.readline()
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
