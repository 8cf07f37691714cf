"""Keeps the record of deployments while their runs are carried on."""

from __future__ import annotations

import logging

from bot.domain.deployments.deployment import Deployment, deployment_of
from bot.domain.runs.run import Run
from bot.ports.deployments import DeploymentStore

log = logging.getLogger(__name__)

_LOOK_BACK = 20
"""A rollback takes back one of the latest so many deployments of its service."""


async def keep_record(book: DeploymentStore, run: Run) -> None:
    """Write down how a deployment or rollback stands; for a run that carries out neither, do nothing.

    Doing so twice is harmless, and what has ended never becomes unfinished again.
    """
    deployment = deployment_of(run)
    if deployment is None:
        return
    if deployment.is_rollback and not deployment.rollback_of:
        deployment = deployment.but(rollback_of=await _taken_back(book, deployment))
    if await book.record(deployment):
        fields = {"run_id": run.id, "service": deployment.service, "outcome": deployment.outcome}
        log.info("deployment_recorded", extra=fields)


async def _taken_back(book: DeploymentStore, rollback: Deployment) -> str:
    """Return the id of what a rollback takes back: the latest deployment of the version that it replaces.

    Empty where the bot did not deploy that version, or where that deployment was put back by itself.
    """
    for known in await book.of(rollback.service, limit=_LOOK_BACK):
        if known.id == rollback.id and known.rollback_of:
            return known.rollback_of  # the first word stands
        if not known.changed or known.is_rollback or known.requested_at >= rollback.requested_at:
            continue
        if rollback.previous_version in ("", known.version):
            return known.id if known.outcome in ("succeeded", "failed", "running") else ""
    return ""
