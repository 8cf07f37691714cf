"""BACKGROUND: watches for a bounded time; between two checks the run is released."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.errors import BotError, RunbookError
from bot.domain.model import JsonObject
from bot.domain.runs.event import PhaseStarted, RunStarted, WatchSampled
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import Background, Check
from bot.engine.checks import CheckResult, look
from bot.engine.params import complete_params
from bot.engine.phases import Answer, PhaseEnd, PhaseWait
from bot.engine.session import RunSession
from bot.templating.templates import evaluate


async def background(session: RunSession, phase: Background) -> Answer:
    """Check once if a check is due; return the wait for the next, or the end."""
    if phase.after is not None and session.run.phases[phase.after].outcome != "ok":
        return PhaseEnd(outcome="skipped", why="nothing was changed")
    try:
        ends_at = _ends_at(session, phase)
    except BotError as error:
        return PhaseEnd(outcome="failed", why=error.in_full)
    state = session.run.phases[phase.id]
    if state.started_at is None:
        session.note(PhaseStarted(at=session.now, phase=phase.id))
        return PhaseWait(until=min(ends_at, session.now + timedelta(seconds=phase.every_s)))
    next_at = _next_look(state, phase, started_at=state.started_at, ends_at=ends_at)
    if session.now < next_at:
        return PhaseWait(until=next_at)
    session.note(await _sample(session, phase))
    samples = session.run.phases[phase.id].samples
    if _breached(samples, phase.breaches):
        await _remedy(session, phase)
        return PhaseEnd(outcome="breached", why=samples[-1].text)
    if session.now >= ends_at and samples[-1].ok is True:
        return PhaseEnd(outcome="ok", why=samples[-1].text)
    state = session.run.phases[phase.id]
    return PhaseWait(
        until=_next_look(state, phase, started_at=state.started_at or session.now, ends_at=ends_at)
    )


def _next_look(state: PhaseState, phase: Background, *, started_at: datetime, ends_at: datetime) -> datetime:
    """Return when to look next; a last look that was not good is followed by more, until one decides."""
    last_at = state.samples[-1].at if state.samples else started_at
    next_at = last_at + timedelta(seconds=phase.every_s)
    return next_at if last_at >= ends_at else min(next_at, ends_at)


def _ends_at(session: RunSession, phase: Background) -> datetime:
    value = evaluate(phase.for_s, session.scope()) if isinstance(phase.for_s, str) else phase.for_s
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise RunbookError(f"`for_s` of {phase.id} must be a number of seconds above 0")
    return (session.run.phases[phase.id].started_at or session.now) + timedelta(seconds=value)


async def _sample(session: RunSession, phase: Background) -> WatchSampled:
    """Run every check; the worst result is the sample, and not measured is not good.

    The text is that of the checks that were not good, where there are any.
    """
    good: list[str] = []
    bad: list[str] = []
    samples = session.run.phases[phase.id].samples
    before = samples[-1].seen if samples else {}
    kept: dict[str, JsonObject] = {}
    verdict: bool | None = True
    for check in phase.checks:
        try:
            seen = await look(session, check, last=before.get(check.id))
        except BotError as error:
            verdict = verdict and None
            bad.append(str(error))
            continue
        (good if seen.ok is True else bad).append(seen.text)
        kept |= _kept(check, seen)
        if seen.ok is False or verdict is False:
            verdict = False
        elif seen.ok is None:
            verdict = None
    return WatchSampled(at=session.now, phase=phase.id, ok=verdict, text="; ".join(bad or good), seen=kept)


def _kept(check: Check, seen: CheckResult) -> dict[str, JsonObject]:
    data = seen.called.data.get("data") if seen.called.data else None
    watch = data.get("watch") if isinstance(data, dict) else None
    return {check.id: watch} if isinstance(watch, dict) else {}


async def _remedy(session: RunSession, phase: Background) -> None:
    """Start the runbook for a breach; the run's id is derived, so it is started once."""
    if phase.on_breach is None:
        return
    run = session.run
    runbook = session.deps.library.get(phase.on_breach)
    given = {name: value for name, value in run.params.items() if name in runbook.params}
    params = complete_params(runbook, given, catalogue=session.deps.catalogue)
    origin = run.origin.model_copy(update={"kind": "run"})
    event = RunStarted(
        at=session.now, runbook=runbook, params=params, requested_by=run.requested_by, origin=origin
    )
    await session.deps.stores.journal.start(f"{run.id}-{phase.id}", event)


def _breached(samples: tuple[WatchSampled, ...], breaches: int) -> bool:
    last = samples[-breaches:]
    return len(last) == breaches and all(sample.ok is not True for sample in last)
