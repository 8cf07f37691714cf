"""One HAProxy backend as deployments see it: its slots, and the operations that strategies are built from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
from pydantic import Field

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.formatting import duration
from bot.engine.plugins import Context
from bot.targets.haproxy.counts import Row, rows_of
from bot.targets.haproxy.runtime_socket import RuntimeSocket, Server
from bot.targets.support.http_effects import PATIENCE
from bot.targets.support.kind import TargetSettings
from bot.targets.support.launcher import Launcher, Slot

NAME = "haproxy"
_LOOK_S = 0.05
_EXCHANGE_S = 2.0
_QUIET_S = 10.0
_SILENT_S = 0.25
"""How long a server that was kept out is watched for requests."""
_ROUTED = "candidate"
_FORBIDDEN = "permission denied"
REFUSED_IN_PART = "refused_in_part"


class HAProxySettings(TargetSettings):
    """A backend of HAProxy, and the roles of its servers."""

    socket: str = Field(description="The runtime socket: a path, or `host:port`; it needs `level admin`.")
    backend: str = Field(description="The backend's name.")
    stable: str = Field(description="The stable slots, by their servers' names, separated by commas.")
    candidate: str = Field(description="The candidate's slot, by its server's name.")
    launch: str = Field(
        default="", description="The launcher's address; without it the bot cannot start a version."
    )
    map_file: str = Field(
        default="", alias="map", description="The map of routes by tenant or header, as HAProxy names it."
    )
    lease: str = Field(
        default="",
        description="The candidate's own health page, where its check in HAProxy asks the bot for a lease.",
    )
    max_unavailable: int = Field(
        default=1, ge=1, description="How many servers a rolling deployment replaces at a time."
    )


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The roles of the servers, from the catalogue."""

    stable: tuple[str, ...]
    candidate: str
    map_file: str
    lease: str
    """The candidate's own health page, if its check in HAProxy asks the bot; empty if it does not."""
    most_missing: int


