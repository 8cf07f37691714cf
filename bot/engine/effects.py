"""Carries out an outside effect: intent, look, act, result; at most once, and always recorded."""

from __future__ import annotations

import logging

from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult, Effect
from bot.domain.runs.event import EffectIntended, StepFinished, StepUndone
from bot.engine.deployment_records import keep_record
from bot.engine.plugins import Plugin
from bot.engine.session import RunSession
from bot.engine.steps import CallResult, call, finished

log = logging.getLogger(__name__)


async def run_step(
    session: RunSession, plugin: Plugin, arguments: JsonObject, *, phase: str, step: str, timeout_s: float
) -> StepFinished:
    """Run one step of either kind and record its result.

    Raises:
        StaleEpochError: another worker owns the run now.
    """
    if plugin.kind == "action":
        return await perform(session, plugin, arguments, phase=phase, step=step, timeout_s=timeout_s)
    called = await call(session, plugin, arguments, step_id=step, timeout_s=timeout_s)
    fact = finished(session, called, phase=phase, step=step)
    session.note(fact)
    return fact


async def perform(
    session: RunSession, plugin: Plugin, arguments: JsonObject, *, phase: str, step: str, timeout_s: float
) -> StepFinished:
    """Run an action at most once; record and return its result.

    Raises:
        StaleEpochError: another worker owns the run now; nothing was done after that was known.
    """
    known = session.run.phases[phase].steps.get(step)
    intent = EffectIntended(
        at=session.now, phase=phase, step=step, key=f"{session.run.id}:{phase}:{step}", epoch=session.epoch
    )
    doubtful = known is not None and known.in_doubt
    called = await _once(session, plugin, arguments, intent=intent, doubtful=doubtful, timeout_s=timeout_s)
    fact = finished(session, called, phase=phase, step=step)
    await session.write(fact)
    return fact


async def put_back(
    session: RunSession, plugin: Plugin, arguments: JsonObject, *, phase: str, step: str, timeout_s: float
) -> None:
    """Undo a step at most once and record the result.

    Raises:
        StaleEpochError: another worker owns the run now; nothing was done after that was known.
    """
    key = f"{session.run.id}:{phase}:{step}:undo"
    intent = EffectIntended(at=session.now, phase=phase, step=step, key=key, epoch=session.epoch, undo=True)
    doubtful = session.run.phases[phase].steps[step].undo_in_doubt
    called = await _once(session, plugin, arguments, intent=intent, doubtful=doubtful, timeout_s=timeout_s)
    await session.write(
        StepUndone(
            at=session.now,
            phase=phase,
            step=step,
            outcome=called.outcome,
            result=called.data,
            error=called.error,
        )
    )


async def _once(
    session: RunSession,
    plugin: Plugin,
    arguments: JsonObject,
    *,
    intent: EffectIntended,
    doubtful: bool,
    timeout_s: float,
) -> CallResult:
    """Write the intent and act; if an earlier owner of the run may have acted, look first."""
    effect = Effect(key=intent.key, epoch=intent.epoch)
    called: CallResult | None = None
    if doubtful:
        log.warning(
            "effect_in_doubt", extra={"run_id": session.run.id, "phase": intent.phase, "step": intent.step}
        )
        called = await settle(
            session, plugin, arguments, effect=effect, step=intent.step, timeout_s=timeout_s
        )
    if called is None:
        await session.write(intent)
        await keep_record(session.deps.stores.deployments, session.run)
        called = await call(
            session, plugin, arguments, step_id=intent.step, timeout_s=timeout_s, effect=effect
        )
        if called.outcome == "in_doubt":
            settled = await settle(
                session, plugin, arguments, effect=effect, step=intent.step, timeout_s=timeout_s
            )
            called = settled or called
    await note_change(session, called)
    return called


async def note_change(session: RunSession, called: CallResult) -> None:
    """Record the change in the ledger, where the next diagnosis finds it."""
    if isinstance(called.result, ActionResult) and called.result.change is not None:
        await session.deps.stores.ledger.record(called.result.change)


async def settle(
    session: RunSession, plugin: Plugin, arguments: JsonObject, *, effect: Effect, step: str, timeout_s: float
) -> CallResult | None:
    """Return the result of a doubtful effect; none means that it is safe to act (again)."""
    if plugin.look is None:
        return None if plugin.in_doubt == "retry" else _doubt("the action offers no way to check")
    looked = await call(
        session, _looking(plugin), arguments, step_id=step, timeout_s=timeout_s, effect=effect
    )
    if looked.outcome == "ok":
        return looked if looked.result is not None else None
    if plugin.in_doubt == "retry":
        return None
    return _doubt(f"the target could not be checked: {looked.error}")


def _looking(plugin: Plugin) -> Plugin:
    """Return a plugin whose function is the look of ``plugin``."""
    assert plugin.look is not None  # noqa: S101  # the caller has checked
    return Plugin(
        name=plugin.name,
        kind="probe",
        specialist=plugin.specialist,
        function=plugin.look,
        params=plugin.params,
        summary=plugin.summary,
    )


def _doubt(why: str) -> CallResult:
    return CallResult(
        outcome="in_doubt",
        took_s=0,
        error=f"It may or may not have happened: {why}.",
        hint="Check the target, then decide by hand.",
        reason="action_in_doubt",
    )
