"""How the migration files of a version are laid out: ``<version>/{expand,migrate,contract}/*.sql``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from bot.domain.model import Model

PHASES = ("expand", "migrate", "contract")
Phase = Literal["expand", "migrate", "contract"]

_DOWN = "down"
_VERIFY = "verify"
_MOST_BYTES = 1_000_000


class LayoutError(ValueError):
    """A file is not text, is too large, or lies where it would never be applied."""


class MigrationFile(Model):
    """One file; ``checksum`` is the SHA-256 of its bytes, ``down`` the SQL that reverses it, if any."""

    phase: Phase
    name: str
    sql: str
    checksum: str
    down: str | None = Field(default=None)

    @property
    def title(self) -> str:
        """The name that people use."""
        return f"{self.phase}/{self.name}"


def lay_out(content: Mapping[str, bytes]) -> list[MigrationFile]:
    """Order the files of one version as they are applied; keys are paths inside the version's folder.

    Raises:
        LayoutError: a file is not text, is too large, or lies where it would never be applied.
    """
    for path in content:
        folder = path.rpartition("/")[0]
        if folder not in (*PHASES, _VERIFY) and folder.removeprefix(f"{_DOWN}/") not in PHASES:
            raise LayoutError(
                f"{path} would never be applied: it is not in one of the folders {', '.join(PHASES)}"
            )
    return [
        _file(phase, path.removeprefix(f"{phase}/"), content)
        for phase in PHASES
        for path in sorted(content)
        if path.startswith(f"{phase}/")
    ]


def proofs_in(content: Mapping[str, bytes]) -> dict[str, str]:
    """Find the questions under ``verify/``, by name; each must have no rows as its answer.

    Raises:
        LayoutError: one is not text or is too large.
    """
    prefix = f"{_VERIFY}/"
    return {path: _text(path, content[path]) for path in sorted(content) if path.startswith(prefix)}


def _file(phase: str, name: str, content: Mapping[str, bytes]) -> MigrationFile:
    path = f"{phase}/{name}"
    down = f"{_DOWN}/{path}"
    return MigrationFile.model_validate(
        {
            "phase": phase,
            "name": name,
            "sql": _text(path, content[path]),
            "checksum": hashlib.sha256(content[path]).hexdigest(),
            "down": _text(down, content[down]) if down in content else None,
        }
    )


def _text(path: str, content: bytes) -> str:
    if len(content) > _MOST_BYTES:
        raise LayoutError(f"{path} is too large ({len(content)} bytes)")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise LayoutError(f"{path} is not valid UTF-8") from error
