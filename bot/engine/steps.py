"""Calls a plugin with its timeout; every outcome becomes a recorded result."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass

from pydantic import ValidationError

from bot.domain.diagnoses.finding import Facts, Findings, Measurement
from bot.domain.errors import (
    ActionInDoubtError,
    BotError,
    ProbeGarbageError,
    ProbeNotConfiguredError,
    ProbeUnavailableError,
    StaleEpochError,
)
from bot.domain.formatting import duration
from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult, Effect
from bot.domain.runs.event import StepFinished, StepOutcome
from bot.engine.plugins import Context, Plugin
from bot.engine.session import RunSession

log = logging.getLogger(__name__)

Result = Findings | Measurement | Facts | ActionResult


@dataclass(frozen=True, kw_only=True)
class CallResult:
    """The result of one call; ``result`` is set only where ``outcome`` is ok."""

    outcome: StepOutcome
    took_s: float
    result: Result | None = None
    error: str = ""
    hint: str = ""
    reason: str = ""

    @property
    def data(self) -> JsonObject | None:
        """The result as the journal keeps it."""
        return None if self.result is None else self.result.model_dump(mode="json")


def shown(result: Result) -> str:
    """Return the result of a call in one line."""
    if isinstance(result, Measurement):
        return result.text or f"{result.value:g} {result.unit}".strip()
    return str(getattr(result, "summary", "")) or str(getattr(result, "looked_at", ""))


def finished(session: RunSession, called: CallResult, *, phase: str, step: str) -> StepFinished:
    """Return the event that records the result of a call."""
    return StepFinished(
        at=session.now,
        phase=phase,
        step=step,
        outcome=called.outcome,
        result=called.data,
        error=called.error,
        hint=called.hint,
        reason=called.reason,
        took_s=round(called.took_s, 4),
    )


async def call(
    session: RunSession,
    plugin: Plugin,
    arguments: JsonObject,
    *,
    step_id: str,
    timeout_s: float,
    effect: Effect | None = None,
) -> CallResult:
    """Call a plugin for a run; every failure comes back as an outcome.

    Raises:
        StaleEpochError: the target knows a newer owner of this run.
    """
    return await call_with(session.context(step_id, timeout_s=timeout_s, effect=effect), plugin, arguments)


async def call_with(ctx: Context, plugin: Plugin, arguments: JsonObject) -> CallResult:
    """Call a plugin; every failure comes back as an outcome.

    Raises:
        StaleEpochError: the target knows a newer owner of the run.
    """
    began, timeout_s = time.monotonic(), ctx.timeout_s
    try:
        async with asyncio.timeout(timeout_s):
            result = await plugin.call(ctx, arguments)
    except StaleEpochError:
        raise
    except Exception as error:  # the one place where a plugin's crash is caught, loudly
        outcome, text = _outcome_of(error, plugin, timeout_s=timeout_s)
        if outcome == "crashed":
            log.exception("plugin_crashed", extra={"run_id": ctx.run_id, "plugin": plugin.name})
        return CallResult(
            outcome=outcome,
            took_s=time.monotonic() - began,
            error=text,
            hint=error.hint if isinstance(error, BotError) else "",
            reason=error.code if isinstance(error, BotError) else outcome,
        )
    return CallResult(outcome="ok", took_s=time.monotonic() - began, result=result)


def _outcome_of(error: Exception, plugin: Plugin, *, timeout_s: float) -> tuple[StepOutcome, str]:
    match error:
        case TimeoutError() if plugin.kind == "action":
            return "in_doubt", f"no answer within {duration(timeout_s)}"
        case TimeoutError():
            return "timed_out", f"no answer within {duration(timeout_s)}"
        case ActionInDoubtError():
            return "in_doubt", str(error)
        case ProbeGarbageError():
            return "garbage", str(error)
        case ProbeNotConfiguredError():
            return "not_configured", str(error)
        case ProbeUnavailableError():
            return "unavailable", str(error)
        case BotError():
            return "failed", str(error)
        case ValidationError():
            return "failed", f"{plugin.name} does not take these arguments: {_first_problem(error)}"
        case _:
            return "crashed", f"{plugin.name} crashed: {type(error).__name__}"


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
