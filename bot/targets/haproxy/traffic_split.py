"""Divides the traffic between the stable slots and the candidate, and its hold on the lease with it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.ports.targets import ChangeResult
from bot.targets.haproxy.backend import REFUSED_IN_PART, Backend
from bot.targets.haproxy.runtime_socket import Server
from bot.targets.haproxy.weights import WHOLE, share_of, weights_for

T = TypeVar("T")
_State = tuple[dict[str, tuple[int, bool]], frozenset[str]]
"""The weight of each server and whether it is checked, and the routes to the candidate."""


async def divide(backend: Backend, percent: int, routes: Iterable[str]) -> ChangeResult:
    """Set weights and routes in one go, and see that they stand.

    Raises:
        ActionFailedError: HAProxy refused, and everything is as it was.
        ActionInDoubtError: they are not, or not known to be, as asked.
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
    lines = [*moves, *leash] if percent < WHOLE else [*leash, *moves]
    await _send(backend, lines, before=_state(servers, now))
    if not await _after_sending(stands(backend, percent, routes)):
        raise ActionInDoubtError(
            f"HAProxy was told {percent} % for {slots.candidate}, and it does not stand."
        )
    return told(summary=f"{backend.service}'s candidate has {percent} % of the traffic (was {before} %)")


async def set_weights(backend: Backend, weights: Mapping[str, int]) -> ChangeResult:
    """Set the weights of servers by name, 0 to 256 each; those that are not named keep theirs.

    Raises:
        ActionFailedError: there is no such server, no healthy one would have any traffic, or HAProxy refused;
            everything is as it was.
        ActionInDoubtError: the weights are not, or not known to be, as asked.
    """
    servers = await backend.servers()
    backend.knows(servers, weights)
    before = {name: servers[name].weight for name in weights}
    result = partial(ChangeResult, before={"weights": {**before}}, after={"weights": {**weights}})
    if before == dict(weights):
        return result(summary=f"{backend.service}'s traffic was at {_shown(weights)} already", changed=False)
    backend.somebody_serves(servers, {name: server.weight for name, server in servers.items()} | {**weights})
    await _send(backend, backend.weight_lines(weights), before=_state(servers, await backend.routes()))
    after = await _after_sending(backend.servers())
    if any(after[name].weight != weight for name, weight in weights.items()):
        raise ActionInDoubtError(f"HAProxy was asked for {_shown(weights)}, and does not show these weights.")
    said = f"{backend.service}'s traffic is at {_shown(weights)} (was {_shown(before)})"
    return result(summary=said)


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


def percent_of(backend: Backend, servers: Mapping[str, Server]) -> int:
    """Tell the share of the traffic that the candidate gets, 0 to 100."""
    weights = {name: server.weight for name, server in servers.items()}
    return round(share_of(weights, [backend.slots.candidate]) * WHOLE)


async def _send(backend: Backend, lines: Sequence[str], *, before: _State) -> None:
    """Send lines; a complaint after which everything is as it was is a refusal."""
    try:
        await backend.tell(lines)
    except ActionInDoubtError as error:
        if error.code != REFUSED_IN_PART:
            raise
        servers = await _after_sending(backend.servers())
        if _state(servers, await _after_sending(backend.routes())) == before:
            raise ActionFailedError(str(error), code="target_refused") from error
        raise


def _state(servers: Mapping[str, Server], routes: frozenset[str]) -> _State:
    return {name: (server.weight, server.checked) for name, server in servers.items()}, routes


async def _after_sending(reading: Awaitable[T]) -> T:
    """Read back what was sent; what cannot be read may have been done."""
    try:
        return await reading
    except ActionFailedError as error:
        raise ActionInDoubtError(f"HAProxy was told, and then: {error}") from error


def _shown(weights: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name} {weight}" for name, weight in sorted(weights.items(), key=lambda item: -item[1])
    )
