"""Ends a session of a service's PostgreSQL, and backs its database up."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import asyncpg
from pydantic import AwareDatetime, Field

from bot.actions._shared.database import TROUBLE, connected
from bot.actions._shared.targets import PATIENCE, change_of
from bot.actions.postgres import backup as _postgres_backup
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.formatting import figure
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.migrations.layout import Version
from bot.targets.support.backups import Backup, Shelf

Pid = Annotated[int, Field(gt=0, lt=2**31)]
"""A process id on the database's machine."""
Table = Annotated[str, Field(pattern=r"^[^\"\\s]{1,128}$")]
"""A table as the database knows it, with its schema unless that is ``public``."""

_LOOK_AGAIN_S = 0.05

# A session is its pid and its start: the server gives the pid of an ended one to the next.
_FIND = """
SELECT backend_start, backend_type, application_name, usename, state
FROM pg_stat_activity WHERE pid = $1
"""
_END = """
SELECT pg_terminate_backend(pid) AS told
FROM pg_stat_activity WHERE pid = $1 AND backend_start = $2 AND backend_type = 'client backend'
"""


async def is_gone(
    ctx: Context, *, service: str, pid: Pid, backend_start: AwareDatetime
) -> ActionResult | None:
    """Tell whether the session is gone; asked only when an interrupted try may have ended it.

    Raises:
        ActionFailedError: the server cannot be asked.
    """
    async with connected(ctx, service, patience_s=ctx.timeout_s * PATIENCE / 2) as connection:
        if await _session(connection, pid, backend_start) is not None:
            return None
    return _done(ctx, service, pid, name="")


@action(specialist="database", in_doubt="retry", look=is_gone)
async def terminate(ctx: Context, *, service: str, pid: Pid, backend_start: AwareDatetime) -> ActionResult:
    """End one session of ``service``'s database; what it had not committed is rolled back.

    The session is known by ``pid`` and ``backend_start`` (as ``pg_stat_activity`` tells it), so that a newer
    session that was given the same pid is left alone.

    Raises:
        ActionFailedError: the server cannot be reached or refused, or it is no client's session; it goes on.
        ActionInDoubtError: the session was told to end and is still there.
    """
    async with connected(ctx, service, patience_s=ctx.timeout_s * PATIENCE / 2) as connection:
        session = await _session(connection, pid, backend_start)
        if session is None:
            return ActionResult(
                summary=f"Session {pid} of {service}'s database was gone already", changed=False
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
    """Tell whether an earlier try has made the backup.

    Raises:
        ActionFailedError: it is there and is not what was written.
    """
    place = _postgres_backup.place_of(ctx, service, version)
    found = await asyncio.to_thread(place.found)
    return None if found is None else _backed_up(ctx, found)


@action(specialist="database", in_doubt="retry", look=is_backed_up)
async def backup(
    ctx: Context, *, service: str, version: Version, tables: list[Table] | None = None
) -> ActionResult:
    """Back a service's database up with ``pg_dump`` before ``version`` migrates it.

    All of it, or only ``tables``.  It goes into the folder that the catalogue names as ``backups`` under
    ``target: {postgres: …}``; it is read back, and is there whole or not at all.  ``after`` holds ``path``,
    ``size_bytes``, ``sha256``, ``tables`` and ``took_s``.

    Raises:
        ActionFailedError: there is no room, no ``pg_dump`` that is new enough, or it could not be made whole.
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
    """Find the session; none if it is gone or its pid belongs to another one by now."""
    try:
        row = await connection.fetchrow(_FIND, pid)
    except TROUBLE as error:
        raise ActionFailedError(f"The sessions cannot be read: {type(error).__name__}.") from error
    if row is None:
        return None
    if row["backend_start"] is None and row["backend_type"] is None:
        raise ActionFailedError(
            f"Session {pid} may not be looked at with the catalogue's role.",
            hint="Grant that role `pg_monitor` and `pg_signal_backend`.",
            code="not_permitted",
        )
    return row if row["backend_start"] == backend_start else None


async def _end(connection: Any, pid: int, backend_start: AwareDatetime) -> None:  # noqa: ANN401  # asyncpg is untyped
    try:
        await connection.fetchrow(_END, pid, backend_start)
    except asyncpg.InsufficientPrivilegeError as error:
        raise ActionFailedError(
            f"Session {pid} may not be ended with the catalogue's role.",
            hint="Grant that role `pg_signal_backend`; a superuser's session only a superuser can end.",
            code="not_permitted",
        ) from error
    except TROUBLE as error:
        raise ActionInDoubtError(f"Session {pid} was told to end: {type(error).__name__}.") from error


async def _await_end(connection: Any, pid: int, backend_start: AwareDatetime, *, within_s: float) -> None:  # noqa: ANN401  # asyncpg is untyped
    until = time.monotonic() + within_s
    try:
        while await _session(connection, pid, backend_start) is not None:
            if time.monotonic() > until:
                raise ActionInDoubtError(f"Session {pid} was told to end and is still there.")
            await asyncio.sleep(_LOOK_AGAIN_S)
    except ActionFailedError as error:
        raise ActionInDoubtError(f"Session {pid} was told to end. {error}") from error


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
