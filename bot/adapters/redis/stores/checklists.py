"""Checklists of versions in Redis: one hash a version, one field for each person's mark on each item."""

from __future__ import annotations

from bot.adapters.redis.store import RedisStore
from bot.domain.deployments.checklist import ItemMark

_MARK = "mark:"


class RedisChecklists:
    """People's marks, kept for ``retention_s`` seconds after the last one on a version."""

    def __init__(self, store: RedisStore, *, retention_s: int = 30 * 86_400) -> None:
        """Read and write through ``store``."""
        self._store = store
        self._retention_s = retention_s

    async def mark(self, service: str, version: str, mark: ItemMark) -> bool:
        """Store a person's mark; return false, and store nothing, if they have a later one on that item."""
        who, at_ms = f"{mark.item}:{mark.by.id}", int(mark.at.timestamp() * 1000)
        arguments = (who, at_ms, mark.model_dump_json(), self._retention_s)
        return bool(await self._store.run("tick", (self._key(service, version),), *arguments))

    async def marks(self, service: str, version: str) -> tuple[ItemMark, ...]:
        """Return everyone's latest mark on each item, oldest first."""
        fields = await self._store.hash(self._key(service, version))
        found = [
            ItemMark.model_validate_json(text) for name, text in fields.items() if name.startswith(_MARK)
        ]
        return tuple(sorted(found, key=lambda mark: (mark.at, mark.item, mark.by.id)))

    def _key(self, service: str, version: str) -> str:
        return self._store.keys.shared.checklist(service, version)
