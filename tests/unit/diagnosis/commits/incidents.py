"""Made-up incidents: a quiet hour, some commits that go live, and complaints from one moment on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from bot.diagnosis.commits.case import (
    AlertRecord,
    ChangeCase,
    Commit,
    CommitRollout,
    LogRecord,
    SeriesRecord,
    SpanRecord,
    StatusLine,
)

START = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
ONSET_MIN = 60.0
REFACTOR = """
-    total := 0
-    for _, line := range order.Lines {
-        total += line.Price
-    }
-    return total
+    return sumOf(order.Lines)
+}
+
+func sumOf(lines []Line) int {
+    total := 0
+    for _, line := range lines {
+        total += line.Price
+    }
+    return total
"""
BUMP = """
-    github.com/acme/wire v1.4.2
+    github.com/acme/wire v1.4.3
"""


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def commit(sha: str, diff: str, *files: str, minutes: float = 50, message: str = "chore: tidy up") -> Commit:
    return Commit(sha=sha, at=at(minutes - 3), message=message, files=files, diff=diff)


def complaints(service: str, *texts: str, fields: Mapping[str, str] | None = None) -> list[LogRecord]:
    return [
        LogRecord(
            at=at(ONSET_MIN + 0.2 * number),
            service=service,
            level="ERROR",
            text=texts[number % len(texts)],
            fields=tuple((fields or {}).items()),
        )
        for number in range(6 * len(texts))
    ]


def series(service: str, metric: str, *, usual: float, then: float) -> SeriesRecord:
    points = [(at(m), usual if m < ONSET_MIN else then) for m in range(70)]
    return SeriesRecord(service=service, metric=metric, points=tuple(points))


def incident(
    *commits: tuple[Commit, str, float],
    told: Sequence[LogRecord] = (),
    metrics: Sequence[SeriesRecord] = (),
    calls: Sequence[SpanRecord] = (),
    statuses: Sequence[StatusLine] = (),
    alert: str = "orders",
    metric: str = "error_ratio",
    text: str = "",
) -> ChangeCase:
    """Make a case of ``(commit, service, minute it went live)``; quiet lines come by themselves."""
    quiet = [
        LogRecord(at=at(m), service=s, text="request served")
        for m in range(0, 66, 6)
        for s in ("orders", "shop")
    ]
    return ChangeCase(
        alert=AlertRecord(service=alert, metric=metric, fired_at=at(ONSET_MIN + 4), text=text),
        commits=tuple(one for one, _, _ in commits),
        rollouts=tuple(CommitRollout(sha=one.sha, service=s, at=at(m)) for one, s, m in commits if s),
        lines=(*quiet, *told),
        series=tuple(metrics),
        calls=tuple(calls),
        statuses=tuple(statuses),
    )


def decoys() -> list[tuple[Commit, str, float]]:
    """Give what is always there: a refactoring that went live last, a bump, and a commit that never went live."""
    return [
        (commit("decoy-refactor", REFACTOR, "orders/total.go", minutes=59), "orders", 59.0),
        (commit("decoy-bump", BUMP, "go.mod", "go.sum", minutes=55), "orders", 55.0),
        (
            commit("decoy-undeployed", "-timeout: 30s\n+timeout: 1s\n", "orders/config.yaml", minutes=57),
            "",
            0.0,
        ),
    ]


def lures() -> list[tuple[Commit, str, float]]:
    """Give what looks dangerous but has nothing to do with it: elsewhere, or about something else."""
    return [
        (
            commit("lure-elsewhere", "-maxRetries: 5\n+maxRetries: 1\n", "search/client.yaml", minutes=52),
            "search",
            52.0,
        ),
        (
            commit("lure-unrelated", "-page_size: 100\n+page_size: 25\n", "orders/ui.yaml", minutes=53),
            "orders",
            53.0,
        ),
    ]
