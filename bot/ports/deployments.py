"""The records of deployments."""

from __future__ import annotations

from typing import Protocol

from bot.domain.deployments.deployment import Deployment


class DeploymentStore(Protocol):
    """The record of deployments; it outlives their runs, and each change of it is announced."""

    async def record(self, deployment: Deployment) -> bool:
        """Keep a deployment as it stands; false, and nothing kept, if it is known to have ended before."""
        ...

    async def get(self, deployment_id: str) -> Deployment:
        """Read a deployment.

        Raises:
            NotFoundError: there is none of that id.
        """
        ...

    async def of(self, service: str, *, limit: int) -> tuple[Deployment, ...]:
        """List the latest deployments of a service's address, of all if it is empty, newest first."""
        ...

    async def since(self, seconds: float) -> tuple[Deployment, ...]:
        """List all deployments that were asked for in the last ``seconds``, oldest first."""
        ...
