"""Reads the migrations of a version: what they will do, and afterwards whether they did it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from bot.domain.deployments.version import Version
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import (
    ActionFailedError,
    GateClosedError,
    ProbeUnavailableError,
)
from bot.domain.formatting import duration, listed
from bot.domain.model import JsonObject
from bot.engine.plugins import Context, probe
from bot.migrations.compatibility import in_the_way
from bot.migrations.database import TableFacts
from bot.migrations.layout import MigrationFile, Phase
from bot.migrations.plan import ReversalPlan
from bot.migrations.postconditions import promised_by
from bot.migrations.rulings import Rollback
from bot.migrations.verify import losses, shortfalls, to_count
from bot.probes._shared.connect import SHARE_OF_TIME
from bot.probes.migrations.proof import contracts, counted, found_in, not_applied, unproved
from bot.probes.migrations.study import Objection, folder_of, objections, read_version, study_of
from bot.probes.postgres.connection import owner_dsn, reading
from bot.targets.support.retired_versions import last_promoted_at, others_running, promoted_at

_MOST_SHOWN = 200
Phases = Annotated[tuple[Phase, ...], Field(min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100)]


@probe(specialist="database")
async def plan(ctx: Context, *, service: str, version: Version) -> Facts:
    """What the migrations of ``version`` do, statement by statement, and whether it can be rolled back.

    ``data`` holds ``files`` (each with ``phase``, ``name``, ``checksum``, ``transactional``, ``has_down`` and
    its ``steps``), ``counts`` (files by phase), ``without_reverse``, ``lint`` (squawk's findings), ``errors``
    (how many of those are errors), ``rollback`` (``verdict`` safe, until or impossible, ``step``,
    ``because``), ``worst`` (the worst verdict by phase), ``locks`` (a line for each statement that keeps
    reads or writes of the service waiting) and ``gaps``.  A version without a folder has no migrations: it is
    safe.

    Raises:
        ProbeNotConfiguredError: the service has no ``migrations`` source with a ``path``.
        ProbeUnavailableError: the files cannot be read, or squawk cannot run; the migrations may be safe.
            A database that cannot be read is only a gap: fewer migrations are then judged safe.
        ProbeGarbageError: a file is not UTF-8, or is in a folder from which it would never be applied.
    """
    study = await study_of(ctx, service, version)
    return Facts(summary=_summary(version, study.files, study.back), data=study.data)


@probe(specialist="database")
async def admit(ctx: Context, *, service: str, version: Version, accept: bool = False) -> Facts:
    """Whether ``version``'s migrations can be applied, and rolled back until their contract; else an error.

    ``accept``: a person accepts that no rollback is possible.  Files under ``contract`` may destroy data,
    because people approve them separately.  ``data`` holds ``without_reverse``, the files without a reverse
    under ``down/``.

    Raises:
        GateClosedError: squawk finds an error (``migration_lint``), a file cannot be applied
            (``migration_unfit``), a statement under ``expand/`` may break the version that still serves
            (``migration_breaks_old``), or one cannot be rolled back (``migration_irreversible``).
        ProbeUnavailableError: and its kinds, as ``plan`` does.
    """
    study = await study_of(ctx, service, version)
    against = objections(study, accept=accept)
    if against:
        first, more = against[0], len(against) - 1
        raise GateClosedError(
            f"{_quoted(first)}: {first.because}{f' (and {more} more)' if more else ''}.",
            hint=first.instead or "See `migrations.plan` for all of squawk's findings.",
            code=first.code,
        )
    without = study.data["without_reverse"]
    return Facts(
        summary=f"{_summary(version, study.files, study.back)}; nothing prevents applying it",
        data={"without_reverse": without},
    )


@probe(specialist="database")
async def old_gone(
    ctx: Context, *, service: str, version: Version, settle_s: Annotated[float, Field(ge=0)] = 0
) -> Facts:
    """Whether only ``version`` of ``service`` runs, and has been the only one for ``settle_s`` seconds.

    A contract removes what only older versions need.  A version kept warm without traffic counts as running.
    ``data`` holds ``gone``, ``running`` (other versions) and ``since`` (when ``version`` took over, or null).

    Raises:
        ProbeUnavailableError: the target cannot be read, or reports no versions; older ones may still run.
    """
    try:
        running = await others_running(ctx, service, version)
    except ActionFailedError as error:
        raise ProbeUnavailableError(str(error), hint=error.hint, code=error.code) from error
    since = await promoted_at(ctx, service, version)
    data: JsonObject = {"running": list(running), "since": since.isoformat() if since else None}
    if running:
        return Facts(
            summary=f"{listed(running, most=4)} of {service} is still running", data={**data, "gone": False}
        )
    left_s = settle_s - (ctx.clock.now() - since).total_seconds() if since else 0
    if left_s > 0:
        ago = duration(settle_s - left_s)
        text = f"Only {version} of {service} runs; the previous version served until {ago} ago"
        return Facts(summary=text, data={**data, "gone": False})
    return Facts(summary=f"Only {version} of {service} runs", data={**data, "gone": True})


@probe(specialist="database")
async def way_back(ctx: Context, *, service: str, version: Version, to: str = "") -> Facts:
    """Whether the database still has what ``to``, or the version before ``version``, needs.

    ``data.rollback`` has a ``verdict`` of ``impossible`` once the contract of ``version``, or of one between
    it and ``to``, was applied; only a backup can then restore it.

    Raises:
        ProbeNotConfiguredError: the service has no ``migrations`` or no ``postgres`` source.
        ProbeUnavailableError: the database or the change ledger cannot be read; that does not mean that a
            rollback is possible.
    """
    folder_of(ctx, service)
    async with reading(owner_dsn(ctx, service), limit_s=ctx.timeout_s * SHARE_OF_TIME) as connection:
        applied = await contracts(connection)
    served_at = await last_promoted_at(ctx, service, to) if to else None
    found = in_the_way(applied, current=version, to=to, served_at=served_at)
    since = f" or a later one than {to}" if to else ""
    because = f"no contract of {version}{since} was applied"
    if found:
        titles = listed([one.title for one in found], most=4)
        because = f"{titles} removed what {to or 'the previous version'} needs"
    verdict = "impossible" if found else "safe"
    return Facts(
        summary=f"Rollback from {version}: {because}",
        data={"rollback": {"verdict": verdict, "step": "", "because": because}},
    )


@probe(specialist="database")
async def verify(
    ctx: Context,
    *,
    service: str,
    version: Version,
    phases: Phases = ("expand", "migrate"),
    before: dict[str, TableFacts] | None = None,
    may_lose_percent: Percent = 0,
    proofs: bool = True,
) -> Facts:
    """Whether the database is as the migrations of ``version`` should leave it after ``phases``.

    Each file is in the ledger, unchanged; what was created exists and is valid, what was dropped is gone;
    each query under ``verify/`` returns no rows (only run with ``proofs``); and no table that was changed has
    fewer rows than ``before`` (``tables`` of ``postgres.state``), less ``may_lose_percent`` that the service
    itself may delete meanwhile.  ``data`` holds ``problems`` and ``checked`` (the number of checks).

    Raises:
        ProbeNotConfiguredError: the service has no ``migrations`` or no ``postgres`` source.
        ProbeUnavailableError: files or database cannot be read; the migration may still be complete.
        ProbeGarbageError: a file is not UTF-8, or is in a folder from which it would never be applied.
    """
    files, questions = await asyncio.to_thread(read_version, folder_of(ctx, service), version)
    mine = [file for file in files if file.phase in phases]
    promise = promised_by([file.sql for file in mine])
    known = before or {}
    async with reading(owner_dsn(ctx, service), limit_s=ctx.timeout_s * SHARE_OF_TIME) as connection:
        problems = [*await not_applied(connection, version, mine)]
        problems += shortfalls(promise, await found_in(connection))
        now = await counted(connection, to_count(promise, known))
        problems += losses(promise, before=known, now=now, may_lose_percent=may_lose_percent)
        problems += await unproved(connection, questions if proofs else {})
    checked = (
        len(mine) + len(promise.there) + len(promise.gone) + len(now) + (len(questions) if proofs else 0)
    )
    data: JsonObject = {"version": version, "problems": list(problems), "checked": checked}
    if problems:
        return Facts(summary=f"{version} failed verification: {listed(problems, most=4)}", data=data)
    return Facts(summary=f"{version} is verified: {checked} checks passed", data=data)


def _summary(version: str, files: Sequence[MigrationFile], back: ReversalPlan) -> str:
    if not files:
        return f"{version} has no migrations"
    count = f"{len(files)} migration{'s' if len(files) > 1 else ''} of {version}"
    match back.verdict:
        case Rollback.SAFE:
            return f"{count}; rollback: safe"
        case Rollback.UNTIL:
            return f"{count}; rollback: safe until {back.step}, because {back.because}"
        case Rollback.IMPOSSIBLE:
            return f"{count}; rollback: impossible from {back.step} onwards, because {back.because}"


def _quoted(one: Objection) -> str:
    statement = " ".join(one.statement.split())
    if len(statement) > _MOST_SHOWN:
        statement = f"{statement[:_MOST_SHOWN]}…"
    return f"{one.file}, `{statement}`" if statement else one.file
