"""Which strategy fits a service, by the kinds of its deployment targets."""

from __future__ import annotations

from collections.abc import Collection

_BY_KIND = {"haproxy": "canary", "git": "gitops", "flags": "flag"}
"""The strategy that ships for each kind of target, in the order in which they carry traffic."""


def usual_strategy(kinds: Collection[str]) -> str:
    """Return the strategy to suggest for a service with these kinds of target; pure."""
    return next((strategy for kind, strategy in _BY_KIND.items() if kind in kinds), "canary")
