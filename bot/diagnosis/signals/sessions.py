"""Turns what PostgreSQL reports about its sessions into findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.formatting import duration, figure, listed
from bot.domain.model import JsonObject, JsonValue

SOURCE = "database"
_LONG_S = 60.0
_IDLE_S = 5.0
_BLOCKER_AGE_S = 1.0
_FULL_SHARE = 0.85
_LAG_S = 10.0
_QUERY_CHARS = 300
_MOST_LONG = 3


@dataclass(frozen=True, kw_only=True)
class DatabaseSession:
    """One client connection; ages in seconds, -1 where nothing is running."""

    pid: int
    backend_start: datetime
    application_name: str
    usename: str
    state: str
    query: str
    xact_start: datetime | None = None
    xact_age_s: float = -1.0
    query_age_s: float = -1.0
    state_age_s: float = -1.0
    wait_event_type: str = ""
    blocked_by: tuple[int, ...] = ()
    """Processes that hold what it waits for."""
    tables: tuple[str, ...] = ()
    """Tables that it has a lock on, or waits for."""

    @property
    def idle_in_transaction(self) -> bool:
        """Whether it holds a transaction open without doing anything."""
        return self.state.startswith("idle in transaction")


@dataclass(frozen=True, kw_only=True)
class DatabaseActivity:
    """One database server at one moment; ``replica_lag_s`` by replica, in seconds."""

    service: str
    sessions: Sequence[DatabaseSession]
    max_connections: int
    deadlocks: int = 0
    replica_lag_s: Mapping[str, float] | None = None

    @property
    def used(self) -> int:
        """How many connections are taken."""
        return len(self.sessions)


def findings_of(activity: DatabaseActivity) -> tuple[Finding, ...]:
    """Judge the sessions: blocking chains, transactions left open, connections, replicas."""
    blocking = tuple(_blocking(activity))
    blockers = {finding.data["pid"] for finding in blocking}
    return (*blocking, *_long(activity, but=blockers), *_connections(activity), *_replicas(activity))


def normal_of(activity: DatabaseActivity, found: Sequence[Finding]) -> tuple[str, ...]:
    """Return what is as usual."""
    kinds = {finding.kind for finding in found}
    words = []
    if FindingKind.DB_BLOCKED not in kinds:
        words.append(f"{activity.service}: no session of the database blocks another")
    if FindingKind.DB_CONNECTIONS_HIGH not in kinds:
        words.append(f"{activity.service}: {activity.used} of {activity.max_connections} connections in use")
    waits = Counter(session.wait_event_type for session in activity.sessions if session.state == "active")
    waits.pop("", None)
    if waits:
        counted = listed([f"{count} for {event}" for event, count in waits.most_common(4)], most=4)
        words.append(f"{activity.service}: active sessions wait, {counted}")
    if activity.deadlocks:
        words.append(f"{activity.service}: {activity.deadlocks} deadlocks since its statistics began")
    return tuple(words)


def roots(sessions: Sequence[DatabaseSession]) -> dict[int, list[DatabaseSession]]:
    """Find the sessions that block but are not blocked, and all that wait for each, even indirectly."""
    by_pid = {session.pid: session for session in sessions}
    waiting: dict[int, list[DatabaseSession]] = {}
    for session in sessions:
        if not session.blocked_by:
            continue
        for root in sorted(_roots_of(session, by_pid)):
            waiting.setdefault(root, []).append(session)
    return waiting


def _roots_of(session: DatabaseSession, by_pid: Mapping[int, DatabaseSession]) -> set[int]:
    found: set[int] = set()
    seen = {session.pid}
    queue = list(session.blocked_by)
    while queue:
        pid = queue.pop()
        if pid in seen:
            continue
        seen.add(pid)
        blocker = by_pid.get(pid)
        if blocker is not None and blocker.blocked_by:
            queue.extend(blocker.blocked_by)
        elif blocker is not None:
            found.add(pid)
    return found


def _blocking(activity: DatabaseActivity) -> Iterator[Finding]:
    by_pid = {session.pid: session for session in activity.sessions}
    for pid, waiters in sorted(roots(activity.sessions).items()):
        blocker = by_pid[pid]
        if blocker.xact_age_s < _BLOCKER_AGE_S:
            continue  # ordinary transactions wait for each other all the time, for milliseconds
        tables = _contended(blocker, waiters)
        longest_s = max(waiter.query_age_s for waiter in waiters)
        text = (
            f"session {pid} ({_who(blocker)}, {blocker.state}, transaction open for "
            f"{duration(blocker.xact_age_s)}) "
            f"blocks {len(waiters)} {'other' if len(waiters) == 1 else 'others'}"
            + (f" on {listed(tables, most=4)}" if tables else "")
        )
        weight = len(waiters) + blocker.xact_age_s / 10
        yield _finding(
            activity,
            FindingKind.DB_BLOCKED,
            component=tables[0] if tables else blocker.application_name,
            key=str(pid),
            text=text,
            strength=weight / (weight + 0.5),
            value=float(len(waiters)),
            unit="blocked sessions",
            began_at=blocker.xact_start,
            data={
                **_session(blocker),
                "blocked": len(waiters),
                "longest_wait_s": round(longest_s, 1),
                "tables": list[JsonValue](tables),
                "waiting_applications": list[JsonValue](sorted({_who(waiter) for waiter in waiters})),
            },
        )


def _long(activity: DatabaseActivity, *, but: set[JsonValue]) -> Iterator[Finding]:
    stale = [
        session
        for session in activity.sessions
        if session.pid not in but
        and not session.blocked_by
        and (
            session.xact_age_s >= _LONG_S
            or (session.idle_in_transaction and session.state_age_s >= _IDLE_S and session.tables)
        )
    ]
    stale.sort(key=lambda session: (-session.xact_age_s, session.pid))
    for session in stale[:_MOST_LONG]:
        scale_s = _IDLE_S * 4 if session.idle_in_transaction else _LONG_S * 4
        on = f" with locks on {listed(session.tables, most=4)}" if session.tables else ""
        yield _finding(
            activity,
            FindingKind.DB_LONG_TRANSACTION,
            component=session.application_name,
            key=str(session.pid),
            text=(
                f"session {session.pid} ({_who(session)}, {session.state}) "
                f"has had a transaction open for {duration(session.xact_age_s)}{on}"
            ),
            strength=0.7 * session.xact_age_s / (session.xact_age_s + scale_s),
            value=session.xact_age_s,
            unit="s",
            began_at=session.xact_start,
            data={**_session(session), "blocked": 0, "tables": list[JsonValue](session.tables)},
        )


def _connections(activity: DatabaseActivity) -> Iterator[Finding]:
    share = activity.used / max(1, activity.max_connections)
    if share < _FULL_SHARE:
        return
    by_application = Counter(_who(session) for session in activity.sessions)
    most = [f"{name} ({count})" for name, count in by_application.most_common(4)]
    yield _finding(
        activity,
        FindingKind.DB_CONNECTIONS_HIGH,
        component="connections",
        key="",
        text=(
            f"{activity.used} of {activity.max_connections} database connections are taken, "
            f"by {listed(most, most=4)}"
        ),
        strength=min(0.95, 0.6 + (share - _FULL_SHARE) * 2.5),
        value=share,
        unit="ratio",
        data={"used": activity.used, "max": activity.max_connections, "by_application": dict(by_application)},
    )


def _replicas(activity: DatabaseActivity) -> Iterator[Finding]:
    for name, lag_s in sorted((activity.replica_lag_s or {}).items()):
        if lag_s < _LAG_S:
            continue
        yield _finding(
            activity,
            FindingKind.DB_REPLICATION_LAG,
            component=name,
            key="",
            text=f"replica {name} is {figure(lag_s, 's')} behind",
            strength=lag_s / (lag_s + 60),
            value=lag_s,
            unit="s",
            data={"lag_s": lag_s},
        )


def _contended(blocker: DatabaseSession, waiters: Sequence[DatabaseSession]) -> list[str]:
    counted = Counter(table for waiter in waiters for table in waiter.tables if table in blocker.tables)
    return [table for table, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))]


def _who(session: DatabaseSession) -> str:
    return session.application_name or session.usename or "unnamed"


def _session(session: DatabaseSession) -> JsonObject:
    return {
        "pid": session.pid,
        "backend_start": session.backend_start.isoformat(),
        "application_name": session.application_name,
        "usename": session.usename,
        "state": session.state,
        "query": " ".join(session.query.split())[:_QUERY_CHARS],
        "age_s": round(session.xact_age_s, 1),
    }


def _finding(
    activity: DatabaseActivity,
    kind: FindingKind,
    *,
    component: str,
    key: str,
    text: str,
    strength: float,
    value: float,
    unit: str,
    data: JsonObject,
    began_at: datetime | None = None,
) -> Finding:
    return Finding(
        id=":".join(part for part in (SOURCE, kind.value, activity.service, key or component) if part),
        source=SOURCE,
        kind=kind,
        service=activity.service,
        component=component,
        summary=f"In the database of {activity.service}, {text}.",
        began_at=began_at,
        strength=min(strength, 0.99),
        evidence=(Evidence(text=text, query="pg_stat_activity", value=value, unit=unit),),
        data=data,
    )
