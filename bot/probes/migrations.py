"""Reads the migrations of a version: what they do, before, and whether they have done it, after."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bot.analysis.migrations.assessing import assess_all
from bot.analysis.migrations.database import Table
from bot.analysis.migrations.expecting import promised_by
from bot.analysis.migrations.ground import Schema
from bot.analysis.migrations.layout import LayoutError, MigrationFile, Phase, Version, lay_out, proofs_in
from bot.analysis.migrations.planning import Judged, WayBack, way_back
from bot.analysis.migrations.proving import losses, shortfalls, to_count
from bot.analysis.migrations.rulings import Assessment, Rollback
from bot.analysis.words import listing
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.finding import Facts
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.probes._migration_proof import counted, found_in, not_applied, unproved
from bot.probes._postgres import reading
from bot.probes._postgres_schema import schema_of
from bot.probes._reaching import SHARE_OF_TIME
from bot.probes._squawk import Violation, lint, squawk_command

Phases = Annotated[tuple[Phase, ...], Field(min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100)]


@probe(specialist="database")
async def plan(ctx: Context, *, service: str, version: Version) -> Facts:
    """What the migrations of ``version`` do, statement by statement, and whether it can be taken back.

    ``data`` holds ``files`` (each with ``phase``, ``name``, ``checksum``, ``transactional``, ``has_down`` and
    its ``steps``), ``lint`` (what squawk says), ``errors`` (how many of those are errors), ``rollback``
    (``verdict`` safe, until or impossible, ``step``, ``because``) and ``gaps``.  A version without a folder
    has no migrations: it is safe.

    Raises:
        ProbeNotConfiguredError: the service has no ``migrations`` source with a ``path``.
        ProbeUnavailableError: the files or squawk cannot be read; that says nothing of the migrations.
            A database that cannot be read is only a gap: less is called safe then.
        ProbeGarbageError: a file is no UTF-8, or lies where it would never be applied.
    """
    files, _ = await asyncio.to_thread(_read, _folder(ctx, service), version)
    schema, gaps = await _schema(ctx, service)
    told = assess_all([file.sql for file in files], schema=schema)
    violations = await _lint(ctx, files, told)
    back = way_back(
        [
            Judged(phase=file.phase, title=file.title, assessment=one)
            for file, one in zip(files, told, strict=True)
        ]
    )
    said: list[JsonObject] = [
        {"file": file.title, **one.model_dump()}
        for file, found in zip(files, violations, strict=True)
        for one in found
    ]
    data: JsonObject = {
        "version": version,
        "files": [_file(file, one) for file, one in zip(files, told, strict=True)],
        "lint": list(said),
        "errors": sum(one["level"] == "error" for one in said),
        "rollback": back.model_dump(mode="json"),
        "gaps": list(gaps),
    }
    return Facts(summary=_summary(version, files, back), data=data)


@probe(specialist="database")
async def verify(
    ctx: Context,
    *,
    service: str,
    version: Version,
    phases: Phases = ("expand", "migrate"),
    before: dict[str, Table] | None = None,
    may_lose_percent: Percent = 0,
) -> Facts:
    """Whether the database is as the migrations of ``version`` promised once ``phases`` were applied.

    Each file is in the ledger, as it is now; what was made is there and valid, what was dropped is gone;
    each question under ``verify/`` has no rows as its answer; and no table that was touched has fewer rows
    than ``before`` (``tables`` of ``postgres.state``), less ``may_lose_percent`` that the service itself may
    delete meanwhile.  ``data`` holds ``problems`` and ``checked`` (how much was looked at).

    Raises:
        ProbeNotConfiguredError: the service has no ``migrations`` or no ``postgres`` source.
        ProbeUnavailableError: files or database cannot be read; that says nothing of the migration.
        ProbeGarbageError: a file is no UTF-8, or lies where it would never be applied.
    """
    files, proofs = await asyncio.to_thread(_read, _folder(ctx, service), version)
    mine = [file for file in files if file.phase in phases]
    promise = promised_by([file.sql for file in mine])
    dsn = ctx.source(service, "postgres").get("dsn")
    if not dsn:
        raise ProbeNotConfiguredError(f"The `postgres` source of {service} has no `dsn`.")
    known = before or {}
    async with reading(dsn, limit_s=ctx.timeout_s * SHARE_OF_TIME) as connection:
        problems = [*await not_applied(connection, version, mine)]
        problems += shortfalls(promise, await found_in(connection))
        now = await counted(connection, to_count(promise, known))
        problems += losses(promise, before=known, now=now, may_lose_percent=may_lose_percent)
        problems += await unproved(connection, proofs)
    checked = len(mine) + len(promise.there) + len(promise.gone) + len(now) + len(proofs)
    data: JsonObject = {"version": version, "problems": list(problems), "checked": checked}
    if problems:
        return Facts(summary=f"{version} is not as it should be: {listing(problems)}", data=data)
    return Facts(summary=f"{version} is as it should be: {checked} things were looked at", data=data)


def _folder(ctx: Context, service: str) -> Path:
    path = ctx.source(service, "migrations").get("path")
    if not path:
        raise ProbeNotConfiguredError(f"The `migrations` source of {service} has no `path`.")
    return Path(path)


def _read(folder: Path, version: str) -> tuple[list[MigrationFile], dict[str, str]]:
    """Read the files of a version, and the questions that prove it."""
    if not folder.is_dir():
        raise ProbeUnavailableError(f"The folder of the migrations, {folder.name}, is not there.")
    try:
        root = folder / version
        found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.sql")}
        return lay_out(found), proofs_in(found)
    except OSError as error:
        raise ProbeUnavailableError(
            f"The migrations of {version} cannot be read: {type(error).__name__}."
        ) from error
    except LayoutError as error:
        raise ProbeGarbageError(f"{version}: {error}.") from error


async def _schema(ctx: Context, service: str) -> tuple[Schema, tuple[str, ...]]:
    dsn = ctx.service(service).sources.get("postgres", {}).get("dsn")
    if not dsn:
        return Schema(), (f"{service} has no `postgres` source with a `dsn`: judged without its schema",)
    try:
        async with reading(dsn, limit_s=ctx.timeout_s * SHARE_OF_TIME / 2) as connection:
            return await schema_of(connection), ()
    except ProbeUnavailableError as error:
        return Schema(), (f"Judged without the schema: {error}",)


async def _lint(
    ctx: Context, files: Sequence[MigrationFile], told: Sequence[Assessment]
) -> list[tuple[Violation, ...]]:
    if not files:
        return []
    command = squawk_command()
    limit_s = ctx.timeout_s * SHARE_OF_TIME / 2 / len(files)
    return [
        await lint(file.sql, command=command, limit_s=limit_s, in_transaction=one.transactional)
        for file, one in zip(files, told, strict=True)
    ]


def _file(file: MigrationFile, told: Assessment) -> JsonObject:
    return {
        "phase": file.phase,
        "name": file.name,
        "checksum": file.checksum,
        "has_down": file.down is not None,
        "transactional": told.transactional,
        "steps": [step.model_dump(mode="json") for step in told.statements],
    }


def _summary(version: str, files: Sequence[MigrationFile], back: WayBack) -> str:
    if not files:
        return f"{version} has no migrations"
    count = f"{len(files)} migration{'s' if len(files) > 1 else ''} of {version}"
    match back.verdict:
        case Rollback.SAFE:
            return f"{count}; rollback: safe"
        case Rollback.UNTIL:
            return f"{count}; rollback: safe until {back.step}, because {back.because}"
        case Rollback.IMPOSSIBLE:
            return f"{count}; rollback: impossible from {back.step} on, because {back.because}"
