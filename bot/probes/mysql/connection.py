"""A read-only connection to MySQL or MariaDB, and the state of the server's sessions."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import pymysql
from pymysql.cursors import DictCursor

from bot.diagnosis.signals.sessions import DatabaseActivity, DatabaseSession
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError

_PORT = 3306
_PROTOCOLS = (10, 0xFF)
"""The first byte of a server's greeting: its protocol's version, or a refusal."""
_NO_SLOT = frozenset({1040, 1203})
_GOING_DOWN = frozenset({1053, 1077, 1079})
_THREADS = ("Slave_IO", "Slave_SQL", "Replica_IO", "Replica_SQL")
_NO_TLS = 2026
_SHUT_OUT = frozenset({1044, 1045, 1129, 1130, 1142, 1227, 1251, 1698, 3118})

_SESSIONS = """
SELECT p.ID AS id, p.USER AS user, p.COMMAND AS command, p.TIME AS time_s, p.STATE AS state, p.INFO AS query,
       TIMESTAMPDIFF(MICROSECOND, t.trx_started, NOW(6)) / 1e6 AS age_s,
       t.trx_wait_started IS NOT NULL AS waits
FROM information_schema.PROCESSLIST AS p
LEFT JOIN information_schema.INNODB_TRX AS t ON t.trx_mysql_thread_id = p.ID
WHERE p.ID <> CONNECTION_ID() AND p.COMMAND NOT IN ('Daemon', 'Binlog Dump', 'Binlog Dump GTID')
  AND p.USER <> 'system user'
"""
_WAITS_OF_MARIADB = """
SELECT r.trx_mysql_thread_id AS waiting, b.trx_mysql_thread_id AS blocking, l.lock_table AS place
FROM information_schema.INNODB_LOCK_WAITS AS w
JOIN information_schema.INNODB_TRX AS r ON r.trx_id = w.requesting_trx_id
JOIN information_schema.INNODB_TRX AS b ON b.trx_id = w.blocking_trx_id
LEFT JOIN information_schema.INNODB_LOCKS AS l ON l.lock_id = w.requested_lock_id
"""
_WAITS_OF_MYSQL = """
SELECT r.trx_mysql_thread_id AS waiting, b.trx_mysql_thread_id AS blocking, l.OBJECT_NAME AS place
FROM performance_schema.data_lock_waits AS w
JOIN information_schema.INNODB_TRX AS r ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID
JOIN information_schema.INNODB_TRX AS b ON b.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID
LEFT JOIN performance_schema.data_locks AS l ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID
"""
_STATUS = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slow_queries', 'Innodb_deadlocks', 'Uptime')"

Row = Mapping[str, Any]


class MySQLUnusableError(ProbeUnavailableError):
    """The server reports that it cannot be used now; ``full``: no connection is left."""

    def __init__(self, why: str, *, full: bool = False) -> None:
        """Store the reason, which completes *The database cannot be used: …*."""
        super().__init__(f"The database cannot be used: {why}.")
        self.why = why
        self.full = full


@dataclass(frozen=True, kw_only=True)
class MySQLStatus:
    """A server's state at one time."""

    activity: DatabaseActivity
    slow_queries: int
    """Queries longer than the server's ``long_query_time``, since it started."""
    metadata_waits: int
    """Sessions that wait for a table's metadata lock; the server does not report which session holds it."""
    broken_replication: str
    """Why replication has stopped; empty if it works, or if the server is not a replica."""


def read(dsn: str, *, service: str, limit_s: float, now: datetime) -> MySQLStatus:
    """Return a server's state; blocks, and each answer may take ``limit_s`` seconds.

    Raises:
        MySQLUnusableError: the server reports that it cannot be used now.
        ProbeNotConfiguredError: the ``dsn`` is not ``mysql://user:password@host:port``.
        ProbeUnavailableError: the server cannot be read; it may be healthy.
        ProbeGarbageError: the server there is not MySQL.
    """
    where = _split(dsn)
    try:
        with _session(where, limit_s=limit_s) as cursor:
            mariadb = "mariadb" in str(_ask(cursor, "SELECT VERSION() AS version")[0]["version"]).lower()
            sessions = _ask(cursor, _SESSIONS)
            waits = _ask(cursor, _WAITS_OF_MARIADB if mariadb else _WAITS_OF_MYSQL)
            most = int(_ask(cursor, "SELECT @@max_connections AS most")[0]["most"])
            status = {row["Variable_name"]: int(row["Value"]) for row in _ask(cursor, _STATUS)}
            replica = _ask(cursor, f"SHOW {'SLAVE' if mariadb else 'REPLICA'} STATUS")
    except TimeoutError as error:
        raise ProbeUnavailableError("The database did not answer in time.") from error
    except ConnectionRefusedError as error:
        raise MySQLUnusableError("it refuses connections") from error
    except socket.gaierror as error:
        raise ProbeUnavailableError("The name of the database's host cannot be looked up.") from error
    except pymysql.MySQLError as error:
        raise _translated(error) from error
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ProbeUnavailableError(f"The database cannot be read: {type(error).__name__}.") from error
    lag, broken = replication_of(replica)
    return MySQLStatus(
        activity=DatabaseActivity(
            service=service,
            sessions=sessions_of(sessions, waits, now=now),
            max_connections=most,
            deadlocks=status.get("Innodb_deadlocks", 0),
            replica_lag_s=lag,
        ),
        slow_queries=status.get("Slow_queries", 0),
        metadata_waits=sum("metadata lock" in str(row["state"]) for row in sessions),
        broken_replication=broken,
    )


