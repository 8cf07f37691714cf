"""The catalogue: every service, what it depends on and where its data is."""

from __future__ import annotations

from collections import deque
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from bot.domain.deployments.freeze import Freeze, GlobalFreeze
from bot.domain.deployments.gate import Gates
from bot.domain.errors import UnknownServiceError
from bot.domain.model import Model, Name
from bot.domain.monitoring.monitor import Monitor
from bot.domain.monitoring.slo import Slo
from bot.domain.visible import bare_name

Address = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}(@[a-z][a-z0-9_-]{0,62})?$")]
"""A service's name; in another environment than its own, with that behind it: ``checkout@staging``."""


class Failover(Model):
    """The setting of ``service`` that moves its traffic off an outside dependency."""

    service: Name
    key: str
    value: str


class Cost(Model):
    """What it costs when a service has a failed change in place."""

    impaired_minute: float = Field(ge=0)
    """In ``currency``."""
    currency: str = Field(min_length=1, max_length=10)


class ReadPolicy(Model):
    """Who besides the members of the workspace may read what the bot shows."""

    guests: bool = False
    """Guests of our own workspace; people of other workspaces never may."""


class Environment(Model):
    """Where else a service runs: how it is read and changed there, and nothing of production's."""

    channel: str = ""
    announce: str = ""
    approvers: tuple[str, ...] = ()
    depends_on: tuple[Address, ...] = ()
    """Addresses of what it depends on there; nothing of production unless it is named."""
    sources: dict[str, dict[str, str]] = Field(default_factory=dict)
    target: dict[str, dict[str, str]] = Field(default_factory=dict)


class Service(Model):
    """One entry of the catalogue; ``sources`` and ``target`` map a plugin's name to its settings."""

    name: Address
    summary: str = ""
    owner: str = ""
    channel: str = ""
    """The on-call channel's name, without ``#``."""
    announce: str = ""
    """The channel, without ``#``, to which each deployment is announced; none: the catalogue's."""
    approvers: tuple[str, ...] = ("oncall",)
    """Names of the groups who may approve changes to this service."""
    environment: str = "production"
    external: bool = False
    """A third party's service: it can be read, not changed."""
    depends_on: tuple[Address, ...] = ()
    environments: dict[Name, Environment] = Field(default_factory=dict)
    """Where else it runs; each is a service of its own, with the address ``checkout@staging``."""
    versioned_by: str = ""
    sources: dict[str, dict[str, str]] = Field(default_factory=dict)
    target: dict[str, dict[str, str]] = Field(default_factory=dict)
    failover: Failover | None = None
    monitors: tuple[Monitor, ...] = ()
    slos: tuple[Slo, ...] = ()
    heartbeats: tuple[Name, ...] = ()
    """Jobs that report by heartbeat; where none is listed, a job of any name may report."""
    freezes: tuple[Freeze, ...] = ()
    """When nothing is deployed here, on top of what holds for all."""
    gates: Gates = Gates()
    cost: Cost | None = None
    read: ReadPolicy | None = None
    """Who besides members may read about this service; without it, the catalogue's ``read`` decides."""
    ask_directly: bool | None = None
    """Whether approvers also get a direct message; without it, the catalogue's ``ask_directly`` decides."""
    emergency_rollback: bool = False
    """Whether a rollback in a declared emergency needs no approval; it is announced and recorded."""

    @property
    def elsewhere(self) -> tuple[Service, ...]:
        """The same service in its other environments, with the addresses it has there."""
        return tuple(
            self.model_copy(
                update={
                    "name": f"{self.name}@{name}",
                    "environment": name,
                    "channel": there.channel or self.channel,
                    "announce": there.announce or self.announce,
                    "approvers": there.approvers or self.approvers,
                    "depends_on": there.depends_on,
                    "sources": there.sources,
                    "target": there.target,
                    "environments": {},
                    "failover": None,
                    "monitors": (),
                    "slos": (),
                    "heartbeats": (),
                    "freezes": (),
                    "cost": None,
                    "gates": self.gates.but(staging_first=None, checklist={}),
                }
            )
            for name, there in self.environments.items()
        )


class ApproverGroup(Model):
    """Who belongs to a group of approvers: a chat user group, an explicit list, or both."""

    usergroup: str = ""
    """The user group's handle or id in the chat."""
    members: frozenset[str] = frozenset()
    """Ids of people; where both are given, a person must be in both."""


_MOST_CALLERS = 8


