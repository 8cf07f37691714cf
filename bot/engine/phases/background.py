"""BACKGROUND: watch for a bounded time; between two looks the run is let go of."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.errors import BotError, RunbookError
from bot.domain.runs.event import PhaseStarted, RunStarted, WatchSampled
from bot.domain.runs.runbook import Background
from bot.engine.checks import look
from bot.engine.params import complete_params
from bot.engine.phases import Answer, PhaseEnd, PhaseWait
from bot.engine.session import RunSession
from bot.templating.templates import evaluate


async def background(hand: RunSession, phase: Background) -> Answer:
    """Look once if a look is due; then wait for the next, or say how it ended."""
    if phase.after is not None and hand.run.phases[phase.after].outcome != "ok":
        return PhaseEnd(outcome="skipped", why="nothing was changed")
    try:
        ends_at = _ends_at(hand, phase)
    except BotError as error:
        return PhaseEnd(outcome="failed", why=error.in_full)
    state = hand.run.phases[phase.id]
    if state.started_at is None:
        hand.note(PhaseStarted(at=hand.now, phase=phase.id))
        return PhaseWait(until=min(ends_at, hand.now + timedelta(seconds=phase.every_s)))
    next_at = (state.samples[-1].at if state.samples else state.started_at) + timedelta(seconds=phase.every_s)
    if hand.now < min(next_at, ends_at):
        return PhaseWait(until=min(next_at, ends_at))
    hand.note(await _sample(hand, phase))
    samples = hand.run.phases[phase.id].samples
    if _breached(samples, phase.breaches):
        await _remedy(hand, phase)
        return PhaseEnd(outcome="breached", why=samples[-1].text)
    if hand.now >= ends_at:
        return PhaseEnd(outcome="ok", why=samples[-1].text)
    return PhaseWait(until=min(ends_at, hand.now + timedelta(seconds=phase.every_s)))


def _ends_at(hand: RunSession, phase: Background) -> datetime:
    value = evaluate(phase.for_s, hand.scope()) if isinstance(phase.for_s, str) else phase.for_s
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise RunbookError(f"`for_s` of {phase.id} must be a number of seconds above 0")
    return (hand.run.phases[phase.id].started_at or hand.now) + timedelta(seconds=value)


async def _sample(hand: RunSession, phase: Background) -> WatchSampled:
    """Look at every check; the worst is the sample, and not measured is not good."""
    texts: list[str] = []
    verdict: bool | None = True
    for check in phase.checks:
        try:
            seen = await look(hand, check)
        except BotError as error:
            verdict, texts = (verdict and None), [*texts, str(error)]
            continue
        texts.append(seen.text)
        if seen.ok is False or verdict is False:
            verdict = False
        elif seen.ok is None:
            verdict = None
    return WatchSampled(at=hand.now, phase=phase.id, ok=verdict, text="; ".join(texts))


async def _remedy(hand: RunSession, phase: Background) -> None:
    """Start the runbook for a breach; its id is derived, so that it is started once."""
    if phase.on_breach is None:
        return
    run = hand.run
    runbook = hand.deps.library.get(phase.on_breach)
    given = {name: value for name, value in run.params.items() if name in runbook.params}
    params = complete_params(runbook, given, catalogue=hand.deps.catalogue)
    origin = run.origin.model_copy(update={"kind": "run"})
    event = RunStarted(
        at=hand.now, runbook=runbook, params=params, requested_by=run.requested_by, origin=origin
    )
    await hand.deps.stores.journal.start(f"{run.id}-{phase.id}", event)


def _breached(samples: tuple[WatchSampled, ...], breaches: int) -> bool:
    last = samples[-breaches:]
    return len(last) == breaches and all(sample.ok is not True for sample in last)
