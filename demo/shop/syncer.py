"""Syncs the shop from Git as cluster tools do: every second, running versions are set to those in Git."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.errors import ShopError
from demo.shop.fleet import Fleet
from demo.shop.repository import BareRepository
from demo.shop.units import unit_name

EVERY_S = 1.0
SLOT = "live"
AUTHOR = "syncer"


class Syncer:
    """Holds the ``live`` slot of each service at the version that its file in Git names.

    It knows nothing of traffic or of why: a slot that was changed by others is changed back.
    """

    def __init__(
        self, repository: BareRepository, fleet: Fleet, ledger: ShopChangeLedger, files: Mapping[str, str]
    ) -> None:
        """Sync the parts; ``files`` names the file of each service's address."""
        self._repository = repository
        self._fleet = fleet
        self._ledger = ledger
        self._files = files
        self._revision = ""
        self._wanted: dict[str, str] = {}
        self._failed: dict[str, str] = {}
        self._error = ""
        self._syncs = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to sync."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Sync no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def to_json(self) -> dict[str, Any]:
        """Write how it stands as the API hands it out."""
        return {
            "revision": self._revision,
            "wanted": dict(self._wanted),
            "running": {address: self._fleet.unit_version(_name(address)) for address in self._files},
            "state": "degraded" if self._error or self._failed else "synced" if self._syncs else "starting",
            "error": self._error,
            "syncs": self._syncs,
        }

    async def _run(self) -> None:
        while True:
            try:
                await self._sync()
                self._error = ""
            except (ShopError, TimeoutError, OSError) as error:
                self._error = str(error) or type(error).__name__
            await asyncio.sleep(EVERY_S)

    async def _sync(self) -> None:
        head = await self._repository.head()
        if head != self._revision:
            found = {
                address: await self._repository.version(head, file) for address, file in self._files.items()
            }
            self._revision, self._wanted, self._failed = head, found, {}
        for address, version in self._wanted.items():
            await self._bring(address, version)
        self._syncs += 1

    async def _bring(self, address: str, version: str) -> None:
        name = _name(address)
        running = self._fleet.unit_version(name)
        if self._failed.get(address) == version or (running == version and not self._fleet.halted(name)):
            return
        try:
            await self._fleet.roll(name, version)
        except ShopError:  # the old one runs on, until a commit names another
            self._failed[address] = version
            return
        summary = f"Synced {address} to {version} ({self._revision[:9]})"
        self._ledger.deploy(address, version=version, previous=running, author=AUTHOR, summary=summary)


def _name(address: str) -> str:
    return unit_name(address, SLOT)
