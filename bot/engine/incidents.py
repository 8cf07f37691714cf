"""Updates the alerts of a triage: their messages show its progress and its end."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.board import Topic
from bot.domain.errors import NotFoundError
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.incident import belongs, is_triage
from bot.domain.runs.event import (
    ApprovalRequested,
    EffectIntended,
    Event,
    PhaseFinished,
    RunFinished,
    RunStarted,
)
from bot.domain.runs.run import Run, fold
from bot.engine.stores import Stores

_SHOWN = (RunStarted, PhaseFinished, ApprovalRequested, EffectIntended, RunFinished)
"""The facts after which an alert's message is different."""
_MOST_ALERTS = 100
_MOST_RUNS = 5
_RUNBOOK = "triage"


async def show_on_alerts(stores: Stores, run: Run, events: Sequence[Event]) -> None:
    """Attach a triage to the alerts that it is about, and have their messages rendered again."""
    if not is_triage(run) or not any(isinstance(event, _SHOWN) for event in events):
        return
    if run.origin.alert:
        await _attach(stores, run.origin.alert, run.id)
    for alert in await stores.alerts.fired(since=run.started_at, limit=_MOST_ALERTS):
        joins = alert.id != run.origin.alert and belongs(alert, run)
        if joins and not await _has_its_own(stores, alert, but=run.id):
            await _attach(stores, alert.id, run.id)


async def attach_to_triage(stores: Stores, alert: Alert) -> None:
    """Attach a new alert to an active triage that covers its service, if there is one."""
    if alert.status != "firing" or await stores.alerts.run_of(alert.id):
        return
    for run_id in (await stores.journal.unfinished(runbook=_RUNBOOK))[:_MOST_RUNS]:
        run = fold(run_id, await stores.journal.load(run_id))
        if run.outcome is None and belongs(alert, run):
            await _attach(stores, alert.id, run_id)
            if run.origin.alert:
                await stores.board.mark(Topic(kind="alert", id=run.origin.alert))
            return


async def _attach(stores: Stores, alert_id: str, run_id: str) -> None:
    await stores.alerts.attach(alert_id, run_id)
    await stores.board.mark(Topic(kind="alert", id=alert_id))


async def _has_its_own(stores: Stores, alert: Alert, *, but: str) -> bool:
    """Return whether another triage was started from this alert."""
    run_id = await stores.alerts.run_of(alert.id)
    if run_id in ("", but):
        return False
    try:
        return fold(run_id, await stores.journal.load(run_id)).origin.alert == alert.id
    except NotFoundError:
        return False
