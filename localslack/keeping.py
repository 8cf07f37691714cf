"""Conversations of a workspace in a file, so that they are there again after a restart."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from localslack.feed import Feed
from localslack.store import Channel, File, StoredMessage, WorkspaceStore

log = logging.getLogger(__name__)

_EVERY_S = 0.5
_FORMAT: Literal[1] = 1


class WorkspaceSnapshot(BaseModel):
    """What is kept: conversations, files and marks. Views, tokens and counts are not."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64", extra="forbid")

    format: Literal[1] = _FORMAT
    workspace: str
    """Its id; what another workspace kept is refused."""
    channels: list[Channel]
    messages: list[StoredMessage]
    files: list[File]
    read_marks: list[tuple[str, str, str]]
    """Person, channel and the timestamp up to which it was read."""


class Keeper:
    """Writes a workspace to a file after changes, at most twice a second, and at its end."""

    def __init__(self, path: Path, *, store: WorkspaceStore, feed: Feed) -> None:
        self._path = path
        self._store = store
        self._feed = feed
        self._lock = threading.Lock()
        self._taken = self._written = 0
        """The numbers of the latest state that was taken, and of the latest in the file."""

    def restore(self) -> None:
        """Read what was kept; nothing if there is no file yet.

        Raises:
            ValueError: the file is of another workspace, or cannot be understood; it is left as it is.
            OSError: it cannot be read.
        """
        if not self._path.exists():
            return
        try:
            kept = WorkspaceSnapshot.model_validate_json(self._path.read_bytes())
        except ValidationError as exc:
            raise ValueError(
                f"{self._path}: this is not a workspace that was kept; name another file"
            ) from exc
        if kept.workspace != self._store.workspace.id:
            raise ValueError(
                f"{self._path}: this was kept by workspace {kept.workspace}; name another file for "
                f"{self._store.workspace.id}"
            )
        self._store.restore(
            channels=kept.channels,
            messages=kept.messages,
            files=kept.files,
            read_marks={(user, channel): ts for user, channel, ts in kept.read_marks},
        )

    def write(self) -> None:
        """Write the present state; a reader sees the old file or the new one, never a part.

        Raises:
            OSError: it cannot be written.
        """
        self._replace(*self._state())

    async def run(self) -> None:
        """Write after each change until cancelled; while the file cannot be written, log that and go on."""
        with self._feed.pulse() as changed:
            while True:
                await changed.wait()
                changed.clear()
                try:
                    await asyncio.to_thread(self._replace, *self._state())
                except OSError as exc:
                    changed.set()
                    log.warning("localslack: the conversations could not be kept: %s", exc)
                await asyncio.sleep(_EVERY_S)

    def _state(self) -> tuple[int, bytes]:
        store = self._store
        self._taken += 1
        kept = WorkspaceSnapshot(
            workspace=store.workspace.id,
            channels=list(store.channels.values()),
            messages=[message for inside in store.messages.values() for message in inside.values()],
            files=list(store.files.values()),
            read_marks=[(user, channel, ts) for (user, channel), ts in store.read_marks.items()],
        )
        return self._taken, kept.model_dump_json().encode()

    def _replace(self, number: int, state: bytes) -> None:
        with self._lock:
            if number <= self._written:  # a later state is there already
                return
            beside = self._path.with_name(f".{self._path.name}.new")
            with beside.open("wb") as file:
                file.write(state)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
            self._written = number
