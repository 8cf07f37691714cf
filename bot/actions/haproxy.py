"""Shifts a service's traffic between the servers of its HAProxy backend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from bot.actions._shared.targets import PATIENCE, change_of, field_of, settings_of
from bot.domain.diagnoses.change import ChangeKind
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.model import JsonObject
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action
from bot.targets.haproxy_socket import RuntimeSocket, SocketServer

Weights = Annotated[dict[str, Annotated[int, Field(ge=0, le=256)]], Field(min_length=1)]
"""The weight of each server: its share of the traffic relative to the others."""

_WHOLE = 100
_EXCHANGES = 3  # look, shift, look again: what one action says to the socket


async def is_shifted(ctx: Context, *, service: str, weights: Weights) -> ActionResult | None:
    """Tell whether the weights stand already; asked only when an interrupted try may have set them.

    Raises:
        ActionFailedError: HAProxy cannot be asked.
    """
    runtime = _runtime(ctx, service)
    servers = await runtime.servers()
    wanted = _by_server(ctx, service, weights, servers)
    if not _stands(servers, wanted):
        return None
    # What stood before is not known any more, so ``before`` is empty and an undo says so.
    return _done(ctx, service, kind="deploy", before={}, after=wanted)


@action(specialist="traffic", in_doubt="retry", look=is_shifted)
async def shift(ctx: Context, *, service: str, weights: Weights) -> ActionResult:
    """Set the weights of ``service``'s servers, 0 to 256 each, by ``stable``, ``candidate`` or server name.

    Servers that are not named keep theirs.  ``before`` of the result holds ``weights``: what stood before.
    HAProxy knows neither keys nor fencing tokens; setting the same weights twice changes nothing.

    Raises:
        ActionFailedError: HAProxy cannot be reached or refused, there is no such server, or no healthy server
            would be left with traffic; nothing was changed.
        ActionInDoubtError: HAProxy was told and the weights are not, or not known to be, as asked.
    """
    runtime = _runtime(ctx, service)
    servers = await runtime.servers()
    wanted = _by_server(ctx, service, weights, servers)
    return await _shift(ctx, service, runtime, servers, wanted, kind="deploy")


async def is_rolled_back(
    ctx: Context, *, service: str, version: str = "", previous_version: str = ""
) -> ActionResult | None:
    """Tell whether ``stable`` serves alone already; asked only after an interrupted try.

    Raises:
        ActionFailedError: HAProxy cannot be asked.
    """
    servers = await _runtime(ctx, service).servers()
    wanted = _by_server(ctx, service, _BACK, servers)
    if not _stands(servers, wanted):
        return None
    return _done(
        ctx,
        service,
        kind="rollback",
        before={},
        after=wanted,
        versions=_versions(version, previous_version),
    )


@action(specialist="traffic", in_doubt="retry", look=is_rolled_back)
async def rollback(
    ctx: Context, *, service: str, version: str = "", previous_version: str = ""
) -> ActionResult:
    """Give all traffic of ``service`` back to ``stable`` (weight 100) and none to ``candidate``.

    ``version`` is what is taken back, ``previous_version`` what serves again; both are for the record only.
    ``before`` of the result holds ``weights``: what stood before.

    Raises:
        ActionFailedError: HAProxy cannot be reached or refused, or ``stable`` is not healthy; nothing was
            changed.
        ActionInDoubtError: HAProxy was told and the weights are not, or not known to be, as asked.
    """
    runtime = _runtime(ctx, service)
    servers = await runtime.servers()
    wanted = _by_server(ctx, service, _BACK, servers)
    versions = _versions(version, previous_version)
    return await _shift(ctx, service, runtime, servers, wanted, kind="rollback", versions=versions)


_BACK: Weights = {"stable": _WHOLE, "candidate": 0}


async def _shift(
    ctx: Context,
    service: str,
    runtime: RuntimeSocket,
    servers: Mapping[str, SocketServer],
    wanted: Mapping[str, int],
    *,
    kind: ChangeKind,
    versions: Mapping[str, str] | None = None,
) -> ActionResult:
    before = {name: servers[name].weight for name in wanted}
    if _stands(servers, wanted):
        return ActionResult(
            summary=f"{service}'s traffic was at {_shown(wanted)} already",
            changed=False,
            before={"weights": {**before}},
            after={"weights": {**wanted}},
        )
    _leaves_somebody(service, servers, wanted)
    complaint = await runtime.set_weights(wanted)
    after = await _seen(runtime)
    if _stands(after, wanted):
        return _done(ctx, service, kind=kind, before=before, after=wanted, versions=versions)
    if {name: server.weight for name, server in after.items()} == _weights(servers):
        raise ActionFailedError(f"HAProxy refused: {complaint or 'the weights stayed as they were'}")
    raise ActionInDoubtError(
        f"{service}'s traffic is at {_shown(_weights(after))}, not at {_shown(wanted)}."
        f"{f' HAProxy said: {complaint}' if complaint else ''}"
    )


async def _seen(runtime: RuntimeSocket) -> dict[str, SocketServer]:
    try:
        return await runtime.servers()
    except ActionFailedError as error:
        raise ActionInDoubtError(f"HAProxy was told, and then: {error}") from error


def _runtime(ctx: Context, service: str) -> RuntimeSocket:
    settings = settings_of(ctx, service, where="target", kind="haproxy")
    return RuntimeSocket(
        address=field_of(settings, "socket", service=service, kind="haproxy"),
        backend=field_of(settings, "backend", service=service, kind="haproxy"),
        timeout_s=ctx.timeout_s * PATIENCE / _EXCHANGES,
    )


def _by_server(
    ctx: Context, service: str, weights: Mapping[str, int], servers: Mapping[str, SocketServer]
) -> dict[str, int]:
    """Turn the catalogue's ``stable`` and ``candidate`` into names of servers; a server's own name wins."""
    roles = settings_of(ctx, service, where="target", kind="haproxy")
    wanted = {(name if name in servers else roles.get(name, name)): value for name, value in weights.items()}
    unknown = sorted(set(wanted) - set(servers))
    if unknown:
        raise ActionFailedError(
            f"{service}'s backend has no server {', '.join(unknown)}; it has {', '.join(sorted(servers))}.",
            hint="Check `stable` and `candidate` in the catalogue.",
            code="unknown_server",
        )
    return wanted


def _leaves_somebody(service: str, servers: Mapping[str, SocketServer], wanted: Mapping[str, int]) -> None:
    """Refuse to send all traffic to servers that cannot take it."""
    after = {**_weights(servers), **wanted}
    if not any(weight and servers[name].usable for name, weight in after.items()):
        raise ActionFailedError(
            f"At {_shown(after)} no healthy server of {service} would have any traffic.",
            hint="Bring that server up first.",
            code="no_healthy_server",
        )


def _stands(servers: Mapping[str, SocketServer], wanted: Mapping[str, int]) -> bool:
    return all(servers[name].weight == weight for name, weight in wanted.items())


def _weights(servers: Mapping[str, SocketServer]) -> dict[str, int]:
    return {name: server.weight for name, server in servers.items()}


def _shown(weights: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name} {weight}" for name, weight in sorted(weights.items(), key=lambda item: -item[1])
    )


def _versions(version: str, previous_version: str) -> dict[str, str]:
    """Name what serves after a rollback ``version``, as the ledger does after a deploy."""
    return {"version": previous_version, "previous_version": version}


def _done(
    ctx: Context,
    service: str,
    *,
    kind: ChangeKind,
    before: Mapping[str, int],
    after: Mapping[str, int],
    versions: Mapping[str, str] | None = None,
) -> ActionResult:
    known = {key: value for key, value in (versions or {}).items() if value}
    back = f"back to {known['version']}, " if "version" in known else ""
    summary = f"{service}'s traffic is {back}at {_shown(after)}{f' (was {_shown(before)})' if before else ''}"
    weights: JsonObject = {"before": {**before}, "after": {**after}}
    return ActionResult(
        summary=summary,
        before={"weights": {**before}} if before else {},
        after={"weights": {**after}},
        change=change_of(
            ctx,
            kind=kind,
            service=service,
            summary=summary,
            before=known.get("previous_version", _shown(before)),
            after=known.get("version", _shown(after)),
            data={**known, "weights": weights},
        ),
    )
