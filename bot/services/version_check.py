"""Refuses a run for a version that does not exist, before it starts."""

from __future__ import annotations

import logging

from bot.domain.deployments.version import VersionCheck
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import NotFoundError, UnknownVersionError
from bot.domain.model import JsonObject
from bot.domain.runs.runbook import Runbook, steps_of
from bot.engine.deps import Deps
from bot.engine.steps import call_with

log = logging.getLogger(__name__)

PROBE = "versions.check"
_CHECK_S = 2.0
"""Seconds for all sources at once, while a person waits; a source that is slower refuses nothing."""


async def require_known_version(deps: Deps, runbook: Runbook, params: JsonObject, *, run_id: str) -> None:
    """Raise an error if a version among the parameters does not exist.

    A run that was started before is not checked again: its intent has just been delivered twice.

    Raises:
        UnknownVersionError: a source that lists all versions lacks it, and every source answered.
    """
    service = params.get("service")
    named = [params[name] for name, param in runbook.params.items() if param.type == "version"]
    versions = [one for one in named if isinstance(one, str)]
    if not versions or not isinstance(service, str) or PROBE not in deps.plugins.by_name:
        return
    if await _is_started(deps, run_id):
        return
    by = _target_of(runbook, params)
    for version in versions:
        ctx = deps.context(run_id, "version", timeout_s=_CHECK_S)
        arguments: JsonObject = {"service": service, "version": version, "by": by}
        called = await call_with(ctx, deps.plugins.get(PROBE), arguments)
        data = called.result.data if isinstance(called.result, Facts) else {}
        if data.get("known") is not False:
            continue
        near = data.get("nearest")
        nearest = tuple(str(one) for one in near) if isinstance(near, list) else ()
        log.info("version_unknown", extra={"service": service, "version": version, "run_id": run_id})
        refused = VersionCheck(version=version, known=False, nearest=nearest)
        raise UnknownVersionError(refused.refusal(service), hint="Nothing was started.")


def _target_of(runbook: Runbook, params: JsonObject) -> str:
    """Return the kind of target that the runbook changes; empty for the one that carries the traffic."""
    if isinstance(params.get("by"), str):
        return str(params["by"])
    named = (
        step.arguments.get("by") for phase in runbook.phases for step in steps_of(phase) if step.is_action
    )
    return next((by for by in named if isinstance(by, str) and "{" not in by), "")


async def _is_started(deps: Deps, run_id: str) -> bool:
    try:
        await deps.stores.journal.load(run_id)
    except NotFoundError:
        return False
    return True
