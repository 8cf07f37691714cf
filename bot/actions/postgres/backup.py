"""Makes one backup of a service's database: checks space, dumps, reads back, sums and names it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from bot.actions._shared.database import TROUBLE, as_owner, owner_source
from bot.actions._shared.targets import PATIENCE, effect_of, field_of, settings_of
from bot.actions.postgres.backup_folder import BackupFolder
from bot.actions.postgres.dump import Dumper
from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.targets.support.backups import Backup, Shelf, sum_up

_FOR_LOCKS = 0.1
"""The share of a step's time to wait for locks."""
_MB = 1_000_000
# Indexes are not dumped but built again; the rest is compressed, so this is the most that a dump takes.
_SIZE = """
SELECT current_database()::text AS database, current_setting('server_version') AS server,
       coalesce(sum(pg_table_size(c.oid)), 0)::bigint AS bytes,
       array_agg(n.nspname || '.' || c.relname ORDER BY 1) AS tables
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence = 'p'
  AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
  AND ($1::text[] = '{}' OR n.nspname || '.' || c.relname = ANY($1))
"""


def place_of(ctx: Context, service: str, version: str) -> BackupFolder:
    """Return the folder of this effect's backup, made or not.

    Raises:
        ActionFailedError: the catalogue names no folder.
    """
    settings = settings_of(ctx, service, where="target", kind="postgres")
    root = field_of(settings, "backups", service=service, kind="postgres")
    return BackupFolder(Shelf(root, service), version=version, effect=effect_of(ctx))


async def make(ctx: Context, service: str, version: str, tables: Sequence[str]) -> tuple[Backup, float]:
    """Make the backup; return it and the seconds that it took.

    Raises:
        ActionFailedError: there is not enough space, or the backup failed; nothing is left of it.
        StaleEpochError: a newer owner of this effect makes it.
    """
    began = time.monotonic()
    place = place_of(ctx, service, version)
    wanted = sorted({table if "." in table else f"public.{table}" for table in tables})
    about = await _about(ctx, service, wanted)
    settings = settings_of(ctx, service, where="target", kind="postgres")
    dsn = settings_of(ctx, service, where="sources", kind=owner_source(ctx, service))["dsn"]
    dumper = Dumper(dsn, programs=settings.get("programs", ""), within_s=ctx.timeout_s * PATIENCE)
    try:
        async with asyncio.timeout(ctx.timeout_s * PATIENCE):
            await asyncio.to_thread(_prepare, place, about["bytes"] + _kept_free(settings))
            await dumper.dump(place.file, tables=wanted)
            held = await dumper.tables_in(place.file)
            _refuse_missing(about["tables"], held)
            size_bytes, sha256 = await asyncio.to_thread(sum_up, place.file)
            backup = Backup(
                name=place.name,
                service=service,
                version=version,
                database=about["database"],
                server=about["server"].split()[0],
                at=ctx.clock.now(),
                size_bytes=size_bytes,
                sha256=sha256,
                tables=held,
            )
            kept = await asyncio.to_thread(place.keep, backup)
    except TimeoutError as error:
        raise ActionFailedError(
            "The backup did not finish in time.",
            hint="Give the step more time, or name only the `tables` that the migration touches.",
            code="not_in_time",
        ) from error
    except OSError as error:
        raise ActionFailedError(
            f"The backup could not be written: {error.strerror}.",
            hint="The worker must be able to write to the folder that the catalogue names.",
            code="target_unavailable",
        ) from error
    finally:
        await asyncio.to_thread(place.drop)
    return kept, time.monotonic() - began


async def _about(ctx: Context, service: str, tables: Sequence[str]) -> Any:  # noqa: ANN401  # asyncpg is untyped
    async with as_owner(ctx, service) as connection:
        try:
            await connection.execute(f"SET lock_timeout = {round(ctx.timeout_s * _FOR_LOCKS * 1000)}")
            row = await connection.fetchrow(_SIZE, tables)
        except asyncpg.LockNotAvailableError as error:
            raise ActionFailedError(
                "Another session has locked a table that is to be backed up.",
                hint="Find who holds it with `/triage`, or try again later.",
                code="lock_timeout",
            ) from error
        except TROUBLE as error:
            raise ActionFailedError(f"The tables cannot be listed: {type(error).__name__}.") from error
    if missing := sorted(set(tables) - set(row["tables"] or ())):
        raise ActionFailedError(
            f"There is no table {', '.join(missing)} to back up.",
            hint="Use the names in the database, with their schema unless that is `public`.",
            code="unknown_table",
        )
    return {**row, "tables": row["tables"] or ()}


def _kept_free(settings: Mapping[str, str]) -> int:
    given = settings.get("keep_free_mb", "0")
    if not given.isdecimal():
        raise ActionFailedError(
            f"`keep_free_mb` is {given!r}, which is not a number of megabytes.", code="target_not_configured"
        )
    return int(given) * _MB


def _prepare(place: BackupFolder, needed_bytes: int) -> None:
    place.claim()
    place.refuse_without_room(needed_bytes)


def _refuse_missing(expected: Sequence[str], held: Sequence[str]) -> None:
    if missing := sorted(set(expected) - set(held)):
        raise ActionFailedError(
            f"The dump does not contain {', '.join(missing)}.",
            hint="The catalogue's role must be allowed to read them.",
            code="backup_failed",
        )