@dataclass(frozen=True, kw_only=True)
class Backend:
    """A service's backend within one step's time."""

    ctx: Context
    service: str
    slots: Slots
    runtime: RuntimeSocket
    launcher: Launcher | None
    until_s: float = field(default=0.0)
    """When to give up, by the loop's clock."""

    async def servers(self) -> dict[str, Server]:
        """Return the slots' servers.

        Raises:
            ActionFailedError: HAProxy cannot be reached, or lacks one of the slots.
        """
        servers = await self.runtime.servers()
        self.knows(servers, (*self.slots.stable, self.slots.candidate))
        return servers

    def knows(self, servers: Mapping[str, Server], names: Iterable[str]) -> None:
        """Raise an error for names of servers that the backend does not have.

        Raises:
            ActionFailedError: the backend lacks one of them.
        """
        unknown = sorted({*names} - set(servers))
        if unknown:
            raise ActionFailedError(
                f"{self.service}'s backend has no {', '.join(unknown)}; it has {', '.join(sorted(servers))}.",
                hint="Check `stable` and `candidate` in the catalogue.",
                code="unknown_server",
            )

    async def rows(self) -> dict[str, Row]:
        """Return the counters by server."""
        return rows_of(await self.runtime.ask("show stat"), backend=self.runtime.backend)

    async def routes(self) -> frozenset[str]:
        """Return the keys that the map sends to the candidate."""
        if not self.slots.map_file:
            return frozenset()
        lines = (await self.runtime.ask(f"show map {self.slots.map_file}")).splitlines()
        entries = [line.split() for line in lines if line.strip()]
        if any(len(entry) != 3 for entry in entries):  # noqa: PLR2004  # address, key, value
            raise ActionFailedError(
                f"HAProxy did not show the map {self.slots.map_file}: {' '.join(lines)[:200]}",
                hint="Check `map` in the catalogue: it must be the path that HAProxy's configuration names.",
                code="target_refused",
            )
        return frozenset(key for _, key, value in entries if value == _ROUTED)

    def needs_launcher(self) -> Launcher:
        """Return the launcher.

        Raises:
            ActionFailedError: the catalogue has none.
        """
        if self.launcher is None:
            raise ActionFailedError(
                f"The catalogue's `{NAME}` of {self.service} has no `launch`: no version can be started.",
                hint="Add `launch: <url>` to it in the catalogue.",
                code="target_not_configured",
            )
        return self.launcher

    async def versions(self) -> dict[str, Slot]:
        """Return what runs in each slot; empty without a launcher."""
        if self.launcher is None:
            return {}
        names = (*self.slots.stable, self.slots.candidate)
        slots = await asyncio.gather(*(self.launcher.slot(name) for name in names))
        return dict(zip(names, slots, strict=True))

    async def is_fit(self) -> bool:
        """Return whether the candidate itself reports healthy; with a lease, HAProxy asks the bot instead."""
        try:
            response = await self.ctx.http.get(self.slots.lease, timeout=_EXCHANGE_S)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return response.is_success

    async def must_run(self, version: str) -> None:
        """Raise an error unless the candidate is ``version``, so that no other version gets the traffic.

        Raises:
            ActionFailedError: the candidate is another version, or there is none.
        """
        if self.launcher is None:
            return
        slot = await self.launcher.slot(self.slots.candidate)
        if (slot.version, slot.state) != (version, "running"):
            raise ActionFailedError(
                f"{self.service}'s candidate is not {version}, but {slot.version or '?'}, {slot.state}.",
                hint=f"Stage {version} first.",
                code="wrong_candidate",
            )

    async def send(self, lines: Sequence[str]) -> None:
        """Send command lines to HAProxy at once.

        Raises:
            ActionFailedError: nothing was sent, or the socket may not be written to.
            ActionInDoubtError: no answer came, or HAProxy refused some of it (``REFUSED_IN_PART``).
        """
        complaint = await self.runtime.send(lines)
        if _FORBIDDEN in complaint.lower():  # the level applies to every line, so none was executed
            raise ActionFailedError(
                f"HAProxy refused: {complaint}",
                hint="Give the socket `level admin` in HAProxy's configuration.",
                code="target_refused",
            )
        if complaint:
            raise ActionInDoubtError(
                f"HAProxy did not execute all commands: {complaint}", code=REFUSED_IN_PART
            )

    def setting(self, name: str, what: str) -> str:
        """Return the line that sets a property of a server."""
        return f"set server {self.runtime.backend}/{name} {what}"

    def weight_lines(self, weights: Mapping[str, int]) -> list[str]:
        """Return the lines that divide the traffic; increases come first, so that a server always serves."""
        order = sorted(weights.items(), key=lambda item: -item[1])
        return [self.setting(name, f"weight {weight}") for name, weight in order]

    def lease_lines(self, servers: Mapping[str, Server], *, hangs: bool) -> list[str]:
        """Return the line that ties the candidate to the bot's lease, or unties it."""
        candidate = servers[self.slots.candidate]
        if not self.slots.lease or not candidate.has_check or candidate.checked == hangs:
            return []
        return [f"{'enable' if hangs else 'disable'} health {self.runtime.backend}/{candidate.name}"]

    def route_lines(self, now: Iterable[str], wanted: Iterable[str]) -> list[str]:
        """Return the lines that change the current routes into the wanted ones."""
        file, now, wanted = self.slots.map_file, set(now), set(wanted)
        return [
            *(f"add map {file} {key} {_ROUTED}" for key in sorted(wanted - now)),
            *(f"del map {file} {key}" for key in sorted(now - wanted)),
        ]

    async def until(
        self, reached: Callable[[], Awaitable[bool]], *, what: str, share: float = PATIENCE
    ) -> None:
        """Wait until ``reached`` is true, for at most a ``share`` of the step's time.

        Raises:
            ActionInDoubtError: it did not become true within that time.
        """
        given_s = self.ctx.timeout_s * share
        until_s = self.until_s - self.ctx.timeout_s * (PATIENCE - share)
        while not await reached():
            if asyncio.get_running_loop().time() > until_s:
                raise ActionInDoubtError(
                    f"{what} did not come up within {duration(given_s)}.",
                    hint="Check the service's own log, then try again or roll back.",
                    code="not_in_time",
                )
            await asyncio.sleep(_LOOK_S)

    async def keep_out(self, name: str) -> None:
        """Put a server into maintenance, and count that it answers nothing more; open requests end normally.

        With a weight of 0, or drained, a server still gets what a cookie or a stick table sends there
        (HAProxy's management guide, ``set server … state``).

        Raises:
            ActionInDoubtError: the server still gets requests.
        """
        if not (await self.servers())[name].maintained:
            await self.send([self.keep_out_line(name)])
        await self.quiet(name)
        before = (await self.rows())[name]
        await asyncio.sleep(_SILENT_S)
        after = (await self.rows())[name]
        if after.requests - before.requests > before.sessions:
            raise ActionInDoubtError(
                f"{name} of {self.service} is in maintenance and still answers requests.",
                hint="Look for `force-persist` and `option persist` in HAProxy's configuration.",
                code="still_serving",
            )

    def keep_out_line(self, name: str) -> str:
        """Return the line that puts a server into maintenance."""
        return self.setting(name, "state maint")

    async def let_in(self, name: str) -> None:
        """End a server's maintenance; it counts as down until its next check."""
        server = (await self.servers())[name]
        if server.maintained:
            doubt = [self.setting(name, "health down")] if server.checked else []
            await self.send([self.setting(name, "state ready"), *doubt])

    async def let_in_healthy(self, names: Sequence[str], *, what: str) -> None:
        """End the maintenance of servers that are to get traffic, and wait until HAProxy finds them healthy.

        Raises:
            ActionInDoubtError: one of them is not healthy in time.
        """
        for name in names:
            await self.let_in(name)

        async def usable() -> bool:
            servers = await self.servers()
            return all(servers[name].usable for name in names)

        await self.until(usable, what=what)

    async def doubt(self, name: str) -> None:
        """Mark a server as down until its next check: HAProxy's state is that of the previous version."""
        if (await self.servers())[name].checked:
            await self.send([self.setting(name, "health down")])

    async def quiet(self, name: str) -> None:
        """Wait until a server has no open requests, for ten seconds at most."""
        loop = asyncio.get_running_loop()
        until_s = min(loop.time() + _QUIET_S, self.until_s)
        while (await self.rows())[name].sessions and loop.time() < until_s:  # noqa: ASYNC110  # HAProxy sends no event
            await asyncio.sleep(_LOOK_S)

    def require_serving(self, servers: Mapping[str, Server], weights: Mapping[str, int]) -> None:
        """Raise an error if these weights leave no server to serve.

        Raises:
            ActionFailedError: no usable server would have any traffic.
        """
        if not any(weight and servers[name].usable for name, weight in weights.items()):
            shown = ", ".join(f"{name} {weight}" for name, weight in weights.items())
            raise ActionFailedError(
                f"With {shown}, no healthy server of {self.service} would have any traffic.",
                hint="Start a healthy server first.",
                code="no_healthy_server",
            )


def backend_of(ctx: Context, service: str, settings: HAProxySettings) -> Backend:
    """Return the backend of a service; the step's time starts now."""
    return Backend(
        ctx=ctx,
        service=service,
        slots=Slots(
            stable=tuple(settings.stable.replace(",", " ").split()),
            candidate=settings.candidate,
            map_file=settings.map_file,
            lease=settings.lease,
            most_missing=settings.max_unavailable,
        ),
        runtime=RuntimeSocket(
            address=settings.socket,
            backend=settings.backend,
            timeout_s=min(_EXCHANGE_S, ctx.timeout_s * PATIENCE / 3),
        ),
        launcher=Launcher(ctx=ctx, url=settings.launch, service=service) if settings.launch else None,
        until_s=asyncio.get_running_loop().time() + ctx.timeout_s * PATIENCE,
    )
