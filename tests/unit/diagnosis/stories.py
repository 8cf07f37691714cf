"""Findings made up for a test, and small catalogues to rank them over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from bot.diagnosis.ranking.causes import rank_causes
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Diagnosis, Source, SourceStatus
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings

NOW = datetime(2026, 3, 1, 3, 15, tzinfo=UTC)
ONSET = NOW - timedelta(seconds=30)

SHOP = Catalogue.model_validate(
    {
        "services": [
            {"name": "web", "depends_on": ["orders"], "sources": {"http": {"health": "x"}}},
            {"name": "orders", "depends_on": ["pay"], "sources": {"http": {"health": "x"}}},
            {"name": "pay", "depends_on": ["bank"], "sources": {"http": {"health": "x"}}},
            {
                "name": "bank",
                "external": True,
                "sources": {"http": {"health": "x"}},
                "failover": {"service": "pay", "key": "bank", "value": "backup"},
            },
        ]
    }
)
SOURCES = ("logs", "metrics", "traces", "changes", "dependencies", "provider", "database", "mysql", "alerts")


def at(seconds_before_onset: float) -> datetime:
    return ONSET - timedelta(seconds=seconds_before_onset)


def finding(
    source: str,
    kind: FindingKind,
    service: str,
    component: str = "",
    *,
    strength: float = 0.9,
    began_at: datetime | None = ONSET,
    value: float | None = None,
    key: str = "",
    **data: Any,
) -> Finding:
    if value is not None:
        data["value"] = value
    return Finding(
        id=":".join(part for part in (source, kind.value, service, key or component) if part),
        source=source,
        kind=kind,
        service=service,
        component=component,
        summary=f"{service} {kind.value} {component}".strip() + ".",
        began_at=began_at,
        strength=strength,
        evidence=(Evidence(text=f"{service} {kind.value}", value=value),),
        data=data,
    )


def errors(service: str, ratio: float = 0.5, *, began_at: datetime | None = ONSET) -> Finding:
    return finding(
        "metrics",
        FindingKind.ERROR_RATE_UP,
        service,
        strength=ratio / (ratio + 0.05),
        value=ratio,
        began_at=began_at,
    )


def version_errors(
    service: str, ratios: Mapping[str, float], *, failing: str, beside: bool = True, ran_first_s: float = 0
) -> Finding:
    versions = {
        version: {
            "error_ratio": ratio,
            "first_at": at(ran_first_s if version == failing else 600).isoformat(),
            "last_at": (NOW if beside or version == failing else at(5)).isoformat(),
        }
        for version, ratio in ratios.items()
    }
    return finding(
        "metrics", FindingKind.ERROR_RATE_UP, service, failing, value=ratios[failing], versions=versions
    )


def log_errors(
    service: str,
    sample: str = "boom",
    *,
    mentions: Mapping[str, float] | None = None,
    hints: Sequence[str] = (),
    exceptions: Sequence[str] = (),
    versions: Mapping[str, Mapping[str, int]] | None = None,
    began_at: datetime | None = ONSET,
) -> list[Finding]:
    data: dict[str, Any] = {
        "level": "ERROR",
        "count": 50,
        "samples": [sample],
        "mentions": dict(mentions or {}),
        "hints": list(hints),
        "exceptions": list(exceptions),
        "versions": {name: dict(counts) for name, counts in (versions or {}).items()},
    }
    return [
        finding("logs", FindingKind.LOG_ERRORS, service, began_at=began_at, **data),
        finding("logs", FindingKind.LOG_TEMPLATE_NEW, service, key="t1", began_at=began_at, **data),
    ]


def calls_fail(caller: str, callee: str, ratio: float = 0.5) -> Finding:
    return finding("metrics", FindingKind.DEPENDENCY_ERRORS, caller, callee, value=ratio)


def deploy(service: str, version: str, *, before_s: float = 5, previous: str = "1.0") -> Finding:
    return finding(
        "changes",
        FindingKind.CHANGE_DEPLOY,
        service,
        version,
        strength=1.0,
        began_at=at(before_s),
        version=version,
        previous_version=previous,
        change_id=f"d-{version}",
        change_kind="deploy",
    )


def setting(service: str, key: str, before: Any, after: Any, *, before_s: float = 2) -> Finding:
    return finding(
        "changes",
        FindingKind.CHANGE_CONFIG,
        service,
        key,
        strength=1.0,
        began_at=at(before_s),
        key="",
        before=before,
        after=after,
        change_id=f"c-{key}",
        change_kind="config",
    )


def propagated(*chain: str, ratio: float = 0.5) -> list[Finding]:
    """The same failures all along a chain of callers, outermost first; the last one is where they come from."""
    found: list[Finding] = [errors(name, ratio) for name in chain]
    for caller, callee in pairwise(chain):
        found.append(calls_fail(caller, callee, ratio))
        found.extend(log_errors(caller, f"{callee} answered 502", mentions={callee: 1.0}))
    return found


def lock(service: str, *, blocked: int = 6, table: str = "stock") -> Finding:
    return finding(
        "database",
        FindingKind.DB_BLOCKED,
        service,
        table,
        strength=0.95,
        pid=4711,
        backend_start=at(60).isoformat(),
        application_name="nightly-report",
        usename="report",
        query="LOCK TABLE stock",
        blocked=blocked,
        age_s=40.0,
    )


def results(found: Sequence[Finding], **unread: SourceStatus) -> dict[str, Findings | Source]:
    read: dict[str, Findings | Source] = {
        name: Findings(items=tuple(f for f in found if f.source == name), looked_at=name) for name in SOURCES
    }
    return read | {name: Source(name=name, status=status, why="test") for name, status in unread.items()}


def rank(
    found: Sequence[Finding], *, service: str = "web", catalogue: Catalogue = SHOP, **unread: SourceStatus
) -> Diagnosis:
    return rank_causes(
        service=service, catalogue=catalogue, results=results(found, **unread), now=NOW, since_s=1800
    )
