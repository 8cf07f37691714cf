"""Applies the migrations of a version to a service's PostgreSQL, and reverses them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import asyncpg

from bot.actions._shared.database import as_owner
from bot.actions._shared.targets import PATIENCE, change_of, effect_of, field_of, settings_of
from bot.actions.migrations.backfill import BackfillBatches
from bot.actions.migrations.ledger import MigrationLedger
from bot.actions.migrations.lock_guard import LockGuard, lock_guard
from bot.actions.migrations.reversal_check import held_by
from bot.domain.deployments.version import Version
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.formatting import listed
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.migrations.execution import Manner, manner_of
from bot.migrations.layout import LayoutError, MigrationFile, Phase, lay_out
from bot.targets.registry import is_deployed_here
from bot.targets.support.retired_versions import others_running

_GONE = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
)
"""Errors after which it is unknown whether the statement took effect."""


async def is_applied(
    ctx: Context, *, service: str, version: Version, phase: Phase, lock_timeout_s: float = 3
) -> ActionResult | None:
    """Return a result if all files of the phase are in the ledger.

    Raises:
        ActionFailedError: the files or the ledger cannot be read, or a file was changed since.
    """
    files = await _files(ctx, service, version, phase)
    async with as_owner(ctx, service) as connection:
        known = await _ledger(ctx, connection, version, phase, lock_timeout_s).applied(files)
    if any(known.get(file.name, True) for file in files):
        return None
    return _done(ctx, service, version, phase, files, verb="applied")


@action(specialist="database", in_doubt="retry", look=is_applied)
async def apply(
    ctx: Context, *, service: str, version: Version, phase: Phase, lock_timeout_s: float = 3
) -> ActionResult:
    """Apply one phase of a version's migrations, each file once: files in the ledger are skipped.

    Files that may run in a transaction are applied in one, with their entries in the ledger; a file that
    may not is applied alone, and a backfill in batches, continuing where an earlier attempt ended.  No
    statement waits for a lock longer than ``lock_timeout_s`` seconds, whatever a file sets, and no setting of
    a file holds for the next one.

    A contract is refused while another version of the service runs, even if only kept warm: it removes what
    that version needs.

    Raises:
        ActionFailedError: a file cannot be applied, was changed since, or the server refused it; this attempt
            applied nothing.
        ActionInDoubtError: the connection was lost, or the server refused a file after others had been
            applied, or a backfill is not finished.
        StaleEpochError: a newer owner of this run was here.
    """
    files = await _files(ctx, service, version, phase)
    if phase == "contract":
        await _refuse_while_others_run(ctx, service, version)
    manners = {file.name: _manner(file) for file in files}
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(as_owner(ctx, service))
        ledger = _ledger(ctx, connection, version, phase, lock_timeout_s)
        await ledger.open()
        known = await ledger.applied(files)
        todo = [file for file in files if known.get(file.name, True)]
        guarded = _guarded(ctx, service, pid=connection.get_server_pid(), lock_timeout_s=lock_timeout_s)
        guard = await stack.enter_async_context(guarded)
        for done, batch in enumerate(_batches(todo, manners)):
            with _translated(batch, guard, earlier=done > 0):
                if manners[batch[0].name].in_transaction:
                    await ledger.run(batch)
                elif (backfill := manners[batch[0].name].backfill) is not None:
                    [file] = batch
                    await BackfillBatches(connection, ledger, file, backfill).run(
                        lock_timeout_s=lock_timeout_s, within_s=ctx.timeout_s * PATIENCE
                    )
                else:
                    [file] = batch
                    await ledger.run_alone(file, manners[file.name], begun=file.name in known)
    if not todo:
        return ActionResult(
            summary=f"{phase} of {version} was already applied to {service}'s database", changed=False
        )
    return _done(ctx, service, version, phase, todo, verb="applied")


async def is_reverted(
    ctx: Context,
    *,
    service: str,
    version: Version,
    phase: Phase,
    lock_timeout_s: float = 3,
    only_empty: bool = False,
) -> ActionResult | None:
    """Return a result if no file of the phase is in the ledger.

    Raises:
        ActionFailedError: the files or the ledger cannot be read.
    """
    del only_empty
    files = await _files(ctx, service, version, phase)
    async with as_owner(ctx, service) as connection:
        known = await _ledger(ctx, connection, version, phase, lock_timeout_s).applied(files)
    return None if known else _done(ctx, service, version, phase, files, verb="reversed")


@action(specialist="database", in_doubt="retry", look=is_reverted)
async def revert(
    ctx: Context,
    *,
    service: str,
    version: Version,
    phase: Phase,
    lock_timeout_s: float = 3,
    only_empty: bool = False,
) -> ActionResult:
    """Reverse one phase with its files under ``down``, in one transaction, the last file first.

    Data that the phase has destroyed is not restored.  With ``only_empty`` everything is left in place if a
    table or column that the phase created holds data by now, which would be lost.

    Raises:
        ActionFailedError: a file has no reverse, or the server refused one; nothing was changed.
        ActionInDoubtError: the connection was lost.
        StaleEpochError: a newer owner of this run was here.
    """
    files = await _files(ctx, service, version, phase)
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(as_owner(ctx, service))
        ledger = _ledger(ctx, connection, version, phase, lock_timeout_s)
        await ledger.open()
        known = await ledger.applied(files)
        todo = [file for file in files if file.name in known]
        _refuse_what_has_no_reverse(todo)
        guarded = _guarded(ctx, service, pid=connection.get_server_pid(), lock_timeout_s=lock_timeout_s)
        guard = await stack.enter_async_context(guarded)
        with _translated(todo, guard, earlier=False):
            held = await held_by(connection, todo) if only_empty else ()
            if not held:
                await ledger.reverse(todo)
    if held:
        text = f"{phase} of {version} was left in place, because {listed(held, most=4)} holds data by now"
        return ActionResult(summary=text, changed=False, after={"held": list(held)})
    if not todo:
        summary = f"Nothing of {phase} of {version} was applied to {service}'s database"
        return ActionResult(summary=summary, changed=False)
    return _done(ctx, service, version, phase, todo, verb="reversed")


async def _refuse_while_others_run(ctx: Context, service: str, version: str) -> None:
    if not is_deployed_here(ctx.service(service)):
        return  # the bot does not deploy it, so which versions run is unknown
    if others := await others_running(ctx, service, version):
        raise ActionFailedError(
            f"{listed(others, most=4)} of {service} still runs, and needs what the contract removes.",
            hint=f"Deploy {version} everywhere and retire the warm version, then apply the contract again.",
            code="old_version_runs",
        )


@asynccontextmanager
async def _guarded(
    ctx: Context, service: str, *, pid: int, lock_timeout_s: float
) -> AsyncIterator[LockGuard]:
    """Limit the waits of a session for locks from a second one."""
    async with (
        as_owner(ctx, service) as watching,
        lock_guard(watching, pid=pid, limit_s=lock_timeout_s) as guard,
    ):
        yield guard


@contextmanager
def _translated(files: Sequence[MigrationFile], guard: LockGuard, *, earlier: bool) -> Iterator[None]:
    """Raise the driver's errors as the actions': a refusal changed nothing, any other error is in doubt."""
    titles = ", ".join(file.title for file in files)
    try:
        yield
    except _GONE as error:
        raise ActionInDoubtError(
            f"{titles}: the connection to the database was lost ({type(error).__name__})."
        ) from error
    except asyncpg.PostgresError as error:
        if earlier:
            raise ActionInDoubtError(
                f"{titles} was refused ({error}); earlier files are applied and stay.",
                hint="Fix that file and apply the phase again: applied files are skipped.",
            ) from error
        if isinstance(error, asyncpg.LockNotAvailableError) or guard.has_cancelled:
            raise ActionFailedError(
                f"{titles}: a lock was not available in time.",
                hint="Find who holds it with `/triage`, or try again when there is less traffic.",
                code="lock_timeout",
            ) from error
        raise ActionFailedError(f"{titles} was refused: {error}", code="migration_refused") from error


async def _files(ctx: Context, service: str, version: str, phase: str) -> list[MigrationFile]:
    settings = settings_of(ctx, service, where="sources", kind="migrations")
    path = Path(field_of(settings, "path", service=service, kind="migrations"))
    try:
        files = lay_out(await asyncio.to_thread(_content, path, version))
    except (OSError, LayoutError) as error:
        raise ActionFailedError(f"The migrations of {version} cannot be read: {error}.") from error
    return [file for file in files if file.phase == phase]


def _content(folder: Path, version: str) -> dict[str, bytes]:
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder.name}")
    root = folder / version
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.sql")}


def _ledger(
    ctx: Context, connection: object, version: str, phase: str, lock_timeout_s: float
) -> MigrationLedger:
    return MigrationLedger(
        connection, version=version, phase=phase, effect=effect_of(ctx), lock_timeout_s=lock_timeout_s
    )


def _manner(file: MigrationFile) -> Manner:
    manner = manner_of(file.sql)
    if manner.refused:
        raise ActionFailedError(f"{file.title}: {manner.refused}.", code="migration_unfit")
    return manner


def _refuse_what_has_no_reverse(files: Sequence[MigrationFile]) -> None:
    for file in files:
        if file.down is None:
            raise ActionFailedError(
                f"{file.title} has no reverse.", hint=f"Add the file down/{file.title}.", code="no_way_back"
            )
        if (unfit := manner_of(file.down)).refused or not unfit.in_transaction:
            raise ActionFailedError(
                f"down/{file.title} cannot run in one transaction.", code="migration_unfit"
            )


def _batches(files: Sequence[MigrationFile], manners: dict[str, Manner]) -> list[list[MigrationFile]]:
    """Return the files in batches; consecutive files that share a transaction are in one batch."""
    batches: list[list[MigrationFile]] = []
    joins = False
    for file in files:
        shares = manners[file.name].in_transaction
        if joins and shares:
            batches[-1].append(file)
        else:
            batches.append([file])
        joins = shares
    return batches


def _done(
    ctx: Context, service: str, version: str, phase: str, files: Sequence[MigrationFile], *, verb: str
) -> ActionResult:
    titles = [file.title for file in files]
    summary = f"{', '.join(titles) or phase} of {version} {'were' if len(titles) > 1 else 'was'} {verb}"
    return ActionResult(
        summary=f"{summary} in {service}'s database",
        after={"version": version, "phase": phase, "files": list(titles)},
        change=change_of(
            ctx, kind="database", service=service, summary=summary, after=version, data={"phase": phase}
        ),
    )
