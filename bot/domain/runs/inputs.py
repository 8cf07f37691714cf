"""What a reducer reads besides the phases it folds, kept so that it can be asked again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from bot.domain.catalogue import Address, Catalogue, Failover, Service
from bot.domain.model import Instant, JsonObject, Model


class Neighbour(Model):
    """What a reducer may know of a service: how it hangs together with others, and no secret."""

    name: Address
    external: bool = False
    depends_on: tuple[Address, ...] = ()
    versioned_by: str = ""
    failover: Failover | None = None
    sources: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The names of what is set for each source; what it is set to may be a password."""

    @classmethod
    def of(cls, service: Service) -> Self:
        """Return the part of a catalogue entry that may be stored."""
        return cls(
            name=service.name,
            external=service.external,
            depends_on=service.depends_on,
            versioned_by=service.versioned_by,
            failover=service.failover,
            sources={name: tuple(settings) for name, settings in service.sources.items()},
        )

    @property
    def service(self) -> Service:
        """The entry again, with empty words where a setting was."""
        return Service(
            name=self.name,
            external=self.external,
            depends_on=self.depends_on,
            versioned_by=self.versioned_by,
            failover=self.failover,
            sources={name: dict.fromkeys(settings, "") for name, settings in self.sources.items()},
        )


class Inputs(Model):
    """Everything that a reducer reads of the outside; the phases it folds are in the journal anyway."""

    now: Instant
    arguments: JsonObject = Field(default_factory=dict)
    services: tuple[Neighbour, ...] = ()
    """The part of the catalogue that bears on it, in the catalogue's order."""
    ranker: str = ""
    """Which version of the code and of its weights was used; empty if unknown."""

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue as the reducer sees it: these services, and of them what is kept."""
        return Catalogue(services=tuple(neighbour.service for neighbour in self.services))


def neighbourhood(catalogue: Catalogue, names: Iterable[str]) -> tuple[Neighbour, ...]:
    """Return the services ``names``, what depends on them, and all dependencies of any of these.

    Names that the catalogue does not have are left out: a finding may be about anything.
    """
    known = frozenset(catalogue.names)
    wanted: set[str] = set()
    for name in known.intersection(names):
        for near in (catalogue.get(name), *catalogue.upstream(name)):
            wanted.update(service.name for service in catalogue.downstream(near.name))
    return tuple(Neighbour.of(service) for service in catalogue.services if service.name in wanted)
