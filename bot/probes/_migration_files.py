"""Reads the migration files of a version: ``<path>/<version>/{expand,migrate,contract}/*.sql``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import ProbeGarbageError, ProbeUnavailableError

PHASES = ("expand", "migrate", "contract")
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class MigrationFile:
    """One file; ``checksum`` is the SHA-256 of its bytes."""

    phase: str
    name: str
    sql: str
    checksum: str
    has_down: bool
    """There is a file of the same name under ``down/<phase>``, which reverses it."""

    @property
    def title(self) -> str:
        """How people call it."""
        return f"{self.phase}/{self.name}"


def read_version(folder: Path, version: str) -> list[MigrationFile]:
    """Read a version's files in the order in which they are applied; blocks.

    A version without a folder has no migrations, which is said by an empty list.

    Raises:
        ProbeUnavailableError: the folder of all versions is not there, or a file cannot be read.
        ProbeGarbageError: a file is no UTF-8, too large, or lies where none is looked for.
    """
    if not folder.is_dir():
        raise ProbeUnavailableError(f"The folder of the migrations, {folder.name}, is not there.")
    root = folder / version
    inside = (path for path in root.glob("*/*.sql") if path.parent.name not in PHASES)
    stray = [*root.glob("*.sql"), *inside]
    if stray:
        raise ProbeGarbageError(
            f"{stray[0].relative_to(folder)} would never be applied.",
            hint=f"Move it to one of {', '.join(PHASES)}.",
        )
    return [_read(path, phase) for phase in PHASES for path in sorted((root / phase).glob("*.sql"))]


def _read(path: Path, phase: str) -> MigrationFile:
    try:
        content = path.read_bytes()
        if len(content) > _MOST_BYTES:
            raise ProbeGarbageError(f"{phase}/{path.name} has {len(content)} bytes.")
        sql = content.decode("utf-8")
    except OSError as error:
        raise ProbeUnavailableError(f"{phase}/{path.name} cannot be read: {type(error).__name__}.") from error
    except UnicodeDecodeError as error:
        raise ProbeGarbageError(f"{phase}/{path.name} is no UTF-8.") from error
    down = path.parent.parent / "down" / phase / path.name
    return MigrationFile(
        phase=phase,
        name=path.name,
        sql=sql,
        checksum=hashlib.sha256(content).hexdigest(),
        has_down=down.is_file(),
    )
