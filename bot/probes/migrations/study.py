"""Reads the migration files of a version and assesses them before they are applied."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.model import JsonObject, Model
from bot.engine.plugins import Context
from bot.migrations.assess import assess_all
from bot.migrations.execution import manner_of
from bot.migrations.layout import PHASES, LayoutError, MigrationFile, lay_out, proofs_in
from bot.migrations.locks import lock_lines
from bot.migrations.plan import JudgedStatement, ReversalPlan, way_back
from bot.migrations.rulings import Assessment, MigrationStage, Rollback
from bot.migrations.suggestions import instead_of
from bot.migrations.surroundings import Schema
from bot.probes._shared.connect import SHARE_OF_TIME
from bot.probes.migrations.squawk import Violation, lint, squawk_command
from bot.probes.postgres.connection import reading
from bot.probes.postgres.schema import schema_of

_ERROR = "error"
_STILL_SERVES = ", and it still serves when what is under `expand/` is applied"


@dataclass(frozen=True, kw_only=True)
class MigrationStudy:
    """The files of a version in the order in which they are applied, and the assessment of each."""

    version: str
    files: Sequence[MigrationFile]
    assessments: Sequence[Assessment]
    violations: Sequence[Sequence[Violation]]
    gaps: Sequence[str]

    @property
    def back(self) -> ReversalPlan:
        """Whether the previous version can be restored."""
        return way_back(
            [
                JudgedStatement(phase=file.phase, title=file.title, assessment=one)
                for file, one in zip(self.files, self.assessments, strict=True)
            ]
        )

    @property
    def data(self) -> JsonObject:
        """The whole study as JSON, for runbooks."""
        findings: list[JsonObject] = [
            {"file": file.title, **one.model_dump()}
            for file, found in zip(self.files, self.violations, strict=True)
            for one in found
        ]
        counts: JsonObject = {phase: sum(file.phase == phase for file in self.files) for phase in PHASES}
        return {
            "version": self.version,
            "files": [_file(file, one) for file, one in zip(self.files, self.assessments, strict=True)],
            "counts": counts,
            "without_reverse": [file.title for file in self.files if _needs_reverse(file)],
            "lint": list(findings),
            "errors": sum(one["level"] == _ERROR for one in findings),
            "rollback": self.back.model_dump(mode="json"),
            "worst": {phase: self._worst(phase) for phase in PHASES},
            "locks": list(lock_lines(self.assessments)),
            "gaps": list(self.gaps),
        }

    def _worst(self, phase: str) -> str:
        """Return the worst verdict on a statement of a phase: safe, until or impossible."""
        verdicts = [
            one.rollback
            for file, one in zip(self.files, self.assessments, strict=True)
            if file.phase == phase
        ]
        return max(verdicts, key=lambda verdict: verdict.badness, default=Rollback.SAFE).value


class Objection(Model):
    """Why a version may not be applied: the statement, the reason, and what to write instead."""

    code: str
    file: str
    statement: str
    because: str
    instead: str


def objections(study: MigrationStudy, *, accept: bool) -> list[Objection]:
    """Return all objections to applying it; ``accept``: a person accepts an irreversible version; pure."""
    found: list[Objection] = []
    for file, assessed, violations in zip(study.files, study.assessments, study.violations, strict=True):
        if unfit := manner_of(file.sql).refused:
            found.append(
                _objection("migration_unfit", file, "", unfit, "Split it into files that can be applied.")
            )
        found += [
            _objection("migration_lint", file, f"line {one.line}", f"{one.rule}: {one.message}", one.help)
            for one in violations
            if one.level == _ERROR
        ]
        if file.phase == "expand":
            found += [
                _objection(
                    "migration_breaks_old",
                    file,
                    one.sql,
                    f"{one.because}{_STILL_SERVES}",
                    instead_of(one.sql),
                )
                for one in assessed.statements
                if one.rollback is Rollback.UNTIL and one.stage is MigrationStage.CONTRACT
            ]
        if file.phase == "contract" or accept:
            continue  # people approve a contract separately
        found += [
            _objection("migration_irreversible", file, one.sql, one.because, instead_of(one.sql))
            for one in assessed.statements
            if one.rollback is Rollback.IMPOSSIBLE
        ]
    return found


def _objection(code: str, file: MigrationFile, statement: str, because: str, instead: str) -> Objection:
    return Objection(code=code, file=file.title, statement=statement, because=because, instead=instead)


async def study_of(ctx: Context, service: str, version: str) -> MigrationStudy:
    """Return the files of a version with their assessment.

    Raises:
        ProbeUnavailableError: and its kinds, as ``migrations.plan`` does.
    """
    files, _ = await asyncio.to_thread(read_version, folder_of(ctx, service), version)
    schema, gaps = await _schema(ctx, service)
    assessments = assess_all([file.sql for file in files], schema=schema)
    violations = await _lint(ctx, files, assessments)
    return MigrationStudy(
        version=version, files=files, assessments=assessments, violations=violations, gaps=gaps
    )


def folder_of(ctx: Context, service: str) -> Path:
    """Return the folder of a service's migrations, from the catalogue.

    Raises:
        ProbeNotConfiguredError: the catalogue names none.
    """
    path = ctx.source(service, "migrations").get("path")
    if not path:
        raise ProbeNotConfiguredError(f"The `migrations` source of {service} has no `path`.")
    return Path(path)


def read_version(folder: Path, version: str) -> tuple[list[MigrationFile], dict[str, str]]:
    """Return the files of a version, and the queries that verify it, by name.

    Raises:
        ProbeUnavailableError: the files cannot be read.
        ProbeGarbageError: a file is not UTF-8, or is in a folder from which it would never be applied.
    """
    if not folder.is_dir():
        raise ProbeUnavailableError(f"The migrations folder {folder.name} does not exist.")
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


def _needs_reverse(file: MigrationFile) -> bool:
    return file.phase == "expand" and file.down is None


async def _schema(ctx: Context, service: str) -> tuple[Schema, tuple[str, ...]]:
    dsn = ctx.service(service).sources.get("postgres", {}).get("dsn")
    if not dsn:
        return Schema(), (f"{service} has no `postgres` source with a `dsn`: assessed without its schema",)
    try:
        async with reading(dsn, limit_s=ctx.timeout_s * SHARE_OF_TIME / 2) as connection:
            return await schema_of(connection), ()
    except ProbeUnavailableError as error:
        return Schema(), (f"Assessed without the schema: {error}",)


async def _lint(
    ctx: Context, files: Sequence[MigrationFile], assessments: Sequence[Assessment]
) -> list[tuple[Violation, ...]]:
    if not files:
        return []
    command = squawk_command()
    limit_s = ctx.timeout_s * SHARE_OF_TIME / 2 / len(files)
    return [
        await lint(file.sql, command=command, limit_s=limit_s, in_transaction=one.transactional)
        for file, one in zip(files, assessments, strict=True)
    ]


def _file(file: MigrationFile, assessed: Assessment) -> JsonObject:
    return {
        "phase": file.phase,
        "name": file.name,
        "checksum": file.checksum,
        "has_down": file.down is not None,
        "transactional": assessed.transactional,
        "steps": [step.model_dump(mode="json") for step in assessed.statements],
    }
