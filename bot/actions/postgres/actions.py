"""Ends sessions of a service's PostgreSQL, and backs up its database."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import asyncpg
from pydantic import AwareDatetime, Field

from bot.actions._shared.database import TROUBLE, connected
from bot.actions._shared.targets import PATIENCE, change_of
from bot.actions.postgres import backup as _postgres_backup
from bot.domain.deployments.version import Version
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.formatting import figure
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.targets.support.backups import Backup, Shelf

Pid = Annotated[int, Field(gt=0, lt=2**31)]
"""A process id on the database's machine."""
Table = Annotated[str, Field(pattern=r"^[^\"\\s]{1,128}$")]
"""A table's name in the database, with its schema unless that is ``public``."""

_LOOK_AGAIN_S = 0.05

# A session is its pid and its start: the server gives the pid of an ended one to the next.
_FIND = """
SELECT backend_start, backend_type, application_name, usename, state
FROM pg_stat_activity WHERE pid = $1
"""
_END = """
SELECT pg_terminate_backend(pid) AS ended
FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND backend_type = 'client backend'
"""


async def is_gone(
    ctx: Context, *, service: str, pid: Pid, backend_start: AwareDatetime
) -> ActionResult | None:
    """Return a result if the session is gone; used only after an interrupted attempt.

    Raises:
        ActionFailedError: the server cannot be read.
    """
    async with connected(ctx, service, patience_s=ctx.timeout_s * PATIENCE / 2) as connection:
        if await _session(connection, pid, backend_start) is not None:
            return None
    return _done(ctx, service, pid, name="")


@action(specialist="database", in_doubt="retry", look=is_gone)
async def terminate(ctx: Context, *, service: str, pid: Pid, backend_start: AwareDatetime) -> ActionResult:
    """End one session of ``service``'s database; what it had not committed is rolled back.

    The session is identified by ``pid`` and ``backend_start`` (from ``pg_stat_activity``), so that a newer
    session with the same pid is left alone.

    Raises:
        ActionFailedError: the server cannot be reached or refused, or it is not a client's session; the
            session goes on.
        ActionInDoubtError: the session was asked to end and is still there.
    """
    async with connected(ctx, service, patience_s=ctx.timeout_s * PATIENCE / 2) as connection:
        session = await _session(connection, pid, backend_start)
        if session is None:
            return ActionResult(
                summary=f"Session {pid} of {service}'s database was already gone", changed=False
            )
        if session["backend_type"] != "client backend":
            raise ActionFailedError(f"Process {pid} is the server's own ({session['backend_type']}).")
        await _end(connection, pid, backend_start)
        await _await_end(connection, pid, backend_start, within_s=ctx.timeout_s * PATIENCE / 2)
    name = session["application_name"] or session["usename"] or ""
    done = _done(ctx, service, pid, name=name)
    before = {key: session[key] or "" for key in ("application_name", "usename", "state")}
    return done.model_copy(update={"before": before})


async def is_backed_up(
    ctx: Context,
    *,
    service: str,
    version: Version,
    tables: list[Table] | None = None,  # noqa: ARG001  # a look has its action's arguments
) -> ActionResult | None:
    """Return a result if an earlier attempt has made the backup.

    Raises:
        ActionFailedError: the backup is there and differs from what was written.
    """
    place = _postgres_backup.place_of(ctx, service, version)
    found = await asyncio.to_thread(place.found)
    return None if found is None else _backed_up(ctx, found)


@action(specialist="database", in_doubt="retry", look=is_backed_up)
async def backup(
    ctx: Context, *, service: str, version: Version, tables: list[Table] | None = None
) -> ActionResult:
    """Back up a service's database with ``pg_dump`` before ``version`` migrates it.

    Backs up all of it, or only ``tables``, into the folder ``backups`` under ``target: {postgres: …}`` in the
    catalogue; the backup is read back, and is there complete or not at all.  ``after`` holds ``path``,
    ``size_bytes``, ``sha256``, ``tables`` and ``took_s``.

    Raises:
        ActionFailedError: there is not enough space, ``pg_dump`` is too old, or the backup failed.
        StaleEpochError: a newer owner of this effect makes it.
    """
    done = await is_backed_up(ctx, service=service, version=version)
    if done is not None:
        return done.model_copy(update={"changed": False})
    made, took_s = await _postgres_backup.make(ctx, service, version, tables or ())
    return _backed_up(ctx, made, took_s=round(took_s, 1))


def _backed_up(ctx: Context, made: Backup, **more: float) -> ActionResult:
    settings = ctx.service(made.service).target["postgres"]
    summary = (
        f"{made.database} was backed up as {made.name}: {len(made.tables)} tables, "
        f"{figure(made.size_bytes, 'bytes')}"
    )
    return ActionResult(
        summary=summary,
        after={
            "path": str(Shelf(settings["backups"], made.service).dump(made.name)),
            "size_bytes": made.size_bytes,
            "sha256": made.sha256,
            "tables": list(made.tables),
            "at": made.at.isoformat(),
            **more,
        },
    )


async def _session(connection: Any, pid: int, backend_start: AwareDatetime) -> Any:  # noqa: ANN401  # asyncpg is untyped
    """Return the session; ``None`` if it is gone or its pid belongs to another one by now."""
    try:
        row = await connection.fetchrow(_FIND, pid)
    except TROUBLE as error:
        raise ActionFailedError(f"The sessions cannot be read: {type(error).__name__}.") from error
    if row is None:
        return None
    if row["backend_start"] is None and row["backend_type"] is None:
        raise ActionFailedError(
            f"The catalogue's role cannot see session {pid}.",
            hint="Grant that role `pg_monitor` and `pg_signal_backend`.",
            code="not_permitted",
        )
    return row if row["backend_start"] == backend_start else None


async def _end(connection: Any, pid: int, backend_start: AwareDatetime) -> None:  # noqa: ANN401  # asyncpg is untyped
    try:
        await connection.fetchrow(_END, pid, backend_start)
    except asyncpg.InsufficientPrivilegeError as error:
        raise ActionFailedError(
            f"The catalogue's role cannot end session {pid}.",
            hint="Grant that role `pg_signal_backend`; only a superuser can end a superuser's session.",
            code="not_permitted",
        ) from error
    except TROUBLE as error:
        raise ActionInDoubtError(f"Session {pid} was asked to end: {type(error).__name__}.") from error


async def _await_end(connection: Any, pid: int, backend_start: AwareDatetime, *, within_s: float) -> None:  # noqa: ANN401  # asyncpg is untyped
    until = time.monotonic() + within_s
    try:
        while await _session(connection, pid, backend_start) is not None:
            if time.monotonic() > until:
                raise ActionInDoubtError(f"Session {pid} was asked to end and is still there.")
            await asyncio.sleep(_LOOK_AGAIN_S)
    except ActionFailedError as error:
        raise ActionInDoubtError(f"Session {pid} was asked to end. {error}") from error


def _done(ctx: Context, service: str, pid: int, *, name: str) -> ActionResult:
    who = f" ({name})" if name else ""
    summary = f"Session {pid}{who} of {service}'s database was ended"
    return ActionResult(
        summary=summary,
        change=change_of(
            ctx,
            kind="database",
            service=service,
            summary=summary,
            data={"pid": pid, "application_name": name},
        ),
    )
