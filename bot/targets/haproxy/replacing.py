"""Updates servers of an HAProxy backend to another version, batch by batch, without losing a request."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.targets.haproxy.backend import Backend
from bot.targets.support.http_effects import PATIENCE

_COME_UP = 0.5
"""The share of a step's time in which a version must be healthy; the rest is for going back."""


async def replace(
    backend: Backend, versions: Mapping[str, str], *, fall_back: bool = False
) -> dict[str, str]:
    """Update each named server to its version; return the previous versions of those that were changed.

    With ``fall_back``, if a version does not come up, the previous one is restored at once on every server
    that was updated, and the update counts as refused.

    Raises:
        ActionFailedError: no server would be left to serve, the launcher refused, or the version did not come
            up and the previous one serves again.
        ActionInDoubtError: a server did not come up; it gets no traffic.
        StaleEpochError: the launcher has seen a newer owner of this effect.
    """
    slots = await backend.versions()
    unknown = sorted(set(versions) - set(slots))
    if unknown:
        raise ActionFailedError(
            f"{backend.service} has no instance {', '.join(unknown)}; it has {', '.join(sorted(slots))}.",
            hint="Use the catalogue's names, from `stable` and `candidate`.",
            code="unknown_server",
        )
    due = [name for name, version in versions.items() if not _runs(backend, slots[name].version, version)]
    drained = await _drained(backend, [name for name in versions if name not in due])
    await asyncio.gather(*(_let_in(backend, name, versions[name]) for name in drained))
    begun: dict[str, str] = {}
    for batch in _batches(due, most=backend.slots.most_missing):
        await _require_others_serving(backend, batch)
        begun |= {name: slots[name].version for name in batch}
        share = _COME_UP if fall_back else PATIENCE
        tries = (_replace_one(backend, name, versions[name], share=share) for name in batch)
        failed = [error for error in await asyncio.gather(*tries, return_exceptions=True) if error]
        if fall_back and any(isinstance(e, ActionInDoubtError) and e.code == "not_in_time" for e in failed):
            raise await _put_back(backend, begun, why=str(failed[0]))
        for error in failed:
            raise error
    return begun


async def _put_back(backend: Backend, before: Mapping[str, str], *, why: str) -> ActionFailedError:
    """Restore the previous versions of servers; return the error that reports it.

    Raises:
        ActionInDoubtError: one of them does not come up again; it gets no traffic.
    """
    for name, version in before.items():
        await _replace_one(backend, name, version)
    back = ", ".join(f"{version} on {name}" for name, version in before.items())
    return ActionFailedError(
        f"{why.rstrip('.')}; {back} serves again.",
        hint="Check the log of the version that did not come up.",
        code="did_not_come_up",
    )


def _runs(backend: Backend, found: str, wanted: str) -> bool:
    backend.needs_launcher()
    return found == wanted


async def _drained(backend: Backend, names: Sequence[str]) -> list[str]:
    """Return the servers that an interrupted attempt left out of the traffic, healthy or not."""
    servers = await backend.servers()
    return [name for name in names if servers[name].drained or servers[name].maintained]


def _batches(names: Sequence[str], *, most: int) -> list[Sequence[str]]:
    return [names[start : start + most] for start in range(0, len(names), most)]


async def _require_others_serving(backend: Backend, batch: Sequence[str]) -> None:
    servers = await backend.servers()
    others = {name: server.weight for name, server in servers.items() if name not in batch}
    carries = any(servers[name].weight for name in batch)
    if carries:
        backend.require_serving(servers, others)


async def _replace_one(backend: Backend, name: str, version: str, *, share: float = PATIENCE) -> None:
    launcher = backend.needs_launcher()
    await backend.send([backend.setting(name, "state maint")])  # a drained one still gets what persists there
    await backend.quiet(name)
    try:
        await launcher.start(name, version)
    except ActionFailedError:
        await backend.send([backend.setting(name, "state ready")])
        raise

    async def launched() -> bool:
        slot = await launcher.slot(name)
        return (slot.version, slot.state) == (version, "running")

    await backend.until(launched, what=f"{version} on {name}", share=share)
    await _let_in(backend, name, version, share=share)


async def _let_in(backend: Backend, name: str, version: str, *, share: float = PATIENCE) -> None:
    """Return a drained server to the traffic as soon as it is healthy."""

    async def up() -> bool:
        return (await backend.servers())[name].up

    # Drained, it is checked; until its next check its state is that of the version before.
    doubt = [backend.setting(name, "health down")] if (await backend.servers())[name].checked else []
    await backend.send([backend.setting(name, "state drain"), *doubt])
    await backend.until(up, what=f"A healthy {version} on {name}", share=share)
    await backend.send([backend.setting(name, "state ready")])
