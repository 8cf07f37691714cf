"""Checks: a probe's result must meet an expectation."""

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
_SAMPLE_EVERY_S = 2.0


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """One check: ``ok`` is true, false, or none where it could not be measured."""

    ok: bool | None
    text: str
    called: CallResult


async def look(session: RunSession, check: Check, **scope: object) -> CheckResult:
    """Measure once and compare with the expectation.

    Raises:
        TemplateError: an argument refers to something the run does not know.
    """
    plugin = session.deps.plugins.get(check.probe)
    arguments = session.render(check.arguments, **scope)
    called = await call(session, plugin, arguments, step_id=check.id, timeout_s=_LOOK_TIMEOUT_S)
    title = check.title or check.id
    if called.outcome != "ok" or called.result is None:
        return CheckResult(ok=None, text=f"{title}: could not be measured ({called.error})", called=called)
    try:
        ok = truth(check.expect, session.scope(result=called.result, **scope))
    except TemplateError as error:
        return CheckResult(ok=None, text=f"{title}: {error}", called=called)
    return CheckResult(ok=ok, text=f"{title}: {shown(called.result)}", called=called)


async def settle_check(session: RunSession, check: Check, *, phase: str, **scope: object) -> StepFinished:
    """Repeat a check until it holds for ``hold_s`` seconds or ``within_s`` are over; record the result."""
    began = time.monotonic()
    held_since: float | None = None
    sampled_at, sampled_text = -_SAMPLE_EVERY_S, ""
    while True:
        seen = await look(session, check, **scope)
        now = time.monotonic()
        held_since = (held_since if held_since is not None else now) if seen.ok else None
        if held_since is not None and now - held_since >= check.hold_s:
            return await _record(session, check, seen, phase=phase, took_s=now - began)
        if now - began >= check.within_s or session.stopping:
            return await _record(session, check, seen, phase=phase, took_s=now - began, held=False)
        if now - sampled_at >= _SAMPLE_EVERY_S and seen.text != sampled_text:
            session.note(WatchSampled(at=session.now, phase=phase, ok=seen.ok, text=seen.text))
            sampled_at, sampled_text = now, seen.text
        await asyncio.sleep(check.every_s)


async def _record(
    session: RunSession, check: Check, seen: CheckResult, *, phase: str, took_s: float, held: bool = True
) -> StepFinished:
    finished = StepFinished(
        at=session.now,
        phase=phase,
        step=check_step_id(check),
        outcome="ok" if held else ("failed" if seen.ok is not None else "unavailable"),
        result=seen.called.data,
        error="" if held else f"not within {duration(check.within_s)}; last seen: {seen.text}",
        hint="" if held else seen.called.hint,
        reason="" if held else "not_verified",
        took_s=took_s,
    )
    session.note(finished)
    return finished


def check_step_id(check: Check) -> str:
    """Return the step id of a check."""
    return f"verify:{check.id}"
