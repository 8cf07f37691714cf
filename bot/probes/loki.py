"""Reads the logs that Loki keeps: errors, new and growing messages of a service and all it stands on."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Findings
from bot.engine.plugins import Context, probe
from bot.probes.logs.reading import STORES, look


@probe(specialist="logs")
async def errors(ctx: Context, *, service: str, since_s: float = 1800, neighbours: bool = True) -> Findings:
    """What Loki has of a service, and with ``neighbours`` of all it stands on, more often than before.

    The same as ``logs.errors``, of ``loki`` sources alone (``url`` and ``selector``).  Reads the latest 3000
    lines of each; where there are more, the latest 3000 of errors, and the number of all errors.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``loki`` source with these fields.
        ProbeUnavailableError: none can be read; that is not a quiet log.
        ProbeGarbageError: what answers is something else.
    """
    stores = {"loki": STORES["loki"]}
    return await look(ctx, service, stores=stores, since_s=since_s, neighbours=neighbours)
