"""The port of a deployment's target: what runs where, with what share of the traffic, and how it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, runtime_checkable

from pydantic import Field

from bot.domain.model import JsonObject, Model, Share

Role = Literal["stable", "candidate", "other"]
Verdict = Literal["safe", "until", "impossible"]


class Instance(Model):
    """One place where a version runs; ``weight`` is its share relative to the others, 0 to 256."""

    name: str
    version: str
    """Empty where the target does not report it."""
    role: Role
    weight: int
    healthy: bool


class VersionState(Model):
    """All instances of one role: the ``stable`` ones, or the ``candidate``."""

    version: str
    """Empty where the target does not report it, or where its instances differ."""
    weight_percent: float
    """Of the traffic, 0 to 100."""
    healthy: bool
    instances: int


class Capabilities(Model):
    """What a target is able to do; a strategy that needs more is refused before it starts."""

    shift: bool
    """Divide the traffic by percent."""
    routes: bool
    """Send named tenants or headers to the candidate."""
    instant_back: bool
    """Return all traffic without starting anything."""
    lease: bool
    """Take the traffic off the candidate automatically when the bot is gone."""


class TargetState(Model):
    """The versions that serve now, and their traffic."""

    target: str
    """Its kind."""
    tells_version: bool = True
    """Whether stable's is the service's version; a flag has two sides of one version."""
    stable: VersionState
    candidate: VersionState | None
    """None while nothing runs there."""
    instances: tuple[Instance, ...]
    can: Capabilities


class SideCounts(Model):
    """Cumulative counters of one side."""

    requests: int
    errors: int
    """Of the requests, those that the server answered with 5xx or not at all."""
    latency_ms: float | None
    """The mean of the latest requests; none without any."""


class TargetCounts(Model):
    """Cumulative counters of both sides since a fixed moment; a retried request counts once."""

    at_s: float
    """Seconds since the epoch."""
    weight: Share
    """The candidate's share of the traffic now, 0 to 1."""
    canary: SideCounts
    stable: SideCounts


class RollbackCheck(Model):
    """Whether a rollback works now, checked without changing anything."""

    verdict: Verdict
    because: str
    checked: tuple[str, ...]


class FlagChange(Model):
    """A flag that was turned up or down, for the change ledger."""

    target: str
    """The kind of target that keeps it, so that a remedy can turn it off there."""
    key: str
    before: str
    """In words, such as ``on for 20 %``."""
    after: str


class ChangeResult(Model):
    """What a change of the target did; ``before`` is what its undo needs."""

    summary: str
    changed: bool = True
    before: JsonObject = Field(default_factory=dict)
    after: JsonObject = Field(default_factory=dict)
    flag: FlagChange | None = None
    """Set where no version was changed, but what people see of the same one."""


class DeploymentTarget(Protocol):
    """The target of one service, within one step's time.

    Each change names the wanted state, so that it may be repeated.  Changes raise ``ActionFailedError``
    when nothing, and ``ActionInDoubtError`` when not all of it, is known to have been done.
    """

    async def observe(self) -> TargetState:
        """Return the versions that serve now, and their traffic."""
        ...

    async def counts(self) -> TargetCounts:
        """Return the counters."""
        ...

    async def way_back(self, version: str) -> RollbackCheck:
        """Return whether ``version`` could be rolled back now."""
        ...

    async def stage(self, version: str) -> ChangeResult:
        """Bring ``version`` up as the candidate, healthy and without traffic."""
        ...

    async def unstage(self, version: str) -> ChangeResult:
        """Take the candidate away if it is ``version`` and has no traffic."""
        ...

    async def shift(self, version: str, *, percent: int, routes: Sequence[str]) -> ChangeResult:
        """Route ``percent`` of the traffic, 0 to 100, and all of ``routes`` to the candidate."""
        ...

    async def promote(self, version: str, *, keep_warm: bool) -> ChangeResult:
        """Make ``version`` the stable one; what it replaces is kept without traffic if it is to be warm."""
        ...

    async def rollback(self, to_version: str, *, keep_candidate: bool) -> ChangeResult:
        """Route all traffic to the stable version at once, or to ``to_version`` where that is another.

        The candidate is stopped once its traffic is gone, unless ``keep_candidate`` is set.
        """
        ...

    async def reapply(self, version: str, before: JsonObject) -> ChangeResult:
        """Undo a rollback from ``version``; ``before`` is that rollback's: the earlier state."""
        ...

    async def replace(self, versions: Mapping[str, str], *, fall_back: bool) -> ChangeResult:
        """Bring each named instance to its version, never more at a time than may be missing.

        With ``fall_back``, an instance that does not start is restored at once, and counts as refused.
        """
        ...


@runtime_checkable
class ListsReleases(Protocol):
    """A target that knows every version that it could start; most do not."""

    async def releases(self) -> tuple[str, ...] | None:
        """Return all versions; none where this one cannot list them.

        Raises:
            ActionFailedError: the target cannot be read.
        """
        ...
