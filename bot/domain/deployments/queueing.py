"""Who changes a service now, who waits behind whom, and when each is likely to begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bot.domain.deployments.deployment import STRATEGY_PREFIX
from bot.domain.people import Person
from bot.domain.runs.event import Event, TurnTaken
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import Pipeline


@dataclass(frozen=True, kw_only=True)
class QueueEntry:
    """One run at a service: it has its turn, or waits for it."""

    run_id: str
    by: Person
    strategy: str
    """``canary`` …, or the name of the runbook that changes something."""
    version: str
    holds: bool
    since_s: float | None = None
    """For how long it has had its turn, in seconds; none while it waits, or has not taken it up yet."""
    asks: bool = False
    """It has its turn, and waits for a person."""


@dataclass(frozen=True, kw_only=True)
class QueueEstimate:
    """One run in the line, with an estimate."""

    turn: QueueEntry
    begins_in_s: float | None
    """Seconds until it begins; none if that cannot be estimated, 0 for the run whose turn it is."""


@dataclass(frozen=True, kw_only=True)
class ServiceQueue:
    """Who changes one service now and who waits, in the order of their turns."""

    service: str
    places: tuple[QueueEstimate, ...]
    more: int = 0
    """How many more wait behind them and are not shown one by one."""


def strategy_of(run: Run) -> str:
    """Name what a run does, as people type it."""
    return run.runbook.name.removeprefix(STRATEGY_PREFIX)


def turn_of(run: Run, events: Sequence[Event], *, holds: bool, at: datetime) -> QueueEntry:
    """Return one run's entry in the line at a moment."""
    under_way = [phase for phase in _changes(run) if phase.started_at and phase.outcome is None]
    since = _began_at(run, under_way[-1], events) if holds and under_way else None
    version = run.params.get("version")
    return QueueEntry(
        run_id=run.id,
        by=run.requested_by,
        strategy=strategy_of(run),
        version=version if isinstance(version, str) else "",
        holds=holds,
        since_s=None if since is None else max(0.0, (at - since).total_seconds()),
        asks=holds and run.waiting_for is not None,
    )


def stay_s(run: Run, events: Sequence[Event]) -> float | None:
    """Return for how many seconds a run that has ended had its turns; none if it never had one.

    The time for which it waited for an approval before its turn, or in line, is not part of that; nor is the
    watch after its change, during which others may change the service.
    """
    stays = [
        (phase.finished_at - began).total_seconds()
        for phase in _changes(run)
        if phase.finished_at is not None
        and (phase.worked or phase.outcome == "failed")
        and (began := _began_at(run, phase, events)) is not None
    ]
    return sum(stays) if stays else None


def expect(line: Sequence[QueueEntry], stays: Mapping[str, Sequence[float]]) -> tuple[QueueEstimate, ...]:
    """Estimate when each run in the line begins, from how long runs of its strategy had their turn before.

    A running deployment's remaining time is estimated from past ones that ran at least as long as it has by
    now (the median residual life); a waiting one's time is the median.  Behind a run without an estimate
    there is no estimate.
    """
    found: list[QueueEstimate] = []
    begins: float | None = 0.0
    for turn in line:
        found.append(QueueEstimate(turn=turn, begins_in_s=0.0 if turn.holds else begins))
        lasts = _lasts_s(turn, stays.get(turn.strategy, ()))
        begins = None if begins is None or lasts is None else begins + lasts
    return tuple(found)


def _lasts_s(turn: QueueEntry, stays: Sequence[float]) -> float | None:
    if turn.asks:
        return None
    had = turn.since_s or 0.0
    longer = [stay for stay in stays if stay > had]
    return median(longer) - had if longer else None


def _changes(run: Run) -> list[PhaseState]:
    return [run.phases[phase.id] for phase in run.runbook.phases if isinstance(phase, Pipeline)]


def _began_at(run: Run, phase: PhaseState, events: Sequence[Event]) -> datetime | None:
    """Return when a phase had its turn: it was under way, approved, and no longer in line."""
    if phase.started_at is None or phase.behind:
        return None
    gate = run.gate(phase.id, step="")
    if gate is not None and gate.decision != "approved":
        return None
    agreed = [gate.decided_at] if gate is not None and gate.decided_at is not None else []
    taken = [event.at for event in events if isinstance(event, TurnTaken) and event.phase == phase.id]
    return max([phase.started_at, *agreed, *taken])
