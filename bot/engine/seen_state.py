"""The state of a service that a plan was made from, and whether it is still so."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import BotError
from bot.domain.model import JsonObject, JsonValue
from bot.domain.runs.approval import Approval
from bot.domain.runs.plan import SeenState
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Explore, FanOut
from bot.engine.deps import Deps
from bot.engine.session import RunSession
from bot.engine.steps import call_with

_OBSERVE = "deploy.observe"
_BACK_TO = "deploy.back_to"
_TIMEOUT_S = 10.0


def seen_state(session: RunSession) -> SeenState | None:
    """Return what serves, as the run has read it; none if it has not, or has changed something since."""
    if has_acted(session.run):
        return None
    for phase in session.run.runbook.phases:
        if not isinstance(phase, Explore | FanOut):
            continue
        for step in phase.steps:
            state = session.run.phases[phase.id].steps.get(step.id)
            reads = step.probe in (_OBSERVE, _BACK_TO) and step.for_each is None
            if not reads or state is None or state.result is None:
                continue
            try:
                arguments = session.render(step.arguments)
            except BotError:  # it takes what is known only within the step
                continue
            data = state.result.get("data")
            return (
                _state(arguments, data) if step.probe == _OBSERVE else _state_before_rollback(arguments, data)
            )
    return None


async def state_change(deps: Deps, run: Run, approval: Approval, *, only_if_known: bool = False) -> str:
    """Return what serves now instead of what the approved plan was made from, in words; empty if unchanged.

    It is empty as well once the run itself has acted, and where the target cannot be read now: the steps of
    the plan will then fail.  With ``only_if_known`` it is empty also while no single version is stable, which
    may pass.
    """
    plan = run.plan_for(approval.phase)
    seen = plan.seen if plan is not None else None
    if seen is None or has_acted(run):
        return ""
    ctx = deps.context(run.id, "seen", timeout_s=_TIMEOUT_S)
    called = await call_with(ctx, deps.plugins.get(_OBSERVE), seen.arguments)
    if not isinstance(called.result, Facts):
        return ""
    now = _state(seen.arguments, called.result.data)
    if seen.only_stable:
        now = now.but(candidate="")
    if (now.stable, now.candidate) == (seen.stable, seen.candidate) or (only_if_known and not now.stable):
        return ""
    return f"since the plan was made, what serves has changed: {_words(seen)} then, {_words(now)} now"


def has_acted(run: Run) -> bool:
    """Return whether a run has changed something, or may have."""
    return any(step.intent_key for phase in run.phases.values() for step in phase.steps.values())


def _state(arguments: JsonObject, data: JsonValue) -> SeenState:
    facts = data if isinstance(data, Mapping) else {}
    return SeenState(
        arguments=arguments, stable=_version(facts.get("stable")), candidate=_version(facts.get("candidate"))
    )


def _state_before_rollback(arguments: JsonObject, data: JsonValue) -> SeenState | None:
    """Return which version is stable before a rollback; none while a rollout is under way, which it ends."""
    serves = data.get("serves") if isinstance(data, Mapping) else None
    if not isinstance(serves, str):
        return None
    asked = {name: value for name, value in arguments.items() if name in ("service", "by")}
    return SeenState(arguments=asked, stable=serves, candidate="", only_stable=True)


def _version(side: JsonValue) -> str:
    version = side.get("version") if isinstance(side, Mapping) else ""
    return version if isinstance(version, str) else ""


def _words(state: SeenState) -> str:
    stable = state.stable or "no single version"
    return f"{stable} with the candidate {state.candidate}" if state.candidate else stable
