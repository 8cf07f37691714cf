"""Divides the traffic between the stable slots and the candidate, and ties the candidate to the lease."""

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
    """Set weights and routes at once, and verify that they are in effect.

    Without a share and without routes the candidate is kept out of the way of persistence as well.

    Raises:
        ActionFailedError: HAProxy refused, and nothing has changed.
        ActionInDoubtError: they are not, or not known to be, as requested.
    """
    slots = backend.slots
    servers, now = await backend.servers(), await backend.routes()
    before = percent_of(backend, servers)
    wanted = weights_for(percent, stable=slots.stable, candidate=slots.candidate)
    after = {"percent": percent, "routes": sorted(routes)}
    result = partial(ChangeResult, before={"percent": before, "routes": sorted(now)}, after={**after})
    has_any = bool(percent) or bool(after["routes"])
    if await stands(backend, percent, routes):
        if not has_any:
            await backend.keep_out(slots.candidate)
        return result(summary=f"{backend.service}'s candidate already had {percent} %", changed=False)
    backend.require_serving(servers, wanted)
    # If the candidate serves alone, no server could take over: then it must not depend on the lease.
    leash = backend.lease_lines(servers, hangs=percent < WHOLE)
    moves = [*backend.weight_lines(wanted), *backend.route_lines(now, routes)]
    lines = [*moves, *leash] if percent < WHOLE else [*leash, *moves]
    if not has_any:  # in the same batch: whatever ends in between must not leave people there
        lines.append(backend.keep_out_line(slots.candidate))
    await _send(backend, lines, before=_state(servers, now))
    if not await _after_sending(stands(backend, percent, routes)):
        raise ActionInDoubtError(f"HAProxy was sent {percent} % for {slots.candidate}, but does not show it.")
    if not has_any:
        await _after_sending(backend.keep_out(slots.candidate))
    return result(summary=f"{backend.service}'s candidate has {percent} % of the traffic (was {before} %)")


async def set_weights(backend: Backend, weights: Mapping[str, int]) -> ChangeResult:
    """Set the weights of servers by name, 0 to 256 each; other servers keep theirs.

    Raises:
        ActionFailedError: there is no such server, no healthy one would have any traffic, or HAProxy refused;
            nothing has changed.
        ActionInDoubtError: the weights are not, or not known to be, as requested.
    """
    servers = await backend.servers()
    backend.knows(servers, weights)
    if kept_out := [name for name, weight in weights.items() if weight and servers[name].maintained]:
        await backend.let_in_healthy(kept_out, what=f"A healthy {', '.join(kept_out)}")
        servers = await backend.servers()
    before = {name: servers[name].weight for name in weights}
    result = partial(ChangeResult, before={"weights": {**before}}, after={"weights": {**weights}})
    if before == dict(weights):
        return result(summary=f"{backend.service}'s traffic was already at {_shown(weights)}", changed=False)
    backend.require_serving(servers, {name: server.weight for name, server in servers.items()} | {**weights})
    await _send(backend, backend.weight_lines(weights), before=_state(servers, await backend.routes()))
    after = await _after_sending(backend.servers())
    if any(after[name].weight != weight for name, weight in weights.items()):
        raise ActionInDoubtError(f"HAProxy was sent the weights {_shown(weights)}, but does not show them.")
    if weights.get(backend.slots.candidate) == 0 and not await _after_sending(backend.routes()):
        await _after_sending(backend.keep_out(backend.slots.candidate))
    return result(summary=f"{backend.service}'s traffic is at {_shown(weights)} (was {_shown(before)})")


async def stands(backend: Backend, percent: int, routes: Iterable[str]) -> bool:
    """Return whether these weights, these routes and the candidate's tie to the lease are in effect."""
    slots = backend.slots
    servers = await backend.servers()
    wanted = weights_for(percent, stable=slots.stable, candidate=slots.candidate)
    if any(servers[name].weight != weight for name, weight in wanted.items()):
        return False
    lease_is_right = not backend.lease_lines(servers, hangs=percent < WHOLE)
    return lease_is_right and await backend.routes() == frozenset(routes)


async def release_lease(backend: Backend) -> None:
    """Untie the candidate from the bot's lease, whichever worker holds it, if it reports healthy itself.

    Raises:
        ActionFailedError: the candidate reports that it is not healthy.
    """
    if not backend.slots.lease:
        return
    if not await backend.is_fit():
        raise ActionFailedError(
            f"{backend.service}'s candidate reports that it is not healthy.",
            hint="Roll back, or check its own health page.",
            code="no_healthy_server",
        )
    health = backend.setting(backend.slots.candidate, "health up")
    await backend.send([*backend.lease_lines(await backend.servers(), hangs=False), health])


def percent_of(backend: Backend, servers: Mapping[str, Server]) -> int:
    """Return the share of the traffic that the candidate gets, 0 to 100."""
    weights = {name: server.weight for name, server in servers.items()}
    return round(share_of(weights, [backend.slots.candidate]) * WHOLE)


async def _send(backend: Backend, lines: Sequence[str], *, before: _State) -> None:
    """Send lines; a complaint after which nothing has changed is a refusal."""
    try:
        await backend.send(lines)
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
    """Return what is read back; if it cannot be read, the change may still have been made."""
    try:
        return await reading
    except ActionFailedError as error:
        raise ActionInDoubtError(f"HAProxy got the commands, but then: {error}") from error


def _shown(weights: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name} {weight}" for name, weight in sorted(weights.items(), key=lambda item: -item[1])
    )
