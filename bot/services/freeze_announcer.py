"""Has each freeze announced when it begins, in the channels of the services that it concerns."""

from __future__ import annotations

from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.deployments.freezes_in_force import freezes_in_force
from bot.ports.board import MessageBoard


class FreezeAnnouncer:
    """Marks the topic of each freeze in force; however often and by whom it is marked, it is posted once."""

    def __init__(self, catalogue: Catalogue, board: MessageBoard, clock: Clock) -> None:
        """Read the freezes of ``catalogue``."""
        self._catalogue = catalogue
        self._board = board
        self._clock = clock
        self._marked: frozenset[str] = frozenset()

    async def tick(self) -> None:
        """Mark what has come into force since the last time."""
        now = {one.episode for one in freezes_in_force(self._catalogue, at=self._clock.now())}
        for episode in sorted(now - self._marked):
            await self._board.mark(Topic(kind="freeze", id=episode))
        self._marked = frozenset(now)
