"""Reads traces: which operations of a service, and of others in its traces, fail or take longer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from bot.diagnosis.signals.spans import findings_of, own_parts
from bot.diagnosis.signals.trace_span import CallSpan
from bot.domain.diagnoses.finding import Findings
from bot.domain.errors import ProbeNotConfiguredError
from bot.domain.formatting import duration
from bot.engine.plugins import Context, probe
from bot.probes.traces.readers import jaeger, tempo


@probe(specialist="monitoring")
async def spans(ctx: Context, *, service: str, since_s: float = 1800) -> Findings:
    """Which operations in a service's traces fail first, or have a longer self time than before.

    Reads traces that the service takes part in, spread over the last ``since_s`` seconds, with all their
    spans, of any service: from ``jaeger`` (320 at most) or ``tempo`` (40 at most) of its ``traces`` source,
    under the name ``service`` (default: its name in the catalogue).  Self time is the time that no child span
    accounts for; a failure counts where it began.  If there is no trace at all, that is a gap.

    Raises:
        ProbeNotConfiguredError: the service has no ``traces`` source with a ``jaeger`` or a ``tempo``.
        ProbeUnavailableError: the traces cannot be read.
        ProbeGarbageError: the server is neither Jaeger nor Tempo.
    """
    source = ctx.source(service, "traces")
    read = jaeger if source.get("jaeger") else tempo
    if not (source.get("jaeger") or source.get("tempo")):
        raise ProbeNotConfiguredError(f"The `traces` source of {service} has no `jaeger` and no `tempo`.")
    name = source.get("service", service)
    end_s = ctx.clock.now().timestamp()
    start_s = end_s - since_s
    found = await read(ctx, source, name, start_s=start_s, end_s=end_s)
    ours = _with_catalogue_names(ctx, found)
    judged = await asyncio.to_thread(
        lambda: findings_of(own_parts(ours), names=ctx.catalogue.names, start_s=start_s, end_s=end_s)
    )
    troubled = {finding.service for finding in judged}
    calm = sorted(({each.service for each in ours} & set(ctx.catalogue.names)) - troubled)
    traces = len({each.trace for each in ours})
    return Findings(
        items=judged,
        looked_at=f"{len(ours)} spans in {traces} traces of {service} over {duration(since_s)}",
        normal=tuple(f"{name}: no operation fails or has a longer self time than before" for name in calm),
        gaps=() if ours else (f"{service}: no trace was found",),
    )


def _with_catalogue_names(ctx: Context, found: Iterable[CallSpan]) -> list[CallSpan]:
    """Return the spans with the catalogue's names of services."""
    entries = ctx.catalogue.services
    names = {entry.sources.get("traces", {}).get("service", entry.name): entry.name for entry in entries}
    return [
        replace(each, service=names.get(each.service, each.service), peer=names.get(each.peer, each.peer))
        for each in found
    ]
