"""Starts runs: each once, and of a service's triages one at a time."""

from __future__ import annotations

import hashlib
import logging

from bot.domain.deployments.deployment import ROLLBACK
from bot.domain.errors import BusyError, NotAllowedError, NotFoundError
from bot.domain.intent import StartRun
from bot.domain.monitoring.incident import diagnoses
from bot.domain.people import Person
from bot.domain.runs.ending import is_deployment
from bot.domain.runs.event import CancelRequested, RunStarted
from bot.domain.runs.run import Run, begin, fold
from bot.domain.runs.runbook import Background
from bot.engine.deps import Deps
from bot.engine.emergencies import show_emergency
from bot.engine.incidents import attach_to_triage, show_on_alerts
from bot.engine.interjection import Interjection, interject
from bot.engine.open_plans import another_waits, open_plan, takes_precedence
from bot.engine.params import complete_params
from bot.services.version_check import require_known_version
from bot.views.phrases import pointed_to

log = logging.getLogger(__name__)

_TRIES = 50
"""How often a write is tried again after another writer was first."""
_STARTS_WITHIN_S = 120.0
"""Seconds in which a run that has claimed its service must start; then the claim lapses."""
_AGAIN = "Once it has ended, you can start a new one."


def run_id_of(key: str) -> str:
    """Derive a run's id from its intent's key, so that the same intent is the same run."""
    return "r" + hashlib.sha256(key.encode()).hexdigest()[:14]


def is_under_way(triage: Run) -> bool:
    """Return whether a triage is still at work; one that only watches keeps nobody from starting another."""
    rest = [phase for phase in triage.runbook.phases if triage.phases[phase.id].outcome is None]
    return triage.outcome is None and not all(isinstance(phase, Background) for phase in rest)


class RunStarter:
    """Starts what an intent asks for; handling the same intent twice starts one run."""

    def __init__(self, deps: Deps) -> None:
        """Store the dependencies."""
        self._deps = deps
        self._stores = deps.stores

    async def start(self, intent: StartRun) -> None:
        """Start the run.

        Raises:
            UsageError: a parameter does not fit, or names a version that does not exist.
            NotAllowedError: a run for the same thing is under way; the message points to it.
        """
        runbook = self._deps.library.get(intent.runbook)
        params = complete_params(runbook, intent.params, catalogue=self._deps.catalogue)
        await require_known_version(self._deps, runbook, params, run_id=run_id_of(intent.key))
        event = RunStarted(
            at=self._deps.clock.now(),
            runbook=runbook,
            params=params,
            requested_by=intent.by,
            origin=intent.origin,
        )
        service = params.get("service")
        if isinstance(service, str):
            await self._require_no_open_plan(intent, event, service)
        if diagnoses(runbook) and isinstance(service, str):
            await self._start_triage(intent, event, service)
        elif intent.origin.alert:
            await self._start_of_alert(intent, event)
        else:
            await self._begin(run_id_of(intent.key), event)

    async def _require_no_open_plan(self, intent: StartRun, event: RunStarted, service: str) -> None:
        """Refuse at once what would end at its approval, because another plan of the service waits for one.

        Raises:
            NotAllowedError: such a plan is open; the message points to it.
        """
        run = begin(run_id_of(intent.key), event)
        is_emergency = run.runbook.name == ROLLBACK and run.emergency  # it may need no approval
        if not is_deployment(run) or run.params.get("dry_run") is True or is_emergency:
            return
        other = await open_plan(self._deps, service)
        if other is None or other.id == run.id or takes_precedence(run, other):
            return
        if await self._find(run.id) is not None:
            return  # it was started before; this is its intent, delivered again
        why = await another_waits(self._deps, other, service=service)
        raise NotAllowedError(
            f"Not started: {why}.",
            code="plan_open",
            hint="Decide that one first, or cancel it in its thread.",
        )

    async def _begin(self, run_id: str, event: RunStarted) -> bool:
        started = await self._stores.journal.start(run_id, event)
        log.info("run_started", extra={"run_id": run_id, "runbook": event.runbook.name, "new": started})
        if started:
            await show_on_alerts(self._stores, begin(run_id, event), (event,))
            await show_emergency(self._stores, begin(run_id, event), (event,))
        return started

    async def _start_triage(self, intent: StartRun, event: RunStarted, service: str) -> None:
        """Start the one triage of a service, or point to the one that is under way."""
        run_id, name = run_id_of(intent.key), f"triage:{service}"
        if await self._find(run_id) is not None:  # delivered again, after a worker had died
            await self._stores.claims.claim(name, holder=run_id, lasts_s=_STARTS_WITHIN_S)
            await self._stores.claims.settle(name, holder=run_id)
            return
        await self._claim(name, run_id, intent, service)
        if not await self._begin(run_id, event):
            return
        if not await self._stores.claims.settle(name, holder=run_id):
            # This process stood still for so long that another triage has begun meanwhile.
            await self._cancel(run_id, intent.by)

    async def _claim(self, name: str, run_id: str, intent: StartRun, service: str) -> None:
        """Claim the triage of a service for a run.

        Raises:
            NotAllowedError: another one is under way, or about to start.
        """
        ended = ""
        for _ in range(_TRIES):
            claim = await self._stores.claims.claim(
                name, holder=run_id, instead_of=ended, lasts_s=_STARTS_WITHIN_S
            )
            if claim.holder == run_id:
                return
            other = await self._find(claim.holder)
            if other is None and not claim.settled:
                raise NotAllowedError(
                    f"A triage of `{service}` is just starting.", code="already_running", hint=_AGAIN
                )
            if other is not None and is_under_way(other):
                await self._refuse(intent, other)
            ended = claim.holder
        raise BusyError(f"Triages of `{service}` begin and end too quickly.")

    async def _refuse(self, intent: StartRun, other: Run) -> None:
        """Point to the triage that is under way, and show its progress on the alert that was clicked.

        Raises:
            NotAllowedError: always.
        """
        if intent.origin.alert:
            await attach_to_triage(self._stores, await self._stores.alerts.get(intent.origin.alert))
        link = await self._deps.links.thread_of(other.id) if self._deps.links is not None else ""
        told = pointed_to(other, link=link, asker=intent.by, doing=f"triaging `{other.service}`")
        raise NotAllowedError(told, code="already_running", hint=_AGAIN)

    async def _start_of_alert(self, intent: StartRun, event: RunStarted) -> None:
        """Start a runbook that is not a triage from an alert; only one of them runs at a time."""
        for number in range(_TRIES):
            run_id = run_id_of(f"{intent.runbook}:{intent.origin.alert}:{number}")
            other = await self._find(run_id)
            if other is None and await self._begin(run_id, event):
                return
            other = other or await self._find(run_id)
            if other is not None and other.state != "finished":
                raise NotAllowedError(
                    pointed_to(other, link="", asker=intent.by, doing="on it"),
                    code="already_running",
                    hint=_AGAIN,
                )
        raise NotAllowedError(
            "This alert has been handled too many times.", hint="Start the runbook by its command instead."
        )

    async def _cancel(self, run_id: str, by: Person) -> None:
        async def decided(run: Run) -> Interjection | None:
            if run.state == "finished" or run.cancelled_by is not None:
                return None
            why = "another triage of the service was first"
            return Interjection(event=CancelRequested(at=self._deps.clock.now(), by=by, why=why), wake=True)

        log.warning("triage_was_second", extra={"run_id": run_id})
        await interject(self._stores.journal, run_id, decided)

    async def _find(self, run_id: str) -> Run | None:
        try:
            return fold(run_id, await self._stores.journal.load(run_id))
        except NotFoundError:
            return None
