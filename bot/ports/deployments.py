"""The records of deployments."""

from __future__ import annotations

from typing import Protocol

from bot.domain.deployments.deployment import Deployment


class DeploymentStore(Protocol):
    """The record of deployments; it outlives their runs, and announces each change."""

    async def record(self, deployment: Deployment) -> bool:
        """Store a deployment's state; return false, and store nothing, if it has already ended."""
        ...

    async def get(self, deployment_id: str) -> Deployment:
        """Return a deployment.

        Raises:
            NotFoundError: no deployment has that id.
        """
        ...

    async def of(self, service: str, *, limit: int) -> tuple[Deployment, ...]:
        """List the latest deployments of a service's address, of all if it is empty, newest first."""
        ...

    async def since(self, seconds: float) -> tuple[Deployment, ...]:
        """List all deployments that were asked for in the last ``seconds``, oldest first."""
        ...
