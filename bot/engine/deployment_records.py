"""Updates the record of deployments while their runs advance."""

from __future__ import annotations

import logging

from bot.domain.deployments.deployment import Deployment, deployment_of
from bot.domain.runs.run import Run
from bot.ports.deployments import DeploymentStore

log = logging.getLogger(__name__)

_LOOK_BACK = 20
"""The number of latest deployments of a service among which a rollback finds its target."""


async def keep_record(book: DeploymentStore, run: Run) -> None:
    """Record the state of a deployment or rollback; for a run that is neither, do nothing.

    Doing so twice is harmless, and a record that has ended never becomes unfinished again.
    """
    deployment = deployment_of(run)
    if deployment is None:
        return
    if deployment.is_rollback and not deployment.rollback_of:
        deployment = deployment.but(rollback_of=await replaced_deployment(book, deployment))
    if await book.record(deployment):
        fields = {"run_id": run.id, "service": deployment.service, "outcome": deployment.outcome}
        log.info("deployment_recorded", extra=fields)


async def replaced_deployment(book: DeploymentStore, rollback: Deployment) -> str:
    """Return the id of the deployment that a rollback reverses: the latest of the version that it replaces.

    Empty where the bot did not deploy that version, or where that deployment was rolled back automatically.
    """
    for known in await book.of(rollback.service, limit=_LOOK_BACK):
        if known.id == rollback.id and known.rollback_of:
            return known.rollback_of  # the first answer is final
        if not known.changed or known.is_rollback or known.requested_at >= rollback.requested_at:
            continue
        if rollback.previous_version in ("", known.version):
            return known.id if known.outcome in ("succeeded", "failed", "running") else ""
    return ""
