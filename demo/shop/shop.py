"""The whole shop: everything started in parallel, and everything stopped again."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import time
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, Any, Self

from aiohttp import ClientSession, TCPConnector, web

from demo.shop.assembly import GIT, OUTSIDE, Assembly, assemble, first_versions
from demo.shop.control.api import ControlApi
from demo.shop.errors import ShopError
from demo.shop.faults.base import FaultBoard
from demo.shop.faults.catalogue import all_faults
from demo.shop.haproxy_config import CANDIDATE, STABLE, Holder
from demo.shop.processes import Ports, find_program, until
from demo.shop.side_services import FlagTeller

CATALOGUE = Path(__file__).resolve().parent / "catalogue.yaml"
"""The shop as the bot knows it; its placeholders are filled from ``Shop.env``."""

_OURS = ("logs", OUTSIDE, "settings", "haproxy", "prometheus", "alertmanager", GIT)
_PROGRAMS = ("haproxy", "prometheus", "prometheus-alertmanager", "setpriv", "git")


class Shop:
    """One shop, all of whose files are in ``state_dir``; enter it to open, leave it to close.

    Everything listens on loopback or on Unix sockets. What an earlier shop left in ``state_dir`` is removed.
    Alertmanager calls ``webhook_url``, with ``webhook_token`` as the bearer token when there is one.
    ``holder`` answers ``GET /leases/checkout/candidate``: checkout's candidate has traffic only while the
    answer is good. Without one its own health is enough. ``flags`` decides who has the features of search.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        webhook_url: str = "",
        webhook_token: str = "",
        holder: Holder | None = None,
        flags: FlagTeller | None = None,
    ) -> None:
        self._dir = state_dir.resolve()
        self._webhook_url = webhook_url
        self._webhook_token = webhook_token
        self._holder = holder
        self._flags = flags
        self._exit = AsyncExitStack()
        self._facts: dict[str, Any] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """What others need to know, as in ``shop.json``: ``pid``, ``control_url``, ``env`` and more."""
        return dict(self._facts)

    @property
    def env(self) -> dict[str, str]:
        """The environment that fills the placeholders of the catalogue."""
        return dict(self._facts["env"])

    @property
    def control_url(self) -> str:
        """Where the control API and its page are."""
        return str(self._facts["control_url"])

    async def __aenter__(self) -> Self:
        """Open the shop.

        Raises:
            ShopError: a server is missing or does not come up, or another shop is open in this folder;
                whatever was started is stopped again.
        """
        started = time.monotonic()
        for program in _PROGRAMS:
            find_program(program)
        try:
            assembly = await self._open()
        except BaseException:
            await self._exit.aclose()
            raise
        self._facts = {
            "pid": os.getpid(),
            "state_dir": str(self._dir),
            "control_url": assembly.control_url,
            "webhook_url": self._webhook_url,
            "catalogue": str(CATALOGUE),
            "started_in_s": round(time.monotonic() - started, 2),
            "env": assembly.env(),
        }
        self._write_facts()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the shop."""
        (self._dir / "shop.json").unlink(missing_ok=True)
        await self._exit.aclose()

    async def _open(self) -> Assembly:
        self._exit.enter_context(_sole_use(self._dir))
        for name in _OURS:
            shutil.rmtree(self._dir / name, ignore_errors=True)
        for name in ("logs", OUTSIDE):
            (self._dir / name).mkdir()
        ports = Ports()
        self._exit.callback(ports.close)
        session = await self._exit.enter_async_context(ClientSession(connector=TCPConnector(limit=0)))
        probing = await self._exit.enter_async_context(
            ClientSession(connector=TCPConnector(force_close=True))
        )
        assembly = assemble(
            self._dir,
            session=session,
            probe_session=probing,
            ports=ports,
            holder=self._holder,
            flags=self._flags,
        )
        self._exit.push_async_callback(_stop_servers, assembly)
        await self._start_servers(assembly)
        await self._serve_control(assembly)
        assembly.world.load.start()
        self._exit.push_async_callback(assembly.world.load.stop)
        assembly.world.syncer.start()
        self._exit.push_async_callback(assembly.world.syncer.stop)
        assembly.world.streams.start()
        self._exit.push_async_callback(assembly.world.streams.stop)
        return assembly

    async def _start_servers(self, assembly: Assembly) -> None:
        world = assembly.world
        await world.fleet.start()
        await _together(
            world.postgres.start(),
            world.haproxy.start(),
            world.monitoring.start_alertmanager(
                webhook_url=self._webhook_url, webhook_token=self._webhook_token
            ),
            world.fleet.until_healthy(),
            assembly.repository.create(first_versions()),
        )

        async def ready() -> bool:
            answer = await world.fleet.readiness("checkout-stable")
            servers = await world.haproxy.servers()
            # A candidate with a lease is not up before the lease is held.
            needed = (STABLE,) if assembly.has_lease else (STABLE, CANDIDATE)
            return answer["status"] == "ok" and all(servers[name].up for name in needed)

        await _together(
            until(ready, what="checkout", timeout_s=60),
            # Last: a rule that sees services come up one by one would raise false alarms.
            world.monitoring.start_prometheus(
                assembly.targets,
                light=assembly.light_targets,
                haproxy_port=world.haproxy.stats_port,
                runbook_url=assembly.control_url,
            ),
        )

    async def _serve_control(self, assembly: Assembly) -> None:
        board = FaultBoard(all_faults(), assembly.world)
        self._exit.push_async_callback(board.reset)
        api = ControlApi(assembly.world, board, assembly.links())
        runner = web.AppRunner(api.application(), access_log=None, shutdown_timeout=0.3)
        await runner.setup()
        self._exit.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", assembly.control_port).start()

    def _write_facts(self) -> None:
        fresh = self._dir / "shop.json.new"
        fresh.touch(mode=0o600)  # it holds the database's password
        fresh.write_text(json.dumps(self._facts, indent=2), encoding="utf-8")
        fresh.replace(self._dir / "shop.json")


async def _together(*works: Awaitable[None]) -> None:
    """Run all at once; the first failure ends the others and is raised as itself."""

    async def run(work: Awaitable[None]) -> None:
        await work

    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(run(work))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


async def _stop_servers(assembly: Assembly) -> None:
    world = assembly.world
    await asyncio.gather(
        world.fleet.stop(), world.monitoring.stop(), world.haproxy.stop(), world.postgres.stop()
    )


def _sole_use(folder: Path) -> IO[bytes]:
    """Lock a folder; the kernel unlocks it when this process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ShopError(f"Another shop is open in {folder}.", hint="Choose another --state-dir.") from None
    return lock
