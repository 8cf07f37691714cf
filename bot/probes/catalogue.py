"""Reads the catalogue: what a service is and what surrounds it."""

from __future__ import annotations

from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Facts
from bot.domain.formatting import listed
from bot.domain.model import JsonObject, JsonValue
from bot.engine.plugins import Context, probe


@probe(specialist="catalogue")
async def neighbourhood(ctx: Context, *, service: str) -> Facts:
    """What a service is, who owns it, what it depends on and what depends on it.

    Reads only the catalogue, so it needs no network and is always available.

    Raises:
        UnknownServiceError: the catalogue has no such service.
    """
    entry = ctx.service(service)
    downstream = ctx.catalogue.downstream(service)[1:]
    upstream = ctx.catalogue.upstream(service)
    parts = [f"{entry.name}: {entry.summary.rstrip('.')}." if entry.summary else f"{entry.name}."]
    if entry.owner:
        parts.append(f"Owner: {entry.owner}.")
    parts.append(f"Depends on {listed([s.name for s in downstream], most=8) or 'nothing in the catalogue'}.")
    parts.append(f"Called by {listed([s.name for s in upstream], most=8) or 'nothing in the catalogue'}.")
    return Facts(summary=" ".join(parts), data=_data(entry, downstream=downstream, upstream=upstream))


def _data(entry: Service, *, downstream: tuple[Service, ...], upstream: tuple[Service, ...]) -> JsonObject:
    target = entry.target.get(entry.versioned_by, {})
    return {
        "name": entry.name,
        "owner": entry.owner,
        "environment": entry.environment,
        "external": entry.external,
        "channel": entry.channel,
        "approvers": list(entry.approvers),
        "depends_on": list(entry.depends_on),
        "downstream": [service.name for service in downstream],
        "external_dependencies": [service.name for service in downstream if service.external],
        "upstream": [service.name for service in upstream],
        "versioned_by": entry.versioned_by,
        # Names of the target's parts only: an address may hold a password.
        "versions": {key: target[key] for key in ("backend", "stable", "candidate") if key in target},
        "sources": list[JsonValue](sorted(entry.sources)),
    }
