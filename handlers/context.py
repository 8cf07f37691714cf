"""The context that every handler gets, and the only way to submit an intent."""

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
from bot.ports.links import Links
from bot.ports.notifier import Notifier
from bot.services.queue_commands import QueueCommands
from bot.views.monitor import MOST_LISTED, MonitorView, worst_first

_STORE_S = 1.2
"""Seconds until a store counts as failed; Slack waits three seconds for an answer."""

_DIRECTORY_S = 1.2
"""Seconds that Slack may take to return a person's profile; after that, a read is refused."""

_MOST_FIRING = 100


@dataclass(frozen=True, kw_only=True)
class HandlerContext:
    """The dependencies of the handlers; built once by the composition root."""

    stores: Stores
    """Read-only, except for the inbox."""
    library: Library
    catalogue: Catalogue
    clock: Clock
    directory: Directory
    """Used for reads only; the right to change something is checked when an intent is carried out."""
    notifier: Notifier
    links: Links

    async def reader(self, person: Person) -> ReadingRight:
        """Return what a person may read; every read that is answered here checks this first.

        Raises:
            NotAllowedError: the person may read nothing; the code gives the reason.
            IdentityUnknownError: the person cannot be looked up now.
        """
        try:
            async with asyncio.timeout(_DIRECTORY_S):
                profile = await self.directory.profile(person.id)
        except TimeoutError:
            raise IdentityUnknownError(
                "I could not check who you are: Slack did not answer in time.",
                hint="Try again in a minute.",
            ) from None
        return require_reading(profile, self.catalogue)

    def readable(self, right: ReadingRight, service: str = "") -> tuple[str, ...]:
        """Return the services that may be read; only ``service`` if it is given.

        Raises:
            NotAllowedError: ``service`` may not be read.
        """
        if service:
            right.require(service)
            return (service,)
        return tuple(name for name in self.catalogue.names if right.covers(name))

    async def submit(self, intent: Intent) -> None:
        """Submit an intent to the inbox; a redelivered one changes nothing.

        Raises:
            TimeoutError: the store did not answer in time; it may or may not hold the intent.
        """
        async with asyncio.timeout(_STORE_S):
            await self.stores.inbox.put(intent)

    async def alert(self, alert_id: str) -> Alert:
        """Return an alert.

        Raises:
            NotFoundError: the id is unknown.
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await self.stores.alerts.get(alert_id)

    async def run(self, run_id: str) -> Run:
        """Return a run.

        Raises:
            NotFoundError: the id is unknown.
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return fold(run_id, await self.stores.journal.load(run_id))

    async def firing(self) -> tuple[Alert, ...]:
        """Return the firing alerts, newest first.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await self.stores.alerts.firing(limit=_MOST_FIRING)

    async def monitor_views(self, names: Sequence[str]) -> list[MonitorView]:
        """Return the state of monitors of the catalogue, given their full names; the worst come first.

        Mutes are looked up only for as many as are ever listed one by one.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        known, now = self.catalogue.monitors, self.clock.now()
        async with asyncio.timeout(_STORE_S):
            states = await self.stores.monitors.states(names)
            views = worst_first(
                [MonitorView(name=n, monitor=known[n][1], state=states[n]) for n in names], now=now
            )
            shown = views[:MOST_LISTED]
            muted = await asyncio.gather(*(self.stores.alerts.silence_of(view.name) for view in shown))
        with_mutes = [replace(view, muted=by) for view, by in zip(shown, muted, strict=True)]
        return [*with_mutes, *views[MOST_LISTED:]]

    async def rated(self, *, seconds: float) -> tuple[RatedDiagnosis, ...]:
        """Return the rated diagnoses of the last ``seconds``.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        now = self.clock.now()
        async with asyncio.timeout(_STORE_S):
            return await self.stores.feedback.between(now - timedelta(seconds=seconds), now)

    async def deployed(self, service: str, *, right: ReadingRight, limit: int) -> tuple[Deployment, ...]:
        """Return the latest deployments, newest first: of ``service``, or of every readable one if empty.

        Raises:
            NotAllowedError: ``service`` may not be read.
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
        """Return the deploy locks of these services.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await self.stores.deploy_locks.held(services)

    async def queues(self, services: Sequence[str]) -> tuple[ServiceQueue, ...]:
        """Return the deployment queues of these services.

        Raises:
            TimeoutError: the store did not answer in time.
        """
        async with asyncio.timeout(_STORE_S):
            return await QueueCommands(self.stores, self.clock).queues(services)

    async def start(self, runbook: str, params: JsonObject, *, key: str, by: Person, origin: Origin) -> None:
        """Submit the start of a run.

        Raises:
            TimeoutError: as ``submit``.
        """
        await self.submit(
            StartRun(key=key, at=self.clock.now(), runbook=runbook, params=params, by=by, origin=origin)
        )
