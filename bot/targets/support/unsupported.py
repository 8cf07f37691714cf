"""A target of one version at a time: it refuses the changes that need two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NoReturn

from bot.domain.errors import ActionFailedError
from bot.ports.targets import Capabilities, ChangeResult, Instance, TargetCounts, TargetState, VersionState


class SingleVersionTarget:
    """A target of one version at a time: it cannot stage, divide the traffic, or count."""

    def __init__(self, kind: str) -> None:
        """Store its name in the catalogue."""
        self._kind = kind

    async def counts(self) -> TargetCounts:
        """Raise that it is not supported."""
        self._cannot("counts no requests")

    async def stage(self, version: str) -> ChangeResult:  # noqa: ARG002  # the port's
        """Raise that it is not supported."""
        self._cannot("has no candidate to stage")

    async def unstage(self, version: str) -> ChangeResult:  # noqa: ARG002  # the port's
        """Raise that it is not supported."""
        self._cannot("has no candidate to remove")

    async def shift(self, version: str, *, percent: int, routes: Sequence[str]) -> ChangeResult:  # noqa: ARG002  # the port's
        """Raise that it is not supported."""
        self._cannot("cannot divide the traffic")

    async def replace(self, versions: Mapping[str, str], *, fall_back: bool) -> ChangeResult:  # noqa: ARG002  # the port's
        """Raise that it is not supported."""
        self._cannot("has no instances to replace")

    def _serving(self, name: str, version: str) -> TargetState:
        """Return the state of a target at one version, with one instance called ``name``."""
        return TargetState(
            target=self._kind,
            stable=VersionState(version=version, weight_percent=100, healthy=True, instances=1),
            candidate=None,
            instances=(Instance(name=name, version=version, role="stable", weight=100, healthy=True),),
            can=Capabilities(shift=False, routes=False, instant_back=False, lease=False),
        )

    def _cannot(self, what: str) -> NoReturn:
        raise ActionFailedError(
            f"A `{self._kind}` target {what}.",
            hint="Use a strategy that promotes at once, or name another target with `by`.",
            code="not_supported",
        )
