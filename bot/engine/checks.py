"""Expectations: a probe's answer that must meet a condition."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from bot.domain.errors import TemplateError
from bot.domain.formatting import duration
from bot.domain.runs.event import StepFinished, WatchSampled
from bot.domain.runs.runbook import Check
from bot.engine.session import RunSession
from bot.engine.steps import CallResult, call, shown
from bot.templating.templates import truth

_LOOK_TIMEOUT_S = 5.0
_TELL_EVERY_S = 2.0


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One look: true, false, or none where it could not be measured."""

    ok: bool | None
    text: str
    called: CallResult


async def look(hand: RunSession, check: Check, **scope: object) -> CheckResult:
    """Measure once and compare with the expectation.

    Raises:
        TemplateError: an argument refers to something the run does not know.
    """
    plugin = hand.deps.plugins.get(check.probe)
    arguments = hand.render(check.arguments, **scope)
    called = await call(hand, plugin, arguments, step_id=check.id, timeout_s=_LOOK_TIMEOUT_S)
    title = check.title or check.id
    if called.outcome != "ok" or called.result is None:
        return CheckResult(ok=None, text=f"{title}: could not be measured ({called.error})", called=called)
    try:
        ok = truth(check.expect, hand.scope(result=called.result, **scope))
    except TemplateError as error:
        return CheckResult(ok=None, text=f"{title}: {error}", called=called)
    return CheckResult(ok=ok, text=f"{title}: {shown(called.result)}", called=called)


async def settle_check(hand: RunSession, check: Check, *, phase: str, **scope: object) -> StepFinished:
    """Look again and again until the expectation holds for ``hold_s`` or ``within_s`` is over; record it."""
    began = time.monotonic()
    held_since: float | None = None
    told_at, told_text = -_TELL_EVERY_S, ""
    while True:
        seen = await look(hand, check, **scope)
        now = time.monotonic()
        held_since = (held_since if held_since is not None else now) if seen.ok else None
        if held_since is not None and now - held_since >= check.hold_s:
            return await _record(hand, check, seen, phase=phase, took_s=now - began)
        if now - began >= check.within_s or hand.stopping:
            return await _record(hand, check, seen, phase=phase, took_s=now - began, held=False)
        if now - told_at >= _TELL_EVERY_S and seen.text != told_text:
            hand.note(WatchSampled(at=hand.now, phase=phase, ok=seen.ok, text=seen.text))
            told_at, told_text = now, seen.text
        await asyncio.sleep(check.every_s)


async def _record(
    hand: RunSession, check: Check, seen: CheckResult, *, phase: str, took_s: float, held: bool = True
) -> StepFinished:
    finished = StepFinished(
        at=hand.now,
        phase=phase,
        step=check_step_id(check),
        outcome="ok" if held else ("failed" if seen.ok is not None else "unavailable"),
        result=seen.called.data,
        error="" if held else f"not within {duration(check.within_s)}; last seen: {seen.text}",
        hint="" if held else seen.called.hint,
        reason="" if held else "not_verified",
        took_s=took_s,
    )
    hand.note(finished)
    return finished


def check_step_id(check: Check) -> str:
    """Name a check as a step of its phase."""
    return f"verify:{check.id}"
