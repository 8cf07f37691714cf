"""The memory twin of the record of deployments."""

from __future__ import annotations

from itertools import islice

from bot.domain.board import Topic
from bot.domain.clock import Clock
from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError
from bot.ports.board import MessageBoard


class MemoryDeploymentStore:
    """Every deployment, in this process."""

    def __init__(self, clock: Clock, *, board: MessageBoard) -> None:
        """Start empty; changes are announced on ``board``, and ``clock`` decides what is recent."""
        self._clock = clock
        self._board = board
        self._kept: dict[str, Deployment] = {}

    async def record(self, deployment: Deployment) -> bool:
        """Store a deployment's state; return false, and store nothing, if it has already ended."""
        known = self._kept.get(deployment.id)
        if known is not None and known.finished_at is not None and deployment.finished_at is None:
            return False
        self._kept[deployment.id] = deployment
        await self._board.mark(Topic(kind="deployment", id=deployment.id))
        return True

    async def get(self, deployment_id: str) -> Deployment:
        """Return a deployment.

        Raises:
            NotFoundError: no deployment has that id.
        """
        if deployment_id not in self._kept:
            raise NotFoundError(f"I know no deployment {deployment_id}.")
        return self._kept[deployment_id]

    async def of(self, service: str, *, limit: int) -> tuple[Deployment, ...]:
        """List the latest deployments of a service's address, of all if it is empty, newest first."""
        meant = (one for one in reversed(self._by_time()) if service in ("", one.service))
        return tuple(islice(meant, limit))

    async def since(self, seconds: float) -> tuple[Deployment, ...]:
        """List all deployments that were asked for in the last ``seconds``, oldest first."""
        now = self._clock.now()
        return tuple(one for one in self._by_time() if (now - one.requested_at).total_seconds() <= seconds)

    def _by_time(self) -> list[Deployment]:
        return sorted(self._kept.values(), key=lambda one: (one.requested_at, one.id))
