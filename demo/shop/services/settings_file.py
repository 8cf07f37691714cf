"""A service's settings: a JSON file that the settings store replaces and the service re-reads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

POLL_S = 0.2


class SettingsFile:
    """The settings in force; a change takes effect within ``POLL_S`` seconds, without a restart."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._stamp: tuple[int, int] = (0, 0)
        self._values: dict[str, Any] = {}
        self._reread()

    def integer(self, key: str) -> int:
        """Read a whole number.

        Raises:
            KeyError: the settings have no such key.
        """
        return int(self._values[key])

    def text(self, key: str) -> str:
        """Read a text.

        Raises:
            KeyError: the settings have no such key.
        """
        return str(self._values[key])

    def flag(self, key: str) -> bool:
        """Read a feature flag.

        Raises:
            KeyError: the settings have no such key.
        """
        return bool(self._values[key])

    async def watch(self, changed: Callable[[str, Any, Any], None]) -> None:
        """Re-read for ever; ``changed`` gets the key, the value before and the value after."""
        while True:
            await asyncio.sleep(POLL_S)
            before = self._values
            if self._reread():
                for key in sorted(self._values):
                    if before.get(key) != self._values[key]:
                        changed(key, before.get(key), self._values[key])

    def _reread(self) -> bool:
        if self._path is None:
            return False
        status = self._path.stat()
        stamp = (status.st_ino, status.st_mtime_ns)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self._values = json.loads(self._path.read_text(encoding="utf-8"))
        return True
