"""What every handler is handed, and the one way to write an intent down."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.deployments.deployment import Deployment
from bot.domain.deployments.queueing import ServiceQueue
from bot.domain.diagnoses.feedback import RatedDiagnosis
from bot.domain.errors import IdentityUnknownError
from bot.domain.intent import Intent, StartRun
from bot.domain.model import JsonObject
from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person
from bot.domain.reading import ReadingRight, require_reading
from bot.domain.runs.event import Origin
from bot.domain.runs.run import Run, fold
from bot.engine.stores import Stores
from bot.ports.directory import Directory
from bot.ports.library import Library
from bot.ports.notifier import Notifier
from bot.services.queue_commands import QueueCommands
from bot.views.monitor import MOST_LISTED, MonitorView, worst_first

_STORE_S = 1.2
"""Slack waits three seconds for an answer; a store that is slower than this is told as a failure."""

_DIRECTORY_S = 1.2
"""So long Slack may take to say who somebody is; beyond that, a read is refused."""

_MOST_FIRING = 100


@dataclass(frozen=True, kw_only=True)
class HandlerContext:
    """The surroundings of the handlers; built once by the composition root."""

    stores: Stores
    """Only read, but for the inbox."""
    library: Library
    catalogue: Catalogue
    clock: Clock
    directory: Directory
    """Only for reads; who may change something is checked when an intent is carried out."""
    teller: Notifier

    async def reader(self, person: Person) -> ReadingRight:
        """Return what a person may read; every read that is answered here asks this first.

        Raises:
            NotAllowedError: that is nothing; the code says why.
            IdentityUnknownError: who it is cannot be looked up now.
        """
        try:
            async with asyncio.timeout(_DIRECTORY_S):
                profile = await self.directory.profile(person.id)
        except TimeoutError:
            raise IdentityUnknownError(
                "Slack did not tell me in time who you are, so I show nothing.",
                hint="Try again in a minute.",
            ) from None
        return require_reading(profile, self.catalogue)

    def readable(self, right: ReadingRight, service: str = "") -> tuple[str, ...]:
        """List the services that are asked for, all if it is empty, and may be read.

        Raises:
            NotAllowedError: this very service may not be read.
        """
        if service:
            right.require(service)
            return (service,)
        return tuple(name for name in self.catalogue.names if right.covers(name))

    async def submit(self, intent: Intent) -> None:
        """Write an intent down; a redelivered one changes nothing.

        Raises:
            TimeoutError: the store did not answer in time; it may or may not hold the intent.
        """
        async with asyncio.timeout(_STORE_S):
            await self.stores.inbox.put(intent)

    async def alert(self, alert_id: str) -> Alert:
        """Read an alert.

        Raises:
            NotFoundError: there is none of that id.
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await self.stores.alerts.get(alert_id)

    async def run(self, run_id: str) -> Run:
        """Read a run.

        Raises:
            NotFoundError: there is none of that id.
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return fold(run_id, await self.stores.journal.load(run_id))

    async def firing(self) -> tuple[Alert, ...]:
        """List the alerts that fire, newest first.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await self.stores.alerts.firing(limit=_MOST_FIRING)

    async def sights(self, names: Sequence[str]) -> list[MonitorView]:
        """Read what is known of monitors of the catalogue, by their full names; the worst come first.

        Who muted them is looked up for as many as are ever shown one by one.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        known, now = self.catalogue.monitors, self.clock.now()
        async with asyncio.timeout(_STORE_S):
            states = await self.stores.monitors.states(names)
            sights = worst_first(
                [MonitorView(name=n, monitor=known[n][1], state=states[n]) for n in names], now=now
            )
            shown = sights[:MOST_LISTED]
            muted = await asyncio.gather(*(self.stores.alerts.silence_of(sight.name) for sight in shown))
        told = [replace(sight, muted=by) for sight, by in zip(shown, muted, strict=True)]
        return [*told, *sights[MOST_LISTED:]]

    async def rated(self, *, seconds: float) -> tuple[RatedDiagnosis, ...]:
        """List the diagnoses of the last ``seconds`` that people spoke about.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        now = self.clock.now()
        async with asyncio.timeout(_STORE_S):
            return await self.stores.feedback.between(now - timedelta(seconds=seconds), now)

    async def deployed(self, service: str, *, right: ReadingRight, limit: int) -> tuple[Deployment, ...]:
        """List the latest deployments of a service, or of all that may be read if it is empty, newest first.

        Raises:
            NotAllowedError: this very service may not be read.
            TimeoutError: the store did not answer in time.
        """
        services = self.readable(right, service) if service or not right.is_whole else ("",)
        async with asyncio.timeout(_STORE_S):
            found = await asyncio.gather(
                *(self.stores.deployments.of(name, limit=limit) for name in services)
            )
        latest = sorted((one for own in found for one in own), key=lambda one: one.requested_at, reverse=True)
        return tuple(latest[:limit])

    async def locked(self, services: Sequence[str]) -> tuple[DeployLock, ...]:
        """List the locks of these services.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await self.stores.deploy_locks.held(services)

    async def queues(self, services: Sequence[str]) -> tuple[ServiceQueue, ...]:
        """List who changes these services and who waits to.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await QueueCommands(self.stores, self.clock).queues(services)

    async def start(self, runbook: str, params: JsonObject, *, key: str, by: Person, origin: Origin) -> None:
        """Ask for a run.

        Raises:
            TimeoutError: as ``submit``.
        """
        await self.submit(
            StartRun(key=key, at=self.clock.now(), runbook=runbook, params=params, by=by, origin=origin)
        )
