"""Which freezes are in force at a moment, and the channels and services that each concerns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.catalogue import Catalogue
from bot.domain.deployments.freeze import Freeze, Window


@dataclass(frozen=True, kw_only=True)
class FreezeInForce:
    """A freeze during one of its windows, for the services of one channel."""

    freeze: Freeze
    window: Window
    channel: str
    """The on-call channel's name; empty: the default channel."""
    services: tuple[str, ...]

    @property
    def episode(self) -> str:
        """What distinguishes it: ``<freeze>:<begin, in seconds>:<channel>``."""
        return f"{self.freeze.id}:{int(self.window.begins.timestamp())}:{self.channel}"


def freezes_in_force(catalogue: Catalogue, *, at: datetime) -> tuple[FreezeInForce, ...]:
    """Return the freezes in force, for each channel with services that can be deployed."""
    found: dict[tuple[str, datetime, str], FreezeInForce] = {}
    for service in catalogue.services:
        for freeze in catalogue.freezes_of(service.name) if service.target else ():
            window = freeze.window_at(at)
            if window is None:
                continue
            key = (freeze.id, window.begins, service.channel)
            before = found[key].services if key in found else ()
            found[key] = FreezeInForce(
                freeze=freeze, window=window, channel=service.channel, services=(*before, service.name)
            )
    return tuple(found.values())


def freeze_of(catalogue: Catalogue, episode: str, *, at: datetime) -> FreezeInForce | None:
    """Return the freeze of an episode as of ``at``; none if it is not in force, or no longer known."""
    return next((one for one in freezes_in_force(catalogue, at=at) if one.episode == episode), None)


def begin_of(episode: str) -> datetime:
    """Return when the freeze of an episode began.

    Raises:
        ValueError: this is not an episode's name.
    """
    return datetime.fromtimestamp(int(episode.split(":")[1]), UTC)
