"""The folder of a service's database backups, and the note stored with each."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from bot.domain.errors import ActionFailedError
from bot.domain.model import Instant, Model

DUMP = "database.dump"
NOTE = "note.json"
PART = ".part"
"""The suffix of a backup's folder while it is being written."""
_CHUNK = 1 << 20


class Backup(Model):
    """The note of one backup; its dump is beside the note, in a folder of its ``name``."""

    name: str
    service: str
    version: str
    """The version whose migrations were applied after the backup."""
    database: str
    server: str
    at: Instant
    size_bytes: int
    sha256: str
    """Of the dump, in hex."""
    tables: tuple[str, ...]
    """Whose rows are in it, as ``schema.table``."""


class Shelf:
    """The folder of one service's backups."""

    def __init__(self, root: str, service: str) -> None:
        """Set the folder; nothing is read or created."""
        self.folder = Path(root) / service

    def dump(self, name: str) -> Path:
        """Return the path of a backup's dump."""
        return self.folder / name / DUMP

    def find(self, name: str) -> Backup | None:
        """Return a backup's note; ``None`` if there is no such backup.

        Raises:
            ActionFailedError: its note cannot be read or parsed.
        """
        if not (self.folder / name).is_dir():
            return None
        try:
            return Backup.model_validate_json((self.folder / name / NOTE).read_bytes())
        except (OSError, ValidationError) as error:
            raise ActionFailedError(
                f"The backup {name} cannot be read: {type(error).__name__}.",
                hint=f"Check {name}/{NOTE} in the backups folder.",
                code="backup_damaged",
            ) from error

    def newest(self) -> Backup | None:
        """Return the latest complete backup; ``None`` if there is none.

        Raises:
            ActionFailedError: the folder or a note in it cannot be read.
        """
        try:
            names = [path.parent.name for path in self.folder.glob(f"*/{DUMP}")]
        except OSError as error:
            raise ActionFailedError(
                f"The backups of {self.folder.name} cannot be listed: {type(error).__name__}.",
                code="target_unavailable",
            ) from error
        known = [self.find(name) for name in names if not name.endswith(PART)]
        return max(filter(None, known), key=lambda backup: backup.at, default=None)


def sum_up(path: Path) -> tuple[int, str]:
    """Return a file's size in bytes and its SHA-256, in hex."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return size, digest.hexdigest()
