"""The call graph: who calls whom, and what lies behind and in front of a service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class CallGraph:
    """Services and their calls; cycles are allowed, and calls to oneself do not count."""

    def __init__(self, calls: Iterable[tuple[str, str]]) -> None:
        """Store the ``calls``, pairs of caller and callee."""
        self._callees: dict[str, set[str]] = {}
        self._callers: dict[str, set[str]] = {}
        for caller, callee in calls:
            if caller != callee:
                self._callees.setdefault(caller, set()).add(callee)
                self._callers.setdefault(callee, set()).add(caller)

    def __contains__(self, service: str) -> bool:
        return service in self._callees or service in self._callers

    def callees(self, service: str) -> frozenset[str]:
        """Return the services it calls directly."""
        return frozenset(self._callees.get(service, ()))

    def callers(self, service: str) -> frozenset[str]:
        """Return the services that call it directly."""
        return frozenset(self._callers.get(service, ()))

    def behind(self, service: str) -> frozenset[str]:
        """Return all services that can make it fail: its callees, theirs, and so on; itself too."""
        return _closure(service, self._callees)

    def in_front(self, service: str) -> frozenset[str]:
        """Return all services that it can make fail: its callers, theirs, and so on; itself too."""
        return _closure(service, self._callers)


def _closure(start: str, neighbours: Mapping[str, set[str]]) -> frozenset[str]:
    seen = {start}
    waiting = [start]
    while waiting:
        for name in neighbours.get(waiting.pop(), ()):
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(seen)
