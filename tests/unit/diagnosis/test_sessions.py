"""What PostgreSQL's sessions say: who is at the root, what is left open, what runs out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.signals.sessions import DatabaseActivity, DatabaseSession, findings_of, normal_of, roots
from bot.domain.diagnoses.finding import FindingKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def session(pid: int, *blocked_by: int, age_s: float = 10, **more: object) -> DatabaseSession:
    fields = {
        "backend_start": NOW - timedelta(hours=1),
        "application_name": f"app-{pid}",
        "usename": "app",
        "state": "active",
        "query": "UPDATE stock\n   SET n = 1",
        "xact_start": NOW - timedelta(seconds=age_s),
        "xact_age_s": age_s,
        "query_age_s": age_s,
        "state_age_s": age_s,
        "tables": ("stock",),
    }
    return DatabaseSession(pid=pid, blocked_by=blocked_by, **(fields | more))


def found_in(*sessions: DatabaseSession, **more: object) -> dict[FindingKind, list[str]]:
    kinds: dict[FindingKind, list[str]] = {}
    for finding in findings_of(
        DatabaseActivity(service="shop", sessions=sessions, **({"max_connections": 100} | more))
    ):
        kinds.setdefault(finding.kind, []).append(finding.id)
    return kinds


def test_the_root_is_the_one_that_waits_for_nobody():
    waiting = roots([session(1), session(2, 1), session(3, 2), session(4, 3)])
    assert {pid: len(waiters) for pid, waiters in waiting.items()} == {1: 3}


def test_a_ring_of_waiters_has_no_root_and_ends():
    assert roots([session(1, 2), session(2, 1)]) == {}


def test_a_blocker_that_is_gone_meanwhile_is_nobodys_root():
    assert roots([session(2, 1)]) == {}


@given(
    st.lists(st.tuples(st.integers(1, 6), st.lists(st.integers(0, 7), max_size=3)), unique_by=lambda p: p[0])
)
def test_any_graph_of_waiters_gives_roots_that_wait_for_nobody(pairs):
    sessions = [session(pid, *blockers) for pid, blockers in pairs]
    waiting = roots(sessions)
    free = {s.pid for s in sessions if not s.blocked_by}
    assert set(waiting) <= free


def test_more_victims_make_a_stronger_finding():
    few = findings_of(
        DatabaseActivity(service="shop", sessions=[session(1), session(2, 1)], max_connections=99)
    )
    many = findings_of(
        DatabaseActivity(
            service="shop", sessions=[session(1), *(session(n, 1) for n in range(2, 9))], max_connections=99
        )
    )
    assert many[0].strength > few[0].strength


def test_an_ordinary_wait_of_milliseconds_is_no_finding():
    assert found_in(session(1, age_s=0.02), session(2, 1, age_s=0.01)) == {}


def test_the_query_is_told_on_one_line():
    [finding] = findings_of(
        DatabaseActivity(service="shop", sessions=[session(1), session(2, 1)], max_connections=99)
    )
    assert finding.data["query"] == "UPDATE stock SET n = 1"


def test_a_transaction_left_open_with_locks_is_a_finding():
    assert found_in(session(1, state="idle in transaction", age_s=20)) == {
        FindingKind.DB_LONG_TRANSACTION: ["database:db_long_transaction:shop:1"]
    }


def test_a_transaction_left_open_without_locks_is_none_for_a_minute():
    idle = {"state": "idle in transaction", "tables": ()}
    assert found_in(session(1, age_s=20, **idle)) == {}
    assert FindingKind.DB_LONG_TRANSACTION in found_in(session(1, age_s=90, **idle))


def test_a_blocker_is_not_told_twice():
    kinds = found_in(session(1, state="idle in transaction", age_s=90), session(2, 1))
    assert set(kinds) == {FindingKind.DB_BLOCKED}


def test_connections_near_the_limit_are_a_finding():
    assert FindingKind.DB_CONNECTIONS_HIGH in found_in(
        *(session(n, age_s=1) for n in range(9)), max_connections=10
    )
    assert found_in(*(session(n, age_s=1) for n in range(5)), max_connections=10) == {}


def test_a_replica_far_behind_is_a_finding():
    kinds = found_in(replica_lag_s={"near": 0.2, "far": 120.0})
    assert kinds == {FindingKind.DB_REPLICATION_LAG: ["database:db_replication_lag:shop:far"]}


def test_a_calm_database_is_said_to_be_calm():
    activity = DatabaseActivity(service="shop", sessions=[session(1, age_s=0.1)], max_connections=10)
    assert normal_of(activity, findings_of(activity)) == (
        "shop: no session of the database blocks another",
        "shop: 1 of 10 connections in use",
    )


def test_what_active_sessions_wait_for_and_deadlocks_are_told():
    sessions = [session(n, age_s=0.1, wait_event_type="LWLock") for n in (1, 2)]
    activity = DatabaseActivity(service="shop", sessions=sessions, max_connections=99, deadlocks=3)
    assert normal_of(activity, ())[2:] == (
        "shop: active sessions wait, 2 for LWLock",
        "shop: 3 deadlocks since its statistics began",
    )
