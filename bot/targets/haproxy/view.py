"""Turns HAProxy's servers and their slots into the target port's types; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.ports.targets import Instance, Role, RollbackCheck, VersionState
from bot.targets.haproxy.counts import Row
from bot.targets.haproxy.runtime_socket import Server
from bot.targets.haproxy.weights import WHOLE, share_of
from bot.targets.support.launcher import Slot


def instance_of(server: Server, versions: Mapping[str, Slot], role: Role) -> Instance:
    """Return one server as an instance."""
    slot = versions.get(server.name)
    return Instance(
        name=server.name,
        version=slot.version if slot else "",
        role=role,
        weight=server.weight,
        healthy=server.usable,
    )


def side_of(found: Sequence[Instance], role: Role, servers: Mapping[str, Server]) -> VersionState:
    """Return the servers of one role as one side."""
    own = [item for item in found if item.role == role]
    versions = {item.version for item in own}
    weights = {name: server.weight for name, server in servers.items()}
    return VersionState(
        version=versions.pop() if len(versions) == 1 else "",
        weight_percent=round(share_of(weights, [item.name for item in own]) * WHOLE, 2),
        healthy=any(item.healthy for item in own),
        instances=len(own),
    )


def room_of(rows: Mapping[str, Row], names: Iterable[str]) -> int | None:
    """Return how many requests these servers take at once; ``None`` if there is no limit."""
    rooms = [rows[name].room for name in names]
    known = [room for room in rooms if room is not None]
    return sum(known) if len(known) == len(rooms) else None


def no_way(because: str, checked: Sequence[str]) -> RollbackCheck:
    """Return that a rollback is impossible, and why."""
    return RollbackCheck(verdict="impossible", because=because, checked=tuple(checked))


def after_promotion(version: str, candidate: Slot, checked: Sequence[str]) -> RollbackCheck:
    """Return the rollback check after a promotion: the candidate's slot has or starts the old version."""
    if candidate.state == "running" and candidate.version != version:
        because = f"{candidate.version} is kept warm and can take all traffic"
        return RollbackCheck(verdict="safe", because=because, checked=(*checked, because))
    because = "the previous version must be started again, which the launcher can do"
    return RollbackCheck(verdict="safe", because=because, checked=(*checked, "the launcher answers"))
