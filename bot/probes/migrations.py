"""Reads the migrations of a version and says what they do, before any of them is applied."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from bot.analysis.migrations.assessing import assess_all
from bot.analysis.migrations.ground import Schema
from bot.analysis.migrations.layout import LayoutError, MigrationFile, Version, lay_out
from bot.analysis.migrations.planning import Judged, WayBack, way_back
from bot.analysis.migrations.rulings import Assessment, Rollback
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.finding import Facts
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.probes._postgres import reading
from bot.probes._postgres_schema import schema_of
from bot.probes._reaching import SHARE_OF_TIME
from bot.probes._squawk import Violation, lint, squawk_command


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
    path = ctx.source(service, "migrations").get("path")
    if not path:
        raise ProbeNotConfiguredError(f"The `migrations` source of {service} has no `path`.")
    files = await asyncio.to_thread(_read, Path(path), version)
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


def _read(folder: Path, version: str) -> list[MigrationFile]:
    if not folder.is_dir():
        raise ProbeUnavailableError(f"The folder of the migrations, {folder.name}, is not there.")
    try:
        root = folder / version
        found = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.sql")}
        return lay_out(found)
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
