"""What a database is like before it is migrated: what is in the way, and whether there is a way back."""

from __future__ import annotations

from bot.domain.formatting import duration, figure, listed
from bot.domain.model import Instant, Model
from bot.migrations.plan import ReversalPlan
from bot.migrations.rulings import Rollback

LONG_S = 30.0
"""A transaction open for this many seconds blocks a migration's locks."""
LAG_S = 10.0
"""A replica this many seconds behind will fall further behind after a migration."""


class TableFacts(Model):
    """One table; ``rows`` is none if they were never counted or estimated.

    ``bytes`` are those of its rows as of the last vacuum or analyze.
    """

    rows: int | None
    exact: bool
    bytes: int


class AppliedMigration(Model):
    """One entry of the ledger; ``started`` where it was begun and its end is not known."""

    version: str
    phase: str
    file: str
    checksum: str
    started: bool
    at: Instant


class Filling(Model):
    """A backfill that is not at its end: filled up to ``done_to`` of ``last``, ``rows`` so far."""

    version: str
    phase: str
    file: str
    done_to: int
    last: int
    rows: int


class OpenTransaction(Model):
    """A session whose transaction is open for long."""

    pid: int
    application_name: str
    state: str
    age_s: float


class Replica(Model):
    """A server that follows this one; ``lag_s`` is none until it has reported one."""

    name: str
    lag_s: float | None


class Database(Model):
    """All that was read at one moment."""

    server: str
    """The version of the server."""
    database: str
    size_bytes: int
    replica: bool
    """Whether the server itself is one, which takes no changes."""
    applied: tuple[AppliedMigration, ...]
    tables: dict[str, TableFacts]
    """By name; without ``public.``."""
    invalid_indexes: tuple[str, ...]
    long_transactions: tuple[OpenTransaction, ...]
    replicas: tuple[Replica, ...]
    fillings: tuple[Filling, ...] = ()
    gaps: tuple[str, ...] = ()


def way_back_of(database: Database) -> ReversalPlan:
    """Return whether the database allows a rollback of a migration, as far as the database decides that."""
    begun = [f"{one.phase}/{one.file} of {one.version}" for one in database.applied if one.started]
    if database.replica:
        because = "this server is a replica: nothing can be changed or rolled back on it"
        return ReversalPlan(verdict=Rollback.IMPOSSIBLE, because=because)
    if begun:
        because = f"{listed(begun, most=4)} was started, and whether it finished was not recorded"
        return ReversalPlan(verdict=Rollback.IMPOSSIBLE, step=begun[0], because=because)
    return ReversalPlan(
        verdict=Rollback.SAFE, because="the database accepts changes, and no migration is half done"
    )


def warnings_of(database: Database, *, backed_up: bool) -> tuple[str, ...]:
    """List what stands in the way of a migration."""
    warnings = [
        f"Session {one.pid} ({one.application_name or 'unnamed client'}, {one.state}) has a transaction open "
        f"for {duration(one.age_s)}: locks may have to wait for it."
        for one in database.long_transactions
    ]
    for replica in database.replicas:
        if replica.lag_s is None:
            warnings.append(f"The lag of the replica {replica.name} is unknown.")
        elif replica.lag_s > LAG_S:
            warnings.append(f"The replica {replica.name} is {figure(replica.lag_s, 's')} behind.")
    warnings += [
        f"{one.phase}/{one.file} of {one.version} has been backfilled up to {one.done_to} of {one.last}."
        for one in database.fillings
    ]
    if database.invalid_indexes:
        warnings.append(
            f"Invalid indexes, which queries cannot use: {listed(database.invalid_indexes, most=4)}."
        )
    if not backed_up:
        warnings.append("I know of no backup of this database.")
    return tuple(warnings)
