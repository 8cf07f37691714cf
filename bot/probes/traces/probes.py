"""Reads traces: which operations fail or take longer by themselves, of a service and all that takes part."""

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
    """Which operations in a service's traces fail first or take longer by themselves than before.

    Reads traces that the service takes part in, spread over the last ``since_s`` seconds, and all spans in
    them, whoever's they are: from ``jaeger`` (320 at most) or ``tempo`` (40 at most) of its ``traces``
    source, where it is called ``service``, else as in the catalogue.  Self time is what no child accounts
    for; a failure counts where it began.  No trace at all is a gap, not calm.

    Raises:
        ProbeNotConfiguredError: the service has no ``traces`` source with a ``jaeger`` or a ``tempo``.
        ProbeUnavailableError: the traces cannot be read.
        ProbeGarbageError: what answers is neither.
    """
    source = ctx.source(service, "traces")
    read = jaeger if source.get("jaeger") else tempo
    if not (source.get("jaeger") or source.get("tempo")):
        raise ProbeNotConfiguredError(f"The `traces` source of {service} has no `jaeger` and no `tempo`.")
    name = source.get("service", service)
    end_s = ctx.clock.now().timestamp()
    start_s = end_s - since_s
    found = await read(ctx, source, name, start_s=start_s, end_s=end_s)
    ours = _in_our_words(ctx, found)
    judged = await asyncio.to_thread(
        lambda: findings_of(own_parts(ours), names=ctx.catalogue.names, start_s=start_s, end_s=end_s)
    )
    troubled = {finding.service for finding in judged}
    calm = sorted(({each.service for each in ours} & set(ctx.catalogue.names)) - troubled)
    traces = len({each.trace for each in ours})
    return Findings(
        items=judged,
        looked_at=f"{len(ours)} spans in {traces} traces of {service} over {duration(since_s)}",
        normal=tuple(f"{name}: no operation fails or takes longer by itself than before" for name in calm),
        gaps=() if ours else (f"{service}: no trace of it was found",),
    )


def _in_our_words(ctx: Context, found: Iterable[CallSpan]) -> list[CallSpan]:
    """Call services as the catalogue does."""
    entries = ctx.catalogue.services
    names = {entry.sources.get("traces", {}).get("service", entry.name): entry.name for entry in entries}
    return [
        replace(each, service=names.get(each.service, each.service), peer=names.get(each.peer, each.peer))
        for each in found
    ]
