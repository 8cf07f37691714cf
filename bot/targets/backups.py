"""Where the backups of a service's database lie, and what is written down of each."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from bot.domain.errors import ActionFailedError
from bot.domain.model import Instant, Model

SUFFIX = ".dump"
"""What a whole backup ends with; nothing that is being written does."""
_NOTE = ".json"
_CHUNK = 1 << 20


class Backup(Model):
    """What is known of one backup; its dump lies beside this note, under the same name."""

    name: str
    service: str
    version: str
    """The version before whose migrations it was made."""
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
        """Name the folder; nothing is read or made."""
        self.folder = Path(root) / service

    def dump(self, name: str) -> Path:
        """Name the file of a backup."""
        return self.folder / f"{name}{SUFFIX}"

    def note(self, name: str) -> Path:
        """Name the file that tells of a backup."""
        return self.folder / f"{name}{_NOTE}"

    def find(self, name: str) -> Backup | None:
        """Read what is known of a backup; none unless dump and note are both there.

        Raises:
            ActionFailedError: they cannot be read, or the note is not one.
        """
        try:
            if not self.dump(name).is_file():
                return None
            return Backup.model_validate_json(self.note(name).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            raise ActionFailedError(
                f"The backup {name} cannot be read: {type(error).__name__}.",
                hint=f"Look at {self.note(name).name} in the folder of backups.",
                code="backup_damaged",
            ) from error

    def newest(self) -> Backup | None:
        """Find the latest whole backup.

        Raises:
            ActionFailedError: the folder or a note of it cannot be read.
        """
        try:
            names = [path.stem for path in self.folder.glob(f"*{SUFFIX}")]
        except OSError as error:
            raise ActionFailedError(
                f"The backups of {self.folder.name} cannot be listed: {type(error).__name__}.",
                code="target_unavailable",
            ) from error
        known = [backup for name in names if (backup := self.find(name)) is not None]
        return max(known, key=lambda backup: backup.at, default=None)


def sha256_of(path: Path) -> str:
    """Sum up a file's bytes, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
