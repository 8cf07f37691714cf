"""Suspicions based on direct observation: locks, saturation, dead services and dependencies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bot.diagnosis.ranking.situation import Situation
from bot.diagnosis.ranking.suspects import Suspect, unexplained
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.domain.formatting import figure, listed
from bot.domain.model import JsonObject, JsonValue

_DATABASE = re.compile(r"database|\bdb\b|sql|postgres|mysql|maria", re.IGNORECASE)
_NO_IMPACT = 0.5
_HEALTHY_WHEN_ASKED = 0.3
_ERRORS = (FindingKind.ERROR_RATE_UP, FindingKind.LATENCY_UP)
_LINES = (FindingKind.LOG_ERRORS, FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_GROWING)


def mechanisms(scene: Situation) -> list[Suspect]:
    """List every suspicion that rests on something seen directly within the scope."""
    makers: tuple[Callable[[Situation, str], Iterator[Suspect]], ...] = (
        _locks,
        _database_down,
        _connections,
        _saturation,
        _down,
        _outside,
    )
    found = [suspect for name in scene.scope for make in makers for suspect in make(scene, name)]
    for suspect in found:
        if not _suffers(scene, suspect.service):
            suspect.doubt(f"neither {suspect.service} nor its callers fail or are slow", _NO_IMPACT)
    return found


def _suffers(scene: Situation, service: str) -> bool:
    """Return whether callers or users notice: an error or a delay, at the service or above it."""
    names = {service, *scene.callers(service)}
    kinds = (*_ERRORS, *_LINES, FindingKind.DEPENDENCY_ERRORS, FindingKind.SERVICE_DOWN)
    return any(f.service in names and f.kind in kinds and scene.harmful(f) for f in scene.findings)


def _locks(scene: Situation, service: str) -> Iterator[Suspect]:
    blocking = scene.of(service, FindingKind.DB_BLOCKED)
    for finding in blocking:
        suspect = _lock(scene, finding, text=finding.evidence[0].text)
        suspect.support([finding], 0.85)
        yield suspect
    if blocking:
        return
    for finding in scene.of(service, FindingKind.DB_LONG_TRANSACTION):
        if finding.data.get("tables"):
            suspect = _lock(scene, finding, text=finding.evidence[0].text)
            suspect.support([finding], 0.6)
            suspect.doubt("nothing waits for it right now", 0.8)
            yield suspect


def _lock(scene: Situation, finding: Finding, *, text: str) -> Suspect:
    service = finding.service
    suspect = Suspect(
        kind=CauseKind.DATABASE_LOCK,
        service=service,
        component=finding.component,
        summary=f"In the database of {service}, {text}.",
        began_at=finding.began_at,
        data={
            key: finding.data.get(key)
            for key in ("pid", "backend_start", "application_name", "usename", "query", "blocked", "age_s")
        },
        decisive=frozenset({"database"}),
    )
    suspect.support(scene.of(service, FindingKind.POOL_EXHAUSTED), 0.5)
    suspect.support(_hinting(scene, service, "database"), 0.5)
    suspect.support(_naming_database(scene, service), 0.3)
    return suspect


def _database_down(scene: Situation, service: str) -> Iterator[Suspect]:
    found = scene.of(service, FindingKind.DB_DOWN)
    if not found:
        return
    suspect = Suspect(
        kind=CauseKind.DATABASE_DOWN,
        service=service,
        component="database",
        summary=found[0].summary,
        began_at=scene.onset(service),
        decisive=frozenset({"database"}),
    )
    suspect.support(found, 0.75)
    suspect.support(_hinting(scene, service, "database"), 0.5)
    suspect.support(_naming_database(scene, service), 0.4)
    suspect.support(scene.of(service, *_ERRORS), 0.3)
    yield suspect


def _connections(scene: Situation, service: str) -> Iterator[Suspect]:
    found = scene.of(service, FindingKind.DB_CONNECTIONS_HIGH)
    if not found:
        return
    suspect = Suspect(
        kind=CauseKind.SATURATION,
        service=service,
        component="connections",
        summary=found[0].summary,
        began_at=scene.onset(service),
        data={"resource": "connections", "value": found[0].evidence[0].value},
        decisive=frozenset({"database"}),
    )
    suspect.support(found, 0.65)
    suspect.support(scene.of(service, FindingKind.POOL_EXHAUSTED), 0.4)
    suspect.support(_hinting(scene, service, "database"), 0.4)
    blocking = scene.of(service, FindingKind.DB_BLOCKED)
    if blocking:
        suspect.doubt(f"the connections queue behind session {blocking[0].data.get('pid')}", 0.4)
    yield suspect


def _saturation(scene: Situation, service: str) -> Iterator[Suspect]:
    for resource, kind, hint in (
        ("cpu", FindingKind.CPU_HIGH, "overload"),
        ("memory", FindingKind.MEMORY_HIGH, "memory"),
    ):
        seen = scene.of(service, kind)
        hinted = _hinting(scene, service, hint)
        if seen or hinted:
            yield _saturated(scene, service, resource=resource, seen=seen, hinted=hinted)


def _saturated(
    scene: Situation, service: str, *, resource: str, seen: tuple[Finding, ...], hinted: tuple[Finding, ...]
) -> Suspect:
    text = seen[0].evidence[0].text if seen else f"its log shows “{hinted[0].evidence[0].text}”"
    began = [f.began_at for f in (*seen, *hinted) if f.began_at is not None]
    data: JsonObject = {"resource": resource, "value": seen[0].evidence[0].value if seen else None}
    suspect = Suspect(
        kind=CauseKind.SATURATION,
        service=service,
        component=resource,
        summary=f"{service} is short of {_NAMES[resource]}: {text}.",
        began_at=min(began, default=None),
        data=data,
        decisive=frozenset({"metrics"}),
    )
    suspect.support(seen, 0.85)
    suspect.support(scene.of(service, *_ERRORS), 0.35)
    suspect.support(hinted, 0.65)
    suspect.support([f for f in scene.of(service, FindingKind.DEPENDENCY_SLOW) if not f.component], 0.5)
    if not seen and scene.was_read("metrics"):
        suspect.doubt(f"no metric of {service} shows it yet", 0.9)
    if not hinted and scene.explained(service) > 0:
        # Waiting callers fill up too; a process that reports itself as full is another matter.
        share = scene.explained(service)
        suspect.doubt(f"much of the trouble of {service} comes from what it calls", unexplained(share * 0.7))
    return suspect


_NAMES = {"cpu": "processor time", "memory": "memory"}


def _down(scene: Situation, service: str) -> Iterator[Suspect]:
    found = [f for f in scene.of(service, FindingKind.SERVICE_DOWN) if scene.harmful(f)]
    if not found or scene.catalogue.get(service).external:
        return
    suspect = Suspect(
        kind=CauseKind.SERVICE_DOWN,
        service=service,
        component=found[0].component,
        summary=f"{service} is down: {listed([f.evidence[0].text for f in found], most=4)}.",
        began_at=min((f.began_at for f in found if f.began_at is not None), default=None),
        data={"instances": found[0].data.get("instances")},
        decisive=frozenset({"dependencies", "metrics"}),
    )
    for finding in found:
        # A readiness address that answers late or badly may only reflect a dependency's trouble.
        certain = finding.data.get("state") == "refused" or finding.data.get("all") is True
        suspect.support([finding], 0.8 if certain else 0.45)
    for caller in scene.callers(service):
        suspect.support(_naming(scene, caller, service), 0.4)
    deep = max((scene.trouble(name) for name in scene.catalogue.get(service).depends_on), default=0.0)
    if all(f.data.get("state") not in {"refused", None} for f in found) and deep > 0:
        suspect.doubt(f"something that {service} depends on is in trouble too", 1 - 0.5 * deep)
    yield suspect


def _outside(scene: Situation, service: str) -> Iterator[Suspect]:
    entry = scene.catalogue.get(service)
    if not entry.external:
        return
    direct = [f for f in scene.of(service, FindingKind.DEPENDENCY_DOWN) if not f.component]
    callers = scene.callers(service)
    failing = [f for caller in callers for f in _naming(scene, caller, service)]
    if not direct and not failing:
        return
    caller = failing[0].service if failing else next(iter(callers), scene.service)
    failover: JsonValue = dict(entry.failover.model_dump()) if entry.failover else None
    suspect = Suspect(
        kind=CauseKind.DEPENDENCY_DOWN,
        service=service,
        summary=_outside_summary(service, caller, direct=direct, failing=failing),
        began_at=min((f.began_at for f in failing if f.began_at is not None), default=None),
        data={"failover": failover, "caller": caller},
        decisive=frozenset({"dependencies"}),
    )
    suspect.support(direct, 0.85)
    suspect.support([f for f in scene.of(service, FindingKind.DEPENDENCY_SLOW) if not f.component], 0.4)
    for finding in failing:
        suspect.support([finding], _OUTSIDE_WEIGHTS.get(finding.kind, 0.4))
    asked = [f for f in direct if f.source != "provider"]
    if not asked and not (direct and failing) and scene.health_ok(service):
        suspect.doubt(f"{service} answers its health check", _HEALTHY_WHEN_ASKED)
    elif not direct:
        suspect.doubt(f"{service} itself could not be checked", 0.9)
    yield suspect


_OUTSIDE_WEIGHTS = {
    FindingKind.DEPENDENCY_ERRORS: 0.6,
    FindingKind.DEPENDENCY_SLOW: 0.4,
    FindingKind.LOG_ERRORS: 0.5,
    FindingKind.DEPENDENCY_DOWN: 0.6,
}


def _outside_summary(service: str, caller: str, *, direct: list[Finding], failing: list[Finding]) -> str:
    parts = [f.evidence[0].text for f in (direct[:1] or failing[:1])]
    calls = [f for f in failing if f.kind is FindingKind.DEPENDENCY_ERRORS]
    if direct and calls and calls[0].evidence[0].value is not None:
        parts.append(f"{figure(calls[0].evidence[0].value, 'ratio')} of the calls of {caller} to it fail")
    return f"{service}, a third-party service, does not respond correctly: {' and '.join(parts)}."


def _naming(scene: Situation, caller: str, callee: str) -> tuple[Finding, ...]:
    """List what a caller shows of trouble with a callee: its calls, its lines, its own readiness."""
    calls = scene.of(
        caller, FindingKind.DEPENDENCY_ERRORS, FindingKind.DEPENDENCY_SLOW, FindingKind.DEPENDENCY_DOWN
    )
    lines = [
        f
        for f in scene.of(caller, FindingKind.LOG_ERRORS)
        if scene.harmful(f) and callee in _object(f.data.get("mentions"))
    ]
    return (*(f for f in calls if f.component == callee), *lines)


def _naming_database(scene: Situation, service: str) -> list[Finding]:
    known = set(scene.catalogue.names)
    return [
        f
        for f in scene.of(service, FindingKind.DEPENDENCY_DOWN)
        if f.component not in known and _DATABASE.search(f.component)
    ]


def _hinting(scene: Situation, service: str, hint: str) -> tuple[Finding, ...]:
    """List a service's own error lines that speak of a database, of memory, of overload."""
    return tuple(
        f
        for f in scene.of(service, *_LINES)
        if hint in _list(f.data.get("hints")) and scene.harmful(f) and not _object(f.data.get("mentions"))
    )


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
