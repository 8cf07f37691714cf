"""What a database is like before it is migrated: what is in the way, and whether there is a way back."""

from __future__ import annotations

from bot.domain.formatting import duration, figure, listed
from bot.domain.model import Instant, Model
from bot.migrations.plan import ReversalPlan
from bot.migrations.rulings import Rollback

LONG_S = 30.0
"""A transaction that is open for so many seconds is in the way of a migration's locks."""
LAG_S = 10.0
"""A replica that is so many seconds behind will be further behind after a migration."""


class TableFacts(Model):
    """One table; ``rows`` is none where nobody has counted or estimated them.

    ``bytes`` are those of its rows as of the last vacuum or analyze.
    """

    rows: int | None
    exact: bool
    bytes: int


class Applied(Model):
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
    """A server that follows this one; ``lag_s`` is none until it has told."""

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
    applied: tuple[Applied, ...]
    tables: dict[str, TableFacts]
    """By name; without ``public.``."""
    invalid_indexes: tuple[str, ...]
    long_transactions: tuple[OpenTransaction, ...]
    replicas: tuple[Replica, ...]
    fillings: tuple[Filling, ...] = ()
    gaps: tuple[str, ...] = ()


def way_back_of(database: Database) -> ReversalPlan:
    """Say whether the database lets a migration be taken back, as far as it is the one to say."""
    begun = [f"{one.phase}/{one.file} of {one.version}" for one in database.applied if one.started]
    if database.replica:
        because = "this server is a replica: nothing can be changed or reversed on it"
        return ReversalPlan(verdict=Rollback.IMPOSSIBLE, because=because)
    if begun:
        because = f"{listed(begun, most=4)} was begun, and whether it was done nobody wrote down"
        return ReversalPlan(verdict=Rollback.IMPOSSIBLE, step=begun[0], because=because)
    return ReversalPlan(
        verdict=Rollback.SAFE, because="the database takes changes, and no migration is half done"
    )


def warnings_of(database: Database, *, backed_up: bool) -> tuple[str, ...]:
    """Say what is in the way of a migration."""
    said = [
        f"Session {one.pid} ({one.application_name or 'somebody'}, {one.state}) has a transaction open for "
        f"{duration(one.age_s)}: locks may have to wait for it."
        for one in database.long_transactions
    ]
    for replica in database.replicas:
        if replica.lag_s is None:
            said.append(f"How far the replica {replica.name} is behind is not known.")
        elif replica.lag_s > LAG_S:
            said.append(f"The replica {replica.name} is {figure(replica.lag_s, 's')} behind.")
    said += [
        f"{one.phase}/{one.file} of {one.version} is filled up to {one.done_to} of {one.last}."
        for one in database.fillings
    ]
    if database.invalid_indexes:
        said.append(f"Not valid, so of no use to queries: {listed(database.invalid_indexes, most=4)}.")
    if not backed_up:
        said.append("No backup of it is known to the bot.")
    return tuple(said)
