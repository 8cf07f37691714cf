"""Where a backup is written: aside, under the effect's name, and never over one that is there."""

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
    """Where one effect's backup is written: aside first, and never over one that is there."""

    def __init__(self, shelf: Shelf, *, version: str, effect: Effect) -> None:
        """Name the files after the effect, so that each of its tries finds what an earlier one has done."""
        self._shelf = shelf
        self._epoch = effect.epoch
        self.name = f"{version}-{hashlib.sha256(effect.key.encode()).hexdigest()[:16]}"
        self.part = shelf.folder / f"{self.name}.{effect.epoch}{PART}"
        self.file = self.part / DUMP

    def found(self) -> Backup | None:
        """Find the backup of an earlier try.

        Raises:
            ActionFailedError: it is there and is not what was written, so that nothing is to begin.
        """
        backup = self._shelf.find(self.name)
        if backup is not None and sum_up(self._shelf.dump(self.name))[1] != backup.sha256:
            raise ActionFailedError(
                f"The backup {self.name} is not what was written: its checksum is another.",
                hint="Look at the disk; then move the file away, and start again.",
                code="backup_damaged",
            )
        return backup

    def claim(self) -> None:
        """Take the writing over from older owners of the effect, whose half-written folders go.

        Raises:
            StaleEpochError: a newer owner is writing.
        """
        for path in self._shelf.folder.glob(f"{self.name}.*{PART}"):
            epoch = int(path.name.removeprefix(f"{self.name}.").removesuffix(PART))
            if epoch > self._epoch:
                raise StaleEpochError("A newer owner of this run makes the backup.")
            shutil.rmtree(path, ignore_errors=True)  # what writes there ends in nothing
        self.part.mkdir(mode=0o700, parents=True)

    def refuse_without_room(self, needed_bytes: int) -> None:
        """Make sure that what may be written fits.

        Raises:
            ActionFailedError: it does not.
        """
        free = shutil.disk_usage(self._shelf.folder).free
        if free < needed_bytes:
            raise ActionFailedError(
                f"A backup may need {size(needed_bytes)} and there are {size(free)} left.",
                hint="Make room where backups are kept, or name only the `tables` that are touched.",
                code="no_space",
            )

    def keep(self, backup: Backup) -> Backup:
        """Give what was written its name, together with its note; one that has the name already stays.

        Raises:
            StaleEpochError: a newer owner has taken the writing over.
        """
        try:
            (self.part / NOTE).write_text(backup.model_dump_json(indent=1), encoding="utf-8")
            for path in (self.file, self.part / NOTE, self.part):
                _sync(path)
            # A folder is never renamed onto one that holds something: the dump of an old owner that comes
            # late may hold what the database was like when its migration had begun.
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
        """Remove what was written aside, if it did not get its name."""
        shutil.rmtree(self.part, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
