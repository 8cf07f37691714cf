"""Divides the traffic between the stable slots and the candidate, and its hold on the lease with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.ports.targets import ChangeResult
from bot.targets.haproxy_backend import Backend
from bot.targets.haproxy_socket import SocketServer
from bot.targets.haproxy_weights import WHOLE, share_of, weights_for


async def divide(backend: Backend, percent: int, routes: Iterable[str]) -> ChangeResult:
    """Set weights and routes in one go, and see that they stand.

    Raises:
        ActionInDoubtError: they do not.
    """
    slots = backend.slots
    servers, now = await backend.servers(), await backend.routes()
    before = percent_of(backend, servers)
    wanted = weights_for(percent, stable=slots.stable, candidate=slots.candidate)
    after = {"percent": percent, "routes": sorted(routes)}
    told = partial(ChangeResult, before={"percent": before, "routes": sorted(now)}, after={**after})
    if await stands(backend, percent, routes):
        return told(summary=f"{backend.service}'s candidate had {percent} % already", changed=False)
    backend.somebody_serves(servers, wanted)
    # Where the candidate serves alone, nobody could take over: then it must not hang on the lease.
    leash = backend.lease_lines(servers, hangs=percent < WHOLE)
    moves = [*backend.weight_lines(wanted), *backend.route_lines(now, routes)]
    await backend.tell([*moves, *leash] if percent < WHOLE else [*leash, *moves])
    if not await stands(backend, percent, routes):
        raise ActionInDoubtError(
            f"HAProxy was told {percent} % for {slots.candidate}, and it does not stand."
        )
    return told(summary=f"{backend.service}'s candidate has {percent} % of the traffic (was {before} %)")


async def stands(backend: Backend, percent: int, routes: Iterable[str]) -> bool:
    """Tell whether these weights and routes hold, and the candidate hangs on the lease as it should."""
    slots = backend.slots
    servers = await backend.servers()
    wanted = weights_for(percent, stable=slots.stable, candidate=slots.candidate)
    if any(servers[name].weight != weight for name, weight in wanted.items()):
        return False
    hangs_as_it_should = not backend.lease_lines(servers, hangs=percent < WHOLE)
    return hangs_as_it_should and await backend.routes() == frozenset(routes)


async def let_go(backend: Backend) -> None:
    """Take the candidate off the bot's lease, whoever holds it, once it has been seen healthy itself.

    Raises:
        ActionFailedError: it says itself that it is not healthy.
    """
    if not backend.slots.lease:
        return
    if not await backend.is_fit():
        raise ActionFailedError(
            f"{backend.service}'s candidate says that it is not healthy.",
            hint="Roll back, or look at its own health page.",
            code="no_healthy_server",
        )
    health = backend.setting(backend.slots.candidate, "health up")
    await backend.tell([*backend.lease_lines(await backend.servers(), hangs=False), health])


def percent_of(backend: Backend, servers: Mapping[str, SocketServer]) -> int:
    """Tell the share of the traffic that the candidate gets, 0 to 100."""
    weights = {name: server.weight for name, server in servers.items()}
    return round(share_of(weights, [backend.slots.candidate]) * WHOLE)
