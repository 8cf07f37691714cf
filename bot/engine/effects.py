"""An outside effect: intent, look, act, result; never twice, never in silence."""

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
    hand: RunSession, plugin: Plugin, arguments: JsonObject, *, phase: str, step: str, timeout_s: float
) -> StepFinished:
    """Run one step of either kind and record its result.

    Raises:
        StaleEpochError: another worker owns the run by now.
    """
    if plugin.kind == "action":
        return await perform(hand, plugin, arguments, phase=phase, step=step, timeout_s=timeout_s)
    called = await call(hand, plugin, arguments, step_id=step, timeout_s=timeout_s)
    fact = finished(hand, called, phase=phase, step=step)
    hand.note(fact)
    return fact


async def perform(
    hand: RunSession, plugin: Plugin, arguments: JsonObject, *, phase: str, step: str, timeout_s: float
) -> StepFinished:
    """Do an action at most once and record what came of it; the recorded result is returned.

    Raises:
        StaleEpochError: another worker owns the run by now; nothing was done after that was known.
    """
    known = hand.run.phases[phase].steps.get(step)
    intent = EffectIntended(
        at=hand.now, phase=phase, step=step, key=f"{hand.run.id}:{phase}:{step}", epoch=hand.epoch
    )
    doubtful = known is not None and known.in_doubt
    called = await _once(hand, plugin, arguments, intent=intent, doubtful=doubtful, timeout_s=timeout_s)
    fact = finished(hand, called, phase=phase, step=step)
    await hand.write(fact)
    return fact


async def put_back(
    hand: RunSession, plugin: Plugin, arguments: JsonObject, *, phase: str, step: str, timeout_s: float
) -> None:
    """Undo a step at most once and record what came of it.

    Raises:
        StaleEpochError: another worker owns the run by now; nothing was done after that was known.
    """
    key = f"{hand.run.id}:{phase}:{step}:undo"
    intent = EffectIntended(at=hand.now, phase=phase, step=step, key=key, epoch=hand.epoch, undo=True)
    doubtful = hand.run.phases[phase].steps[step].undo_in_doubt
    called = await _once(hand, plugin, arguments, intent=intent, doubtful=doubtful, timeout_s=timeout_s)
    await hand.write(
        StepUndone(
            at=hand.now,
            phase=phase,
            step=step,
            outcome=called.outcome,
            result=called.data,
            error=called.error,
        )
    )


async def _once(
    hand: RunSession,
    plugin: Plugin,
    arguments: JsonObject,
    *,
    intent: EffectIntended,
    doubtful: bool,
    timeout_s: float,
) -> CallResult:
    """Write the intent and act, unless an earlier owner of the run may have done so: then look first."""
    effect = Effect(key=intent.key, epoch=intent.epoch)
    called: CallResult | None = None
    if doubtful:
        log.warning(
            "effect_in_doubt", extra={"run_id": hand.run.id, "phase": intent.phase, "step": intent.step}
        )
        called = await settle(hand, plugin, arguments, effect=effect, step=intent.step, timeout_s=timeout_s)
    if called is None:
        await hand.write(intent)
        await keep_record(hand.deps.stores.deployments, hand.run)
        called = await call(hand, plugin, arguments, step_id=intent.step, timeout_s=timeout_s, effect=effect)
        if called.outcome == "in_doubt":
            settled = await settle(
                hand, plugin, arguments, effect=effect, step=intent.step, timeout_s=timeout_s
            )
            called = settled or called
    await note_change(hand, called)
    return called


async def note_change(hand: RunSession, called: CallResult) -> None:
    """Enter what was changed into the ledger, where the next diagnosis finds it."""
    if isinstance(called.result, ActionResult) and called.result.change is not None:
        await hand.deps.stores.ledger.record(called.result.change)


async def settle(
    hand: RunSession, plugin: Plugin, arguments: JsonObject, *, effect: Effect, step: str, timeout_s: float
) -> CallResult | None:
    """Find out whether a doubtful effect is there; none means that it is safe to act (again)."""
    if plugin.look is None:
        return None if plugin.in_doubt == "retry" else _doubt("nobody can tell whether it happened")
    looked = await call(hand, _looking(plugin), arguments, step_id=step, timeout_s=timeout_s, effect=effect)
    if looked.outcome == "ok":
        return looked if looked.result is not None else None
    if plugin.in_doubt == "retry":
        return None
    return _doubt(f"the target cannot be asked: {looked.error}")


def _looking(plugin: Plugin) -> Plugin:
    """Make a plugin whose function is the look of ``plugin``."""
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
        hint="Look at the target, then decide by hand.",
        reason="action_in_doubt",
    )