def sessions_of(rows: Sequence[Row], waits: Sequence[Row], *, now: datetime) -> tuple[DatabaseSession, ...]:
    """Return the server's sessions, with which session waits for which; pure."""
    blocked_by: dict[int, set[int]] = {}
    tables: dict[int, set[str]] = {}
    for row in waits:
        waiting, blocking = int(row["waiting"]), int(row["blocking"])
        blocked_by.setdefault(waiting, set()).add(blocking)
        table = str(row["place"] or "").replace("`", "").rpartition(".")[2]
        for key in (waiting, blocking):
            tables.setdefault(key, set()).update({table} if table else ())
    return tuple(
        _session_of(row, blocked_by.get(row["id"], ()), tables.get(row["id"], ()), now=now) for row in rows
    )


def replication_of(rows: Sequence[Row]) -> tuple[dict[str, float], str]:
    """Return by how many seconds a replica lags, by channel, and why replication has stopped; pure."""
    lag: dict[str, float] = {}
    broken: list[str] = []
    for row in rows:
        channel = str(row.get("Connection_name") or row.get("Channel_Name") or "the replica")
        threads = [row.get(f"{name}_Running") for name in _THREADS]
        behind = row.get("Seconds_Behind_Master", row.get("Seconds_Behind_Source"))
        if any(thread in ("No", "Connecting") for thread in threads) or behind is None:
            code = row.get("Last_IO_Errno") or row.get("Last_SQL_Errno") or 0
            broken.append(f"{channel} has stopped replicating" + (f" (error {code})" if code else ""))
        else:
            lag[channel] = float(behind)
    return lag, "; ".join(broken)


def _session_of(
    row: Row, blockers: Collection[int], tables: Collection[str], *, now: datetime
) -> DatabaseSession:
    age_s = -1.0 if row["age_s"] is None else float(row["age_s"])
    time_s, sleeps = float(row["time_s"] or 0), row["command"] == "Sleep"
    return DatabaseSession(
        pid=int(row["id"]),
        backend_start=now,
        application_name="",
        usename=str(row["user"]),
        state=("idle in transaction" if age_s >= 0 else "idle") if sleeps else "active",
        query=str(row["query"] or ""),
        xact_start=now - timedelta(seconds=age_s) if age_s >= 0 else None,
        xact_age_s=age_s,
        query_age_s=-1.0 if sleeps else time_s,
        state_age_s=time_s,
        wait_event_type="Lock" if row["waits"] else "",
        blocked_by=tuple(sorted(blockers)),
        tables=tuple(sorted(tables)),
    )


def _split(dsn: str) -> SplitResult:
    try:
        where = urlsplit(dsn)
        known = where.port is None or where.port > 0
    except ValueError:
        known = False
    if not known or where.scheme not in {"mysql", "mysqls"} or not where.hostname:
        raise ProbeNotConfiguredError(
            "The `dsn` of the `mysql` source must be `mysql://user:password@host:port` (TLS: `mysqls://`)."
        )
    return where


@contextlib.contextmanager
def _session(where: SplitResult, *, limit_s: float) -> Iterator[DictCursor]:
    link = socket.create_connection((where.hostname, where.port or _PORT), timeout=limit_s)
    with contextlib.closing(link):
        # The driver trusts any length that it is sent and waits for that much.
        greeting = link.recv(5, socket.MSG_PEEK)
        if len(greeting) < 5 or greeting[3] != 0 or greeting[4] not in _PROTOCOLS:  # noqa: PLR2004  # 3 of length, 1 of sequence
            raise ProbeGarbageError("The server there did not answer as MySQL does.")
        connection = pymysql.connect(
            host=where.hostname or "",
            user=unquote(where.username or ""),
            password=unquote(where.password or ""),
            read_timeout=limit_s,
            write_timeout=limit_s,
            ssl=ssl.create_default_context() if where.scheme == "mysqls" else None,
            cursorclass=DictCursor,
            defer_connect=True,
            program_name="pilothouse",
        )
        connection.connect(link)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
                yield cursor
        finally:
            connection.close()


def _ask(cursor: DictCursor, sql: str) -> Sequence[Row]:
    cursor.execute(sql)
    return list(cursor.fetchall())


def _translated(error: pymysql.MySQLError) -> ProbeUnavailableError:
    """Return the error without the server's own text, which may hold a name or a password."""
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    if code in _NO_SLOT:
        return MySQLUnusableError("it has no connection left", full=True)
    if code in _GOING_DOWN:
        return MySQLUnusableError("it is shutting down")
    if code == _NO_TLS:
        return ProbeUnavailableError("The database does not offer the TLS that its `dsn` requires.")
    if code in _SHUT_OUT:
        return ProbeUnavailableError(
            f"The database denied the bot access, or does not let it see other sessions ({code}).",
            hint="The bot's user needs PROCESS and REPLICA MONITOR (MySQL: REPLICATION CLIENT).",
        )
    return ProbeUnavailableError(f"The database cannot be read: {type(error).__name__} {code}.")