class Catalogue(Model):
    """All services, checked: names are unique and every dependency exists."""

    services: tuple[Service, ...] = ()
    groups: dict[str, ApproverGroup] = Field(default_factory=dict)
    """A group without an entry is the chat's user group of the same handle."""
    freezes: tuple[GlobalFreeze, ...] = ()
    """When nothing is deployed in an environment, whatever the service."""
    announce: str = ""
    """The channel, without ``#``, to which each deployment is announced; none: no announcement."""
    ask_directly: bool = True
    """Whether approvers also get a direct message, where the service does not say."""
    read: ReadPolicy = ReadPolicy()
    """Who besides members may read about the services that do not decide it for themselves."""

    @field_validator("services", mode="after")
    @classmethod
    def _everywhere(cls, services: tuple[Service, ...]) -> tuple[Service, ...]:
        """List each service in each of its environments."""
        listed = {service.name for service in services}
        elsewhere = (there for service in services for there in service.elsewhere)
        return (*services, *(there for there in elsewhere if there.name not in listed))

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [service.name for service in self.services]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"these services are listed twice: {', '.join(twice)}")
        for service in self.services:
            missing = [name for name in service.depends_on if name not in names]
            if missing:
                raise ValueError(
                    f"{service.name} depends on {', '.join(missing)}, which the catalogue does not have"
                )
            first = service.gates.staging_first
            if first is not None and first not in service.environments:
                raise ValueError(
                    f"{service.name} must be deployed to `{first}` first, but has no such environment"
                )
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every service's name, in the catalogue's order."""
        return tuple(service.name for service in self.services)

    def named(self, word: str) -> str:
        """Return the name of the service that a word means; empty if there is none, or more than one.

        Case, invisible characters, and a comma or full stop at the end make no difference.
        """
        if word in self.names:
            return word
        meant = bare_name(word)
        found = [name for name in self.names if bare_name(name) == meant]
        return found[0] if len(found) == 1 else ""

    def get(self, name: str) -> Service:
        """Find a service by name.

        Raises:
            UnknownServiceError: the catalogue has none of that name.
        """
        for service in self.services:
            if service.name == name:
                return service
        known = ", ".join(f"`{known}`" for known in self.names) or "none yet"
        raise UnknownServiceError(f"I know no service called `{name}`.", hint=f"The catalogue has: {known}.")

    @property
    def monitors(self) -> dict[str, tuple[str, Monitor]]:
        """Every monitor by its full name ``service/id``, with its service's name."""
        return {
            f"{service.name}/{monitor.id}": (service.name, monitor)
            for service in self.services
            for monitor in service.monitors
        }

    @property
    def open_to_guests(self) -> frozenset[str]:
        """The names of the services that guests of our workspace may read about."""
        return frozenset(s.name for s in self.services if (s.read or self.read).guests)

    def downstream(self, name: str) -> tuple[Service, ...]:
        """List a service and everything it depends on, nearest first."""
        seen: dict[str, Service] = {}
        queue = deque([name])
        while queue:
            current = queue.popleft()
            if current not in seen:
                seen[current] = self.get(current)
                queue.extend(seen[current].depends_on)
        return tuple(seen.values())

    def upstream(self, name: str) -> tuple[Service, ...]:
        """List the services that depend directly on ``name``."""
        return tuple(service for service in self.services if name in service.depends_on)

    def around(self, name: str) -> tuple[Service, ...]:
        """List a service, everything it depends on, and at most eight of its direct callers, in that order.

        A fault of a caller's own may come together with one of the service; one that many services call would
        cost too much to read.
        """
        below = self.downstream(name)
        callers = [service for service in self.upstream(name) if service not in below]
        return (*below, *callers[:_MOST_CALLERS])

    @property
    def prices(self) -> dict[str, Cost]:
        """What a minute with a failed change in place costs, by service, where that is known."""
        return {service.name: service.cost for service in self.services if service.cost is not None}

    def announce_of(self, name: str) -> str:
        """Return the channel to which a service's deployments are announced; none: no announcement."""
        known = next((service for service in self.services if service.name == name), None)
        return (known.announce if known is not None else "") or self.announce

    def asks_directly(self, name: str) -> bool:
        """Return whether those who may approve changes of a service also get a direct message."""
        known = next((service for service in self.services if service.name == name), None)
        own = known.ask_directly if known is not None else None
        return self.ask_directly if own is None else own

    def freezes_of(self, name: str) -> tuple[Freeze, ...]:
        """List the freezes of a service: those of its environment, then its own."""
        service = self.get(name)
        everywhere = (freeze for freeze in self.freezes if service.environment in freeze.environments)
        return (*everywhere, *service.freezes)

    def group(self, name: str) -> ApproverGroup:
        """Find a group; one without an entry is the user group of the same handle."""
        return self.groups.get(name, ApproverGroup(usergroup=name))
