"""Backfills rows in small batches, so that no lock is held for long, and resumes where it was interrupted."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg

from bot.actions.migrations.ledger import MigrationLedger
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.migrations.execution import Backfill
from bot.migrations.layout import MigrationFile

AIM_S = 0.25
"""The target duration of a batch in seconds; the next batch gets more or fewer rows accordingly."""
MOST_S = 2.0
"""A batch that takes longer, in seconds, is cancelled and tried again with fewer rows."""
FIRST_ROWS, MOST_ROWS = 500, 20_000
_REST = 0.5
"""The pause after a batch, as a share of its time: replicas catch up and other sessions get their turn."""
_TRIES = 8
"""How often in a row a batch may be cancelled, each time halving its rows."""

_KNOWN = """
SELECT checksum, done_to, last, rows FROM public.pilothouse_backfills
WHERE version = $1 AND phase = $2 AND file = $3
"""
_BEGIN = """
INSERT INTO public.pilothouse_backfills (version, phase, file, checksum, done_to, last)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_GO_ON = """
UPDATE public.pilothouse_backfills SET done_to = $4, rows = rows + $5, at = now()
WHERE version = $1 AND phase = $2 AND file = $3
"""
_BUSY = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, asyncpg.DeadlockDetectedError)
_REFUSED = (
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.DataError,
    asyncpg.SyntaxOrAccessError,
    asyncpg.RaiseError,
)


class BackfillBatches:
    """The batches of one file, over the session that holds the lock of all migrations."""

    def __init__(self, connection: Any, ledger: MigrationLedger, file: MigrationFile, of: Backfill) -> None:  # noqa: ANN401  # asyncpg is untyped
        """Store the session, the ledger and the backfill."""
        self._connection, self._ledger, self._file, self._of = connection, ledger, file, of
        self._row = (*ledger.of, file.name)

    async def run(self, *, lock_timeout_s: float, within_s: float) -> None:
        """Fill all rows that existed at the start, and record the file in the ledger.

        Raises:
            ActionFailedError: the file was changed after the backfill began, or its key is not an integer.
            ActionInDoubtError: time ran out, or a batch failed; completed batches stay.
        """
        until = time.monotonic() + within_s
        first, last = await self._stretch()
        done_to, rows, tries = first, FIRST_ROWS, 0
        await self._connection.execute(f"SET statement_timeout = {round(MOST_S * 1000)}")
        await self._connection.execute(f"SET lock_timeout = {round(min(lock_timeout_s, MOST_S) * 1000)}")
        while done_to < last:
            began = time.monotonic()
            if began > until:
                raise self._stopped(done_to, last, "time ran out", code="not_in_time")
            try:
                done_to = await self._batch(done_to, last, rows)
            except _BUSY as error:
                tries += 1
                if tries == _TRIES:
                    raise self._stopped(done_to, last, str(error), code="lock_timeout") from error
                rows = max(1, rows // 2)
            except _REFUSED as error:
                raise self._stopped(done_to, last, str(error), code="migration_refused") from error
            else:
                tries = 0
                rows = next_rows(rows, took_s=time.monotonic() - began)
            await asyncio.sleep((time.monotonic() - began) * _REST)
        await self._ledger.enter(self._file)
        await self._connection.execute("RESET statement_timeout; RESET lock_timeout")

    def _stopped(self, done_to: int, last: int, why: str, *, code: str) -> ActionInDoubtError:
        return ActionInDoubtError(
            f"{self._file.title} is filled up to {self._of.key} {done_to} of {last} and stopped: {why}.",
            hint="Apply the phase again once that is fixed: it continues from there.",
            code=code,
        )

    async def _stretch(self) -> tuple[int, int]:
        """Return the range of keys still to fill: what an earlier attempt left, or all rows."""
        known = await self._connection.fetchrow(_KNOWN, *self._row)
        if known is not None and known["checksum"] != self._file.checksum:
            raise ActionFailedError(
                f"{self._file.title} was changed after its backfill began.",
                hint="Restore the file, and put the new statements into another file.",
                code="migration_changed",
            )
        if known is not None:
            return known["done_to"], known["last"]
        sql = f"SELECT min({self._key}) AS first, max({self._key}) AS last FROM {self._table}"  # noqa: S608  # words
        ends = await self._connection.fetchrow(sql)
        if ends["first"] is None:
            return 0, 0  # the table is empty
        if not isinstance(ends["first"], int):
            raise ActionFailedError(
                f"{self._file.title}: {self._of.table}.{self._of.key} is not an integer.",
                code="migration_unfit",
            )
        done_to = ends["first"] - 1
        await self._connection.execute(_BEGIN, *self._row, self._file.checksum, done_to, ends["last"])
        return done_to, ends["last"]

    async def _batch(self, done_to: int, last: int, rows: int) -> int:
        """Fill the next ``rows`` rows and record the progress in one transaction; return the new position."""
        async with self._connection.transaction():
            upto = await self._connection.fetchval(
                f"SELECT max({self._key}) FROM (SELECT {self._key} FROM {self._table} "  # noqa: S608
                f"WHERE {self._key} > $1 AND {self._key} <= $2 ORDER BY {self._key} LIMIT $3) AS next",
                done_to,
                last,
                rows,
            )
            upto = last if upto is None else upto
            status = await self._connection.execute(self._file.sql, done_to, upto)
            await self._connection.execute(_GO_ON, *self._row, upto, int(status.rpartition(" ")[2]))
        return int(upto)

    @property
    def _key(self) -> str:
        return f'"{self._of.key}"'

    @property
    def _table(self) -> str:
        return f'"{self._of.schema_name}"."{self._of.table}"'


def next_rows(rows: int, *, took_s: float) -> int:
    """Return the next batch's rows so that it takes ``AIM_S`` seconds, at most twice as many; pure."""
    fitting = rows * AIM_S / max(took_s, 0.001)
    return max(1, min(MOST_ROWS, 2 * rows, round(fitting)))
