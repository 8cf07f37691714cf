"""Runs ``pg_dump`` and ``pg_restore`` without showing the password."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.formatting import duration
from bot.targets.support.processes import CompletedProgram, run

_ROWS = "TABLE DATA"


class Dumper:
    """Runs ``pg_dump`` and ``pg_restore`` against one database, within what is left of a step's time."""

    def __init__(self, dsn: str, *, programs: str, within_s: float) -> None:
        """Store the programs' folder (empty: search ``PATH``) and the login."""
        self._programs = Path(programs) if programs else None
        self._within_s = within_s
        self._address, self._env = login_of(dsn)

    async def dump(self, file: Path, *, tables: Sequence[str]) -> None:
        """Write the dump; only ``tables`` (as ``schema.table``) if any are named.

        Raises:
            ActionFailedError: the dump failed; ``file`` may exist, but is not a backup.
        """
        only = [f"--table={_pattern(table)}" for table in tables]
        patience_ms = max(1, round(self._within_s * 100))
        waits = f"--lock-wait-timeout={patience_ms}"  # such as behind another migration
        await self._run(
            "pg_dump", "--format=custom", "--no-password", waits, f"--file={file}", *only, self._address
        )

    async def tables_in(self, file: Path) -> tuple[str, ...]:
        """Read a dump to its end; return the tables whose rows are in it, as ``schema.table``.

        Raises:
            ActionFailedError: the dump cannot be read.
        """
        listed = await self._run("pg_restore", "--list", str(file))
        await self._run("pg_restore", f"--file={os.devnull}", str(file))  # the list does not reach the rows
        return tables_listed(listed.out)

    async def _run(self, program: str, *arguments: str) -> CompletedProgram:
        path = str(self._programs / program) if self._programs else program
        try:
            ran = await run((path, *arguments), within_s=self._within_s, env=self._env)
        except ActionInDoubtError as error:  # a dump changes nothing, so nothing is in doubt
            raise ActionFailedError(
                f"{program} did not finish within {duration(self._within_s)}.",
                hint="Give the step more time, or name only the `tables` that the migration touches.",
                code="not_in_time",
            ) from error
        if ran.code:
            raise ActionFailedError(
                f"{program} exited with code {ran.code}: {ran.complaint or 'it printed no error'}",
                hint="It must not be older than the server: set `programs` to the folder of a newer one.",
                code="backup_failed",
            )
        return ran


def login_of(dsn: str) -> tuple[str, dict[str, str]]:
    """Return a DSN without its password, and the environment that passes the password; pure."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn, {}
    user, _, host = parts.netloc.rpartition("@")
    address = parts._replace(netloc=f"{user.partition(':')[0]}@{host}").geturl()
    return address, {"PGPASSWORD": unquote(parts.password)}


def tables_listed(text: str) -> tuple[str, ...]:
    """Return the tables whose rows are in a dump, from the output of ``pg_restore --list``; pure."""
    found = []
    for line in text.splitlines():
        if not line.startswith(";") and f" {_ROWS} " in line:
            schema, _, rest = line.partition(f" {_ROWS} ")[2].partition(" ")
            found.append(f"{schema}.{rest.rpartition(' ')[0]}")  # the owner is last
    return tuple(sorted(found))


def _pattern(table: str) -> str:
    schema, _, name = table.rpartition(".")
    return ".".join(f'"{part}"' for part in (schema or "public", name))
