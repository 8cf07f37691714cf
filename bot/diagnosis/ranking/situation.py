"""All findings, arranged by service: which ones are impaired, since when, and which of them is to blame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from bot.diagnosis.signals.metrics import went_with
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Source, SourceStatus
from bot.domain.diagnoses.finding import Finding, FindingKind, Findings
from bot.domain.model import JsonValue

IMPAIRED = 0.3
"""From this impairment on, a service counts as in trouble."""

_IMPACT: Mapping[FindingKind, float] = {
    FindingKind.ERROR_RATE_UP: 1.0,
    FindingKind.SUCCESS_DOWN: 1.0,
    FindingKind.CALLER_SEES_SLOW: 0.6,
    FindingKind.SLOW_FOR_CALLER: 0.6,
    FindingKind.EDGE_LAG: 0.6,
    FindingKind.SPAN_LAG: 0.6,
    FindingKind.CALLS_VANISHED: 0.5,
    FindingKind.LOG_TEMPLATE_VANISHED: 0.5,
    FindingKind.SERVICE_DOWN: 0.9,
    FindingKind.LATENCY_UP: 0.75,
    FindingKind.LOG_ERRORS: 0.8,
    FindingKind.LOG_TEMPLATE_NEW: 0.7,
    FindingKind.LOG_TEMPLATE_GROWING: 0.7,
    FindingKind.DEPENDENCY_ERRORS: 0.6,
    FindingKind.DB_BLOCKED: 0.6,
    FindingKind.DB_DOWN: 0.8,
    FindingKind.DB_CONNECTIONS_HIGH: 0.6,
    FindingKind.DEPENDENCY_DOWN: 0.6,
    FindingKind.TRAFFIC_DROP: 0.6,
}
"""How strongly a kind of finding shows that a service does not do its work; other kinds do not show it."""

TEMPLATES = frozenset({FindingKind.LOG_TEMPLATE_NEW, FindingKind.LOG_TEMPLATE_GROWING})
CHANGES = frozenset(
    {
        FindingKind.CHANGE_DEPLOY,
        FindingKind.CHANGE_CONFIG,
        FindingKind.CHANGE_FLAG,
        FindingKind.CHANGE_OTHER,
    }
)
_HARMLESS = frozenset({"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING"})
_TELLING = 0.5
"""Where so large a share of the lines mentions a callee, the others are about something else."""
_UNLINKED = 0.6
_REPORTED_BUT_WELL = 0.5
_ONSET_SLACK = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Situation:
    """The findings of one triage of ``service``; ``now`` is when they were read."""

    service: str
    catalogue: Catalogue
    results: Mapping[str, Findings | Source]
    now: datetime
    since_s: float

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding, once each, in an order that does not depend on how they came."""
        by_id = {
            finding.id: finding
            for _, result in sorted(self.results.items())
            if isinstance(result, Findings)
            for finding in sorted(result.items, key=lambda finding: finding.model_dump_json())
        }
        return tuple(by_id[key] for key in sorted(by_id))

    @cached_property
    def scope(self) -> tuple[str, ...]:
        """The service and everything it depends on, nearest first.

        If neither its dependencies nor its callers are known, any service in trouble is in scope.
        """
        below = tuple(entry.name for entry in self.catalogue.downstream(self.service))
        if not self.is_alone:
            return below
        others = {finding.service for finding in self.findings} & set(self.catalogue.names)
        return (*below, *sorted(others.difference(below)))

    @cached_property
    def is_alone(self) -> bool:
        """Whether the service has no known callers and no known dependencies."""
        return not (self.catalogue.get(self.service).depends_on or self.catalogue.upstream(self.service))

    @cached_property
    def depth(self) -> Mapping[str, int]:
        """How many calls away from the service each one is."""
        depth = {self.service: 0}
        for name in self.scope:  # breadth first: callers come before what they call
            depth.setdefault(name, 1)
            for callee in self.catalogue.get(name).depends_on:
                depth.setdefault(callee, depth[name] + 1)
        return depth

    def was_read(self, source: str) -> bool:
        """Return whether a source answered."""
        return isinstance(self.results.get(source), Findings)

    @cached_property
    def unread(self) -> tuple[Source, ...]:
        """Sources that should have answered and did not."""
        return tuple(
            result
            for _, result in sorted(self.results.items())
            if isinstance(result, Source)
            and result.status not in (SourceStatus.OK, SourceStatus.NOT_CONFIGURED)
        )

    @cached_property
    def partial(self) -> tuple[str, ...]:
        """Names of the sources that answered with a part of their data."""
        return tuple(
            name
            for name, result in sorted(self.results.items())
            if isinstance(result, Findings) and result.partial
        )

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """Names of the sources that the catalogue has; what is not set up cannot be missed."""
        return tuple(
            name
            for name, result in sorted(self.results.items())
            if isinstance(result, Findings) or result.status is not SourceStatus.NOT_CONFIGURED
        )

    def of(self, service: str, *kinds: FindingKind) -> tuple[Finding, ...]:
        """List a service's findings of some kinds, strongest first."""
        found = [f for f in self.findings if f.service == service and f.kind in kinds]
        return tuple(sorted(found, key=lambda f: (-f.strength, f.id)))

    def harmful(self, finding: Finding) -> bool:
        """Return whether a finding shows that a service does not do its work now."""
        if finding.data.get("ended") is True or finding.id in self.retired:
            return False
        if finding.kind in TEMPLATES and str(finding.data.get("level", "")).upper() in _HARMLESS:
            return False
        if finding.kind is FindingKind.TRAFFIC_DROP:
            # Further down, less traffic is what a failing caller leaves.
            return finding.service == self.service
        return finding.kind in _IMPACT

    @cached_property
    def retired(self) -> Mapping[str, Finding]:
        """The instances that went away with a recorded deployment or rollback, each with that change.

        Where no instance of the service is left, it was not a deployment.
        """
        return {
            finding.id: change
            for finding in self.findings
            if finding.kind is FindingKind.SERVICE_DOWN and finding.data.get("all") is False
            if finding.data.get("observed") is not True  # then the target knows that it should run
            for change in self.of(finding.service, FindingKind.CHANGE_DEPLOY)
            if finding.began_at is not None
            and change.began_at is not None
            and went_with(change.began_at.timestamp(), gone_s=finding.began_at.timestamp())
        }

    def symptoms(self, service: str) -> tuple[Finding, ...]:
        """List the findings that a service does not do its work, strongest first."""
        found = [f for f in self.findings if f.service == service and self.harmful(f)]
        return tuple(sorted(found, key=lambda f: (-f.strength, f.id)))

    def impairment(self, service: str) -> float:
        """Return how sure it is, 0 to 1, that a service does not do its work: noisy-or over the sources."""
        best: dict[str, float] = {}
        for finding in self.symptoms(service):
            weight = _IMPACT[finding.kind] * finding.strength
            best[finding.source] = max(best.get(finding.source, 0.0), weight)
        return noisy_or(best.values())

    def impaired(self, service: str) -> bool:
        """Return whether a service is in trouble."""
        return self.impairment(service) >= IMPAIRED

    @property
    def is_in_trouble(self) -> bool:
        """Whether the service asked about is in trouble; if no source can read it, that is assumed."""
        return self.impaired(self.service) or self.catalogue.get(self.service).external

    def onset(self, service: str) -> datetime | None:
        """Return when a service's trouble began: its earliest symptom of any weight."""
        symptoms = self.symptoms(service)
        if not symptoms:
            return None
        least = symptoms[0].strength / 2
        began = [
            finding.began_at
            for finding in symptoms
            if finding.began_at is not None and finding.strength >= least and finding.source != "database"
        ]
        return min(began, default=None)

    def link(self, caller: str, callee: str) -> float:
        """Return the share, 0 to 1, of the caller's trouble that its calls and lines attribute to the callee.

        All calls may fail while other requests fail for reasons of the caller's own: not every request makes
        the call.  So its lines count alone where half of them mention the callee, and less where fewer do,
        as it may not log whom it called.
        """
        by_calls, by_lines = self._by_calls(caller, callee), self._by_lines(caller, callee)
        if 0 < by_lines < by_calls:
            trust = min(1.0, by_lines / _TELLING)
            return trust * by_lines + (1.0 - trust) * by_calls
        shares = [share for share in (by_calls, by_lines) if share >= 0]
        return max(shares) if shares else self._by_time(caller, callee)

    def explained(self, service: str) -> float:
        """Return the share of a service's trouble that comes from what it calls."""
        return max((self.explained_by(service, callee) for callee in self._callees(service)), default=0.0)

    def explained_by(self, service: str, callee: str) -> float:
        """Return the share of a service's trouble that comes from one thing it calls."""
        return self.link(service, callee) * self.trouble(callee)

    def trouble(self, service: str) -> float:
        """Return how sure it is that something behind this name is not well, seen from its callers."""
        if not self.catalogue.get(service).external:
            return self.impairment(service)
        found = self.of(service, FindingKind.DEPENDENCY_DOWN)
        direct = max((f.strength for f in found if f.source != "provider"), default=0.0)
        said = max((f.strength for f in found if f.source == "provider"), default=0.0)
        if self.health_ok(service):
            # The incident on its status page may concern a part that we do not use.
            return max(direct, _REPORTED_BUT_WELL * said)
        if direct or said:
            return max(direct, said)
        return 0.5  # it was not checked directly

    def health_ok(self, service: str) -> bool:
        """Return whether a service was checked directly and reported that it is well."""
        result = self.results.get("dependencies")
        if not isinstance(result, Findings) or not self.catalogue.get(service).sources.get("http"):
            return False
        asked = not any(gap.startswith(f"{service}:") for gap in result.gaps)
        bad = self.of(
            service, FindingKind.DEPENDENCY_DOWN, FindingKind.SERVICE_DOWN, FindingKind.DEPENDENCY_SLOW
        )
        return asked and not any(f.source == "dependencies" and not f.component for f in bad)

    def over(self) -> tuple[Finding, ...]:
        """List the troubles of the window that have ended: a service's error lines that stopped."""
        return tuple(
            f for f in self.findings if f.kind is FindingKind.LOG_ERRORS and f.data.get("ended") is True
        )

    def callers(self, service: str) -> tuple[str, ...]:
        """List who calls a service, within the scope."""
        return tuple(n for n in self.scope if service in self.catalogue.get(n).depends_on)

    def _callees(self, service: str) -> tuple[str, ...]:
        return tuple(name for name in self.catalogue.get(service).depends_on if name != service)

    def _by_calls(self, caller: str, callee: str) -> float:
        found = [f for f in self.of(caller, FindingKind.DEPENDENCY_ERRORS) if f.component == callee]
        own = self.of(caller, FindingKind.ERROR_RATE_UP)
        if not found:
            return -1.0
        failing, failed = (
            number(found[0].data.get("value")),
            number(own[0].data.get("value")) if own else None,
        )
        if failing is None or failed is None or failed <= 0:
            return found[0].strength
        return min(1.0, failing / failed)

    def _by_lines(self, caller: str, callee: str) -> float:
        found = [f for f in self.of(caller, FindingKind.LOG_ERRORS) if self.harmful(f)]
        if not found:
            return -1.0
        mentions = found[0].data.get("mentions")
        share = number(mentions.get(callee, 0.0)) if isinstance(mentions, dict) else None
        return 0.0 if share is None else share

    def _by_time(self, caller: str, callee: str) -> float:
        mine, theirs = self.onset(caller), self.onset(callee)
        late = mine is not None and theirs is not None and theirs > mine + _ONSET_SLACK
        return 0.0 if late else _UNLINKED


def noisy_or(chances: Iterable[float]) -> float:
    """Combine independent reasons: the chance that at least one of them holds (Pearl 1988)."""
    none = 1.0
    for chance in chances:
        none *= 1.0 - min(max(chance, 0.0), 1.0)
    return 1.0 - none


def number(value: JsonValue) -> float | None:
    """Read a number out of a finding's data; none if it is not a number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
