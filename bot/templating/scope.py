"""What the templates of a run may refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot.domain.catalogue import Catalogue, Failover, Service
from bot.domain.diagnoses.diagnosis import Cause, Diagnosis
from bot.domain.errors import UnknownServiceError
from bot.domain.model import Instant, JsonValue, Model
from bot.domain.people import Person
from bot.domain.runs.event import Origin
from bot.domain.runs.run import Run

READABLE_SETTINGS: Final = ("watch_s",)
"""The settings that runbooks may read as ``settings.<name>``; a closed list, so that no secret is in it."""


class ServiceFacts(Model):
    """The catalogue's entry without ``sources`` and ``target``: those may hold passwords."""

    name: str
    summary: str
    owner: str
    channel: str
    approvers: tuple[str, ...]
    environment: str
    external: bool
    depends_on: tuple[str, ...]
    versioned_by: str
    failover: Failover | None
    emergency_rollback: bool


class RunFacts(Model):
    """The run itself."""

    id: str
    runbook: str
    requested_by: Person
    origin: Origin
    started_at: Instant


def scope_of(
    run: Run, *, catalogue: Catalogue, settings: Mapping[str, JsonValue] | None = None
) -> dict[str, object]:
    """Return what templates may refer to.

    Always ``params``, ``phases``, ``settings`` and ``run``; where there is one, the ``service`` that the run
    is about and the ``cause`` that a diagnosis put first.  The caller adds ``item``, ``result`` or
    another ``cause``.
    """
    given = settings or {}
    scope: dict[str, object] = {
        "params": run.params,
        "phases": run.phases,
        "settings": {name: given[name] for name in READABLE_SETTINGS if name in given},
        "run": RunFacts.model_construct(
            id=run.id,
            runbook=run.runbook.name,
            requested_by=run.requested_by,
            origin=run.origin,
            started_at=run.started_at,
        ),
    }
    service = _service(run.service, catalogue)
    if service is not None:
        scope["service"] = service
    cause = _top_cause(run)
    if cause is not None:
        scope["cause"] = cause
    return scope


def _top_cause(run: Run) -> Cause | None:
    """Return the cause to act on; findings are not parsed, because this runs at every step."""
    for phase in reversed(run.phases.values()):
        if phase.output is not None and phase.output.get("type") == "diagnosis":
            return Diagnosis.model_validate({**phase.output, "findings": ()}).top
    return None


def _service(name: str, catalogue: Catalogue) -> ServiceFacts | None:
    """Return the facts of a service; none where the run has no service, or it left the catalogue."""
    try:
        found: Service = catalogue.get(name)
    except UnknownServiceError:
        return None
    return ServiceFacts.model_construct(
        **{field: getattr(found, field) for field in ServiceFacts.model_fields}
    )
