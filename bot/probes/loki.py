"""Reads logs from Loki: errors, new messages and growing ones of a service and its dependencies."""

from __future__ import annotations

from bot.domain.diagnoses.finding import Findings
from bot.engine.plugins import Context, probe
from bot.probes.logs.reading import STORES, read_logs


@probe(specialist="logs")
async def errors(ctx: Context, *, service: str, since_s: float = 1800, neighbours: bool = True) -> Findings:
    """What Loki has more of than before for a service, and with ``neighbours`` for its dependencies.

    The same as ``logs.errors``, for ``loki`` sources only (``url`` and ``selector``).  Reads the latest 3000
    lines of each source; if there are more, the latest 3000 errors and the number of all errors.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``loki`` source with these fields.
        ProbeUnavailableError: no source can be read; that does not mean that the log is quiet.
        ProbeGarbageError: the server is not Loki.
    """
    stores = {"loki": STORES["loki"]}
    return await read_logs(ctx, service, stores=stores, since_s=since_s, neighbours=neighbours)
