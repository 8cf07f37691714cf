"""The folder for a backup: written aside first, under the effect's name, never over an existing backup."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from bot.domain.errors import ActionFailedError, StaleEpochError
from bot.domain.formatting import size
from bot.domain.runs.effect import Effect
from bot.targets.support.backups import DUMP, NOTE, PART, Backup, Shelf, sum_up


class BackupFolder:
    """The folder of one effect's backup: written aside first, and never over an existing backup."""

    def __init__(self, shelf: Shelf, *, version: str, effect: Effect) -> None:
        """Name the files after the effect, so that each attempt finds what an earlier one has done."""
        self._shelf = shelf
        self._epoch = effect.epoch
        self.name = f"{version}-{hashlib.sha256(effect.key.encode()).hexdigest()[:16]}"
        self.part = shelf.folder / f"{self.name}.{effect.epoch}{PART}"
        self.file = self.part / DUMP

    def found(self) -> Backup | None:
        """Return the backup of an earlier attempt; ``None`` if there is none.

        Raises:
            ActionFailedError: the backup differs from what was written, so nothing may begin.
        """
        backup = self._shelf.find(self.name)
        if backup is not None and sum_up(self._shelf.dump(self.name))[1] != backup.sha256:
            raise ActionFailedError(
                f"The backup {self.name} is damaged: its checksum has changed since it was written.",
                hint="Check the disk, move the backup away, and start again.",
                code="backup_damaged",
            )
        return backup

    def claim(self) -> None:
        """Take over the writing from older owners of the effect and delete their half-written folders.

        Raises:
            StaleEpochError: a newer owner is writing.
        """
        for path in self._shelf.folder.glob(f"{self.name}.*{PART}"):
            epoch = int(path.name.removeprefix(f"{self.name}.").removesuffix(PART))
            if epoch > self._epoch:
                raise StaleEpochError("A newer owner of this run makes the backup.")
            shutil.rmtree(path, ignore_errors=True)  # an older owner that still writes there fails
        self.part.mkdir(mode=0o700, parents=True)

    def refuse_without_room(self, needed_bytes: int) -> None:
        """Raise an error if the backup may not fit.

        Raises:
            ActionFailedError: less than ``needed_bytes`` bytes are free.
        """
        free = shutil.disk_usage(self._shelf.folder).free
        if free < needed_bytes:
            raise ActionFailedError(
                f"A backup may need {size(needed_bytes)}, and only {size(free)} are free.",
                hint="Free space in the backups folder, or name only the `tables` that are changed.",
                code="no_space",
            )

    def keep(self, backup: Backup) -> Backup:
        """Move the finished backup, with its note, to its name; an existing one of that name stays.

        Raises:
            StaleEpochError: a newer owner has taken the writing over.
        """
        try:
            (self.part / NOTE).write_text(backup.model_dump_json(indent=1), encoding="utf-8")
            for path in (self.file, self.part / NOTE, self.part):
                _sync(path)
            # A folder is never renamed onto one that is not empty: the late dump of an old owner may hold the
            # database's state after the migration had begun.
            self.part.rename(self._shelf.folder / self.name)
        except FileNotFoundError as error:
            raise StaleEpochError("A newer owner of this run makes the backup.") from error
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return self._shelf.find(self.name) or backup
        _sync(self._shelf.folder)
        return backup

    def drop(self) -> None:
        """Remove what was written aside, unless it was moved to its name."""
        shutil.rmtree(self.part, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
