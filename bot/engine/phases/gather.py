"""EXPLORE and FAN-OUT: make many calls at once with one deadline, and record answers as they come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from bot.domain.errors import BotError, RunbookError
from bot.domain.formatting import duration
from bot.domain.model import JsonObject
from bot.domain.runs.event import PhaseOutcome, PhaseStarted, StepFinished, StepRef
from bot.domain.runs.run_states import PhaseState
from bot.domain.runs.runbook import Explore, FanOut, Step
from bot.engine.effects import run_step
from bot.engine.phases import Answer, PhaseEnd
from bot.engine.phases.preliminary import note_preliminary_diagnosis
from bot.engine.plugins import Plugin
from bot.engine.service_lock import acquire
from bot.engine.session import RunSession
from bot.engine.steps import CallResult, call, finished
from bot.templating.templates import evaluate

_GRACE_S = 0.2
"""Seconds that cancelled steps may take to clean up before they are abandoned."""
_MOST_ITEMS = 200
_PASSING = frozenset({"timed_out", "unavailable"})
_PAUSE_S = 0.2
_LEAST_LEFT_S = 0.3
"""With less time left a probe is not called again, in seconds."""


@dataclass(frozen=True, kw_only=True)
class _Ready:
    id: str
    title: str
    step: Step
    plugin: Plugin
    arguments: JsonObject


async def explore(session: RunSession, phase: Explore) -> PhaseEnd:
    """Gather context: run every step at once, each with its own timeout."""
    return await _gather(session, phase, deadline_s=max(step.timeout_s for step in phase.steps))


async def fan_out(session: RunSession, phase: FanOut) -> Answer:
    """Run independent steps at once; a step without an answer at the deadline is recorded as timed out."""
    if (waiting := await acquire(session, phase.id, to="read")) is not None:
        return waiting
    return await _gather(session, phase, deadline_s=phase.deadline_s)


async def _gather(session: RunSession, phase: Explore | FanOut, *, deadline_s: float) -> PhaseEnd:
    try:
        ready = [item for step in phase.steps for item in _expand(session, step)]
    except BotError as error:
        return PhaseEnd(outcome="failed", why=error.in_full)
    if session.run.phases[phase.id].started_at is None:
        refs = tuple(StepRef(id=r.id, title=r.title, specialist=r.plugin.specialist) for r in ready)
        session.note(PhaseStarted(at=session.now, phase=phase.id, steps=refs))
    todo = [r for r in ready if _outcome(session, phase.id, r.id) is None]
    tasks = {asyncio.create_task(_one(session, phase, r, deadline_s=deadline_s)): r for r in todo}
    try:
        await _until(set(tasks), deadline_s)
        for task, item in tasks.items():
            if not task.done():
                await _late(session, phase.id, item, deadline_s=deadline_s)
    finally:
        await _stop(set(tasks))
    failures = [task.exception() for task in tasks if task.done() and not task.cancelled()]
    for failure in filter(None, failures):
        raise failure
    return _end(session.run.phases[phase.id], required=phase.required)


def _expand(session: RunSession, step: Step) -> list[_Ready]:
    plugin = session.deps.plugins.get(step.plugin)
    title = step.title or step.id
    if step.for_each is None:
        arguments = session.render(step.arguments)
        return [_Ready(id=step.id, title=title, step=step, plugin=plugin, arguments=arguments)]
    items = evaluate(step.for_each, session.scope())
    if not isinstance(items, list | tuple) or len(items) > _MOST_ITEMS:
        raise RunbookError(f"`for_each` of {step.id} must yield a list of at most {_MOST_ITEMS} items")
    return [
        _Ready(
            id=f"{step.id}[{index}]",
            title=f"{title}: {item}",
            step=step,
            plugin=plugin,
            arguments=session.render(step.arguments, item=item),
        )
        for index, item in enumerate(items)
    ]


async def _one(session: RunSession, phase: Explore | FanOut, item: _Ready, *, deadline_s: float) -> None:
    timeout_s = min(item.step.timeout_s, deadline_s)
    if isinstance(phase, FanOut) and item.plugin.kind == "probe":
        called = await _asked_twice(session, item, timeout_s=timeout_s, deadline_s=deadline_s)
        session.note(finished(session, called, phase=phase.id, step=item.id))
    else:
        await run_step(
            session, item.plugin, item.arguments, phase=phase.id, step=item.id, timeout_s=timeout_s
        )
    note_preliminary_diagnosis(session, phase, step=item.id)


async def _asked_twice(
    session: RunSession, item: _Ready, *, timeout_s: float, deadline_s: float
) -> CallResult:
    """Call a probe, and once more with what is left of the deadline if its source did not answer."""
    loop = asyncio.get_running_loop()
    until_s = loop.time() + deadline_s
    called = await call(session, item.plugin, item.arguments, step_id=item.id, timeout_s=timeout_s)
    if called.outcome not in _PASSING or until_s - loop.time() < _LEAST_LEFT_S + _PAUSE_S:
        return called
    await asyncio.sleep(_PAUSE_S)
    left_s = min(timeout_s, until_s - loop.time())
    again = await call(session, item.plugin, item.arguments, step_id=item.id, timeout_s=left_s)
    best = again if again.outcome == "ok" else called
    return replace(best, took_s=loop.time() - until_s + deadline_s)


async def _late(session: RunSession, phase: str, item: _Ready, *, deadline_s: float) -> None:
    session.note(
        StepFinished(
            at=session.now,
            phase=phase,
            step=item.id,
            outcome="in_doubt" if item.plugin.kind == "action" else "timed_out",
            error=f"no answer within {duration(deadline_s)}",
            reason="timed_out",
            took_s=deadline_s,
        )
    )


async def _until(tasks: set[asyncio.Task[None]], deadline_s: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=deadline_s + _GRACE_S)


async def _stop(tasks: set[asyncio.Task[None]]) -> None:
    left = {task for task in tasks if not task.done()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_GRACE_S)


def _outcome(session: RunSession, phase: str, step: str) -> str | None:
    known = session.run.phases[phase].steps.get(step)
    return None if known is None else known.outcome


def _end(state: PhaseState, *, required: bool) -> PhaseEnd:
    well = ("ok",) if required else ("ok", "not_configured")
    good = [step for step in state.steps.values() if step.outcome == "ok"]
    bad = [step for step in state.steps.values() if step.outcome not in well]
    outcome: PhaseOutcome = "partial" if bad else "ok"
    if bad and (required or not good):
        outcome = "failed"
    why = "; ".join(f"{step.title}: {step.error}" for step in bad)
    return PhaseEnd(outcome=outcome, why=why)
