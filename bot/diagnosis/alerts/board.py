"""The alerts of a case, sorted by instance and by kind, with what replicas of one service share."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.diagnosis.alerts.case import AlertCase
from bot.diagnosis.alerts.history import IncidentHistory, history_of
from bot.diagnosis.alerts.kinds import AlertKind, kind_of

_SLOW = "PD"
_REPLICA = re.compile(r"-(\d+|[a-z0-9]{6,10}-[a-z0-9]{5})$")
"""What Kubernetes puts behind a name: an ordinal, or the hashes of a set and of a pod."""


@dataclass(frozen=True, kw_only=True)
class CallEdge:
    """A call between two instances that alerted as slow or as failing; ``operation`` in lower-case words."""

    caller: str
    called: str
    words: frozenset[str]
    slow: bool

    @property
    def own(self) -> bool:
        """A span within one instance: its own work, or its side of a call that it made."""
        return self.caller == self.called


class AlertBoard:
    """One case, seen from each instance, compared with earlier ones."""

    def __init__(self, case: AlertCase, *, history: IncidentHistory | None = None) -> None:
        self.nodes = tuple(dict.fromkeys(case.nodes))
        self._case = case
        self._history = history or IncidentHistory()

    @cached_property
    def replicas(self) -> Mapping[str, tuple[str, ...]]:
        """The other instances of the same service, by instance."""
        services = defaultdict(list)
        for node in self.nodes:
            services[service_of(node)].append(node)
        return {node: tuple(n for n in services[service_of(node)] if n != node) for node in self.nodes}

    @cached_property
    def kinds(self) -> Mapping[str, frozenset[AlertKind]]:
        """The kinds of metric alerts, by instance."""
        found: dict[str, set[AlertKind]] = {node: set() for node in self.nodes}
        for instance, *_, metric, direction in self._case.metric_alerts:
            if instance in found:
                found[instance].add(kind_of(metric, direction))
        return {node: frozenset(kinds) for node, kinds in found.items()}

    @cached_property
    def templates(self) -> Mapping[str, frozenset[str]]:
        """The log templates that alerted, by instance; an instance's name before a template's is left out."""
        found: dict[str, set[str]] = {node: set() for node in self.nodes}
        for instance, template in self._case.log_alerts:
            if instance in found:
                found[instance].add(template.removeprefix(f"{instance}-"))
        return {node: frozenset(templates) for node, templates in found.items()}

    @cached_property
    def calls(self) -> tuple[CallEdge, ...]:
        """The calls that alerted at an instance of the case."""
        known = frozenset(self.nodes)
        return tuple(
            CallEdge(caller=caller, called=called, words=words_of(operation), slow=kind == _SLOW)
            for caller, called, operation, kind in self._case.trace_alerts
            if called in known
        )

    @cached_property
    def sights(self) -> frozenset[Hashable]:
        """All that was seen, and where: what a history counts."""
        metrics = {(node, kind) for node, kinds in self.kinds.items() for kind in kinds}
        lines = {(node, template) for node, templates in self.templates.items() for template in templates}
        return frozenset[Hashable]({*metrics, *lines, *self.calls})

    @cached_property
    def _spread(self) -> Mapping[AlertKind, int]:
        counts: dict[AlertKind, int] = defaultdict(int)
        for kinds in self.kinds.values():
            for kind in kinds:
                counts[kind] += 1
        return counts

    def rarity(self, kind: AlertKind) -> float:
        """Return how few instances have this kind of alert: 1 for a single one, 0 for all of them.

        Inverse document frequency with the instances of the case as documents (Spärck Jones 1972): what
        alerts everywhere is a symptom that spread.  No other case is needed, and no name.
        """
        return self.scarcity(self._spread[kind])

    def scarcity(self, having: float) -> float:
        """``log(n / having) / log(n)`` for the case's ``n`` instances; 0 if none has it or there is one."""
        total = len(self.nodes)
        return math.log(total / having) / math.log(total) if having and total > 1 else 0.0

    def apart(self, node: str, kind: AlertKind) -> float:
        """Return the share of the service's other instances that do not have the alert; 1 without others."""
        others = self.replicas[node]
        return 1.0 - mean(kind in self.kinds[other] for other in others) if others else 1.0

    def special(self, node: str) -> Mapping[AlertKind, float]:
        """Weigh the kinds of alerts of an instance: rare in the case, not its replicas', not usual here."""
        return {
            kind: self.rarity(kind) * self.apart(node, kind) * self._history.news((node, kind))
            for kind in sorted(self.kinds[node], key=repr)
        }

    def newest(self, node: str, kinds: Iterable[AlertKind]) -> float:
        """Return how new the newest of these kinds of alerts is at an instance; 0 without any."""
        return max((self._history.news((node, kind)) for kind in kinds), default=0.0)

    def hurting(self, node: str) -> float:
        """Return the sum of an instance's special, harmful kinds; kinds that come together count once."""
        special = {kind: weight for kind, weight in self.special(node).items() if not kind.harmless}
        shares = self._history.shares((node, kind) for kind in special)
        return math.fsum(weight * shares[node, kind] for kind, weight in special.items())

    @cached_property
    def lines(self) -> Mapping[str, float]:
        """How many log templates alerted, by instance, each by how new it is and with what it comes."""
        return {node: self._lines(node) for node in self.nodes}

    def _lines(self, node: str) -> float:
        shares = self._history.shares((node, template) for template in self.templates[node])
        return math.fsum(self._history.news(sight) * share for sight, share in shares.items())

    @cached_property
    def weighed_calls(self) -> tuple[tuple[CallEdge, float], ...]:
        """The calls that alerted, each with how new that is."""
        return tuple((call, self._history.news(call)) for call in self.calls)


def boards_of(cases: Iterable[AlertCase], *, earlier: Iterable[AlertCase] = ()) -> tuple[AlertBoard, ...]:
    """Return the boards of one system's incidents, each with the ``earlier`` and all others as history."""
    asked = tuple(cases)
    known = history_of(AlertBoard(case).sights for case in (*asked, *earlier))
    return tuple(AlertBoard(case, history=known.without(number)) for number, case in enumerate(asked))


def service_of(instance: str) -> str:
    """Return the service of an instance: its name without what Kubernetes puts behind it."""
    return _REPLICA.sub("", instance)


def words_of(text: str) -> frozenset[str]:
    """Split a name into its lower-case words: ``/search.Search/Nearby`` has ``search`` and ``nearby``."""
    return frozenset(re.findall(r"[a-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower()))


def mean(values: Iterable[float]) -> float:
    """Average values; 0 of none."""
    each = tuple(values)
    return math.fsum(each) / len(each) if each else 0.0
