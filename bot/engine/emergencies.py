"""Updates the notice of an emergency, in the channel of the service that it concerns."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.board import Topic
from bot.domain.runs.event import ApprovalRequested, Event, PhaseFinished, RunFinished, RunStarted, VoteCast
from bot.domain.runs.run import Run
from bot.engine.stores import Stores

_SHOWN = (RunStarted, PhaseFinished, ApprovalRequested, VoteCast, RunFinished)
"""The facts after which the notice is different."""


async def show_emergency(stores: Stores, run: Run, events: Sequence[Event]) -> None:
    """Have the notice of a run's emergency rendered again; nothing without an emergency."""
    only_plans = run.params.get("dry_run") is True
    if run.emergency and not only_plans and any(isinstance(event, _SHOWN) for event in events):
        await stores.board.mark(Topic(kind="emergency", id=run.id))
