"""Answers the gates from the bot's own state: locks by people, and open incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from bot.domain.board import Topic
from bot.domain.deployments.checklist import ItemMark
from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.deployments.open_incident import OpenIncident, is_grave
from bot.domain.errors import NotFoundError, ProbeUnavailableError
from bot.domain.people import Person
from bot.domain.runs.run import Run, fold
from bot.ports.alerts import AlertStore
from bot.ports.gates import ChecklistStore, DeployLockStore
from bot.ports.journal import Journal
from bot.ports.links import Links

TRIAGE = "triage"
"""The runbook whose unfinished runs show that a person is working on an incident."""
_MOST_ALERTS = 1000
_AT_ONCE = 20
_MOST_LINKED = 5


class StateGatekeeper:
    """Answers from the locks, the checklists, the alerts and the journals."""

    def __init__(
        self,
        *,
        locks: DeployLockStore,
        checklists: ChecklistStore,
        alerts: AlertStore,
        journal: Journal,
        links: Links | None = None,
    ) -> None:
        """Store the dependencies; nothing is ever written.  Without ``links`` no message is pointed to."""
        self._links = links
        self._locks = locks
        self._checklists = checklists
        self._alerts = alerts
        self._journal = journal

    async def lock_of(self, service: str) -> DeployLock | None:
        """Return the lock that a person holds on a service; none if it is not locked."""
        return next(iter(await self._locks.held((service,))), None)

    async def troubles(self, services: Collection[str]) -> tuple[OpenIncident, ...]:
        """List the open incidents at these services, oldest first.

        Raises:
            ProbeUnavailableError: more alerts are firing than can be checked.
        """
        found = [*await self._of_alerts(services), *await self._of_runs(services)]
        found.sort(key=lambda trouble: trouble.since)
        return tuple([await self._linked(one) for one in found[:_MOST_LINKED]] + found[_MOST_LINKED:])

    async def marks_of(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """List the ticks and waivers on the checklist of a version, oldest first."""
        return await self._checklists.marks(service, version)

    async def requester_of(self, run_id: str) -> Person | None:
        """Return who asked for a run; none if the run is unknown."""
        run = await self._run(run_id)
        return None if run is None else run.requested_by

    async def _linked(self, trouble: OpenIncident) -> OpenIncident:
        if self._links is None:
            return trouble
        topic = (
            Topic(kind="alert", id=trouble.alert) if trouble.alert else Topic(kind="run", id=trouble.run_id)
        )
        return trouble.but(link=await self._links.message_of(topic))

    async def _of_alerts(self, services: Collection[str]) -> list[OpenIncident]:
        firing = await self._alerts.firing(limit=_MOST_ALERTS)
        hidden = [alert for alert in firing if alert.left_out and alert.service in {"", *services}]
        found = [
            OpenIncident(
                kind="alert",
                service=alert.service,
                what=f"{alert.name} fires",
                since=alert.starts_at,
                alert=alert.id,
            )
            for alert in firing
            if alert.service in services and is_grave(alert) and not alert.left_out
        ]
        if not found and any(is_grave(alert) for alert in hidden):
            raise ProbeUnavailableError(
                f"{hidden[0].summary}: one of them may be an incident here.",
                hint="Raise `max_alerts` of the receiver, or group alerts by more labels.",
            )
        if not found and len(firing) == _MOST_ALERTS:
            raise ProbeUnavailableError(
                f"More than {_MOST_ALERTS} alerts are firing; not all of them can be checked."
            )
        return found

    async def _of_runs(self, services: Collection[str]) -> list[OpenIncident]:
        ids = await self._journal.unfinished(runbook=TRIAGE)
        found: list[OpenIncident] = []
        for start in range(0, len(ids), _AT_ONCE):
            runs = await asyncio.gather(*(self._run(run_id) for run_id in ids[start : start + _AT_ONCE]))
            found += [_at_work(run) for run in runs if run is not None and _is_triage(run, services)]
        return found

    async def _run(self, run_id: str) -> Run | None:
        try:
            return fold(run_id, await self._journal.load(run_id))
        except NotFoundError:  # its retention has ended
            return None


def _is_triage(run: Run, services: Collection[str]) -> bool:
    return run.runbook.name == TRIAGE and run.state != "finished" and run.service in services


def _at_work(run: Run) -> OpenIncident:
    what = f"{run.requested_by.name or run.requested_by.id} is working on it"
    return OpenIncident(kind="triage", service=run.service, what=what, since=run.started_at, run_id=run.id)
