"""The ledger of applied migrations: a table in the database, written in the migration's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from bot.actions._shared.database import TROUBLE
from bot.domain.errors import ActionFailedError, ActionInDoubtError, StaleEpochError
from bot.domain.runs.effect import Effect
from bot.migrations.execution import Manner, statements_of
from bot.migrations.layout import MigrationFile

_LOCK = "pilothouse_migrations"
_TABLES = """
CREATE TABLE IF NOT EXISTS public.pilothouse_migrations (
  version text, phase text, file text, checksum text NOT NULL, started boolean NOT NULL DEFAULT false,
  effect_key text NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (version, phase, file));
CREATE TABLE IF NOT EXISTS public.pilothouse_backfills (
  version text, phase text, file text, checksum text NOT NULL, done_to bigint NOT NULL, last bigint NOT NULL,
  rows bigint NOT NULL DEFAULT 0, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (version, phase, file));
CREATE TABLE IF NOT EXISTS public.pilothouse_migration_fences (
  effect_key text PRIMARY KEY, epoch bigint NOT NULL);
"""
_FENCE = """
INSERT INTO public.pilothouse_migration_fences AS f VALUES ($1, $2)
ON CONFLICT (effect_key) DO UPDATE SET epoch = greatest(f.epoch, excluded.epoch) RETURNING epoch
"""
_ENTER = """
INSERT INTO public.pilothouse_migrations (version, phase, file, checksum, effect_key, started)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (version, phase, file) DO UPDATE SET started = excluded.started, at = now()
"""
_REMOVE = "DELETE FROM public.pilothouse_migrations WHERE version = $1 AND phase = $2 AND file = $3"
_FORGET = "DELETE FROM public.pilothouse_backfills WHERE version = $1 AND phase = $2 AND file = $3"
_AS_BEFORE = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL"
_LIST = "SELECT file, checksum, started FROM public.pilothouse_migrations WHERE version = $1 AND phase = $2"


class MigrationLedger:
    """The ledger of one version's phase over one session, which holds the lock until it ends."""

    def __init__(
        self,
        connection: Any,  # noqa: ANN401  # asyncpg is untyped
        *,
        version: str,
        phase: str,
        effect: Effect,
        lock_timeout_s: float,
    ) -> None:
        """Store the key of the rows: ``of`` is the version and its phase."""
        self._connection = connection
        self._limit = f"SET lock_timeout = {max(1, round(lock_timeout_s * 1000))}"
        self.of = (version, phase)
        self._effect = effect

    async def applied(self, files: Sequence[MigrationFile]) -> dict[str, bool]:
        """Return the recorded files; true for one that was started and whose end is unknown.

        Raises:
            ActionFailedError: a file differs from the one that was applied, or the ledger cannot be read.
        """
        try:
            if await self._connection.fetchval("SELECT to_regclass('public.pilothouse_migrations')") is None:
                return {}
            rows = await self._connection.fetch(_LIST, *self.of)
        except TROUBLE as error:
            raise ActionFailedError(f"The ledger cannot be read: {type(error).__name__}.") from error
        entered = {row["file"]: row for row in rows}
        for file in files:
            row = entered.get(file.name)
            if row is not None and row["checksum"] != file.checksum:
                raise ActionFailedError(
                    f"{file.title} of {self.of[0]} was changed after it was applied.",
                    hint="Restore the file, and put the new statements into another file.",
                    code="migration_changed",
                )
        return {name: row["started"] for name, row in entered.items()}

    async def open(self) -> None:
        """Lock all migrations of this database, and refuse an older owner of the effect.

        Raises:
            ActionFailedError: another session applies migrations now, or the role may not write here.
            ActionInDoubtError: that session may be an earlier attempt of this effect.
            StaleEpochError: a newer owner of the effect was here.
        """
        try:
            if not await self._connection.fetchval("SELECT pg_try_advisory_lock(hashtext($1))", _LOCK):
                await self._refuse()
            await self._connection.execute(_TABLES)
            epoch = await self._connection.fetchval(_FENCE, self._effect.key, self._effect.epoch)
        except TROUBLE as error:
            raise ActionFailedError(
                f"The ledger of migrations cannot be written: {type(error).__name__}.",
                hint="The catalogue's role must be allowed to create tables there.",
                code="not_permitted",
            ) from error
        if epoch > self._effect.epoch:
            raise StaleEpochError("A newer owner of this run has applied migrations here.")

    async def _refuse(self) -> None:
        """Raise an error for the session that has the lock: this effect's own, if known, or another one."""
        text = "Another session is applying migrations to this database."
        with suppress(*TROUBLE):
            mine = "SELECT count(*) FROM public.pilothouse_migration_fences WHERE effect_key = $1"
            if await self._connection.fetchval(mine, self._effect.key):
                raise ActionInDoubtError(text)
        raise ActionFailedError(text, hint="Wait until it has finished.", code="migration_running")

    async def run(self, files: Sequence[MigrationFile]) -> None:
        """Apply files in one transaction, with their entries: all of them or none."""
        async with self._connection.transaction():
            for file in files:
                await self._execute(file.sql)
                await self.enter(file)

    async def _execute(self, sql: str) -> None:
        """Execute the statements of a file, each under our own limits, and leave no setting of it behind."""
        for statement in statements_of(sql):
            await self._connection.execute(self._limit)
            await self._connection.execute(statement)
        await self._connection.execute(_AS_BEFORE)
        await self._connection.execute(self._limit)

    async def run_alone(self, file: MigrationFile, manner: Manner, *, begun: bool) -> None:
        """Apply the one statement of a file that may not run in a transaction."""
        if begun and not manner.index:
            raise ActionInDoubtError(
                f"{file.title} was started, and whether it finished was not recorded.",
                hint="Check the database, then set `started` to false in pilothouse_migrations if it"
                " finished, or delete the row.",
            )
        if begun and await self._is_valid(manner.index):
            await self.enter(file)
            return
        await self.enter(file, started=True)
        try:
            await self._connection.execute(self._limit)
            if begun:
                await self._drop(manner.index)
            await self._connection.execute(file.sql)
        except asyncpg.PostgresError:
            if manner.index:  # the invalid rest of it would block the next attempt
                await self._drop(manner.index)
            await self._connection.execute(_REMOVE, *self.of, file.name)
            raise
        await self.enter(file)

    async def reverse(self, files: Sequence[MigrationFile]) -> None:
        """Run the reversing SQL of files, the last first, and remove their entries: all or none."""
        async with self._connection.transaction():
            for file in reversed(files):
                await self._execute(file.down or "")
                await self._connection.execute(_REMOVE, *self.of, file.name)
                await self._connection.execute(_FORGET, *self.of, file.name)

    async def enter(self, file: MigrationFile, *, started: bool = False) -> None:
        """Record that a file was applied, or ``started``."""
        await self._connection.execute(_ENTER, *self.of, file.name, file.checksum, self._effect.key, started)

    async def _is_valid(self, index: str) -> bool:
        found = await self._connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)", index
        )
        return bool(found)

    async def _drop(self, index: str) -> None:
        if not await self._is_valid(index):  # a valid index of that name was not made by this file
            await self._connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
