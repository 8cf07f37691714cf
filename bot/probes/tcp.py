"""Opens TCP connections, to see whether a port accepts them and how fast."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from pydantic import Field

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeNotConfiguredError
from bot.domain.formatting import figure
from bot.engine.plugins import Context, probe
from bot.probes._shared.connect import SHARE_OF_TIME, Problem, host_and_port, problem_of


@probe(specialist="network")
async def check(
    ctx: Context,
    *,
    service: str,
    address: str = "address",
    within_s: Annotated[float, Field(gt=0)] | None = None,
) -> Measurement:
    """Whether a TCP port accepts a connection: 1 if it does, 0 if not; ``data.took_s`` is the time it took.

    Connects to ``address`` of the service's ``tcp`` source (``host:port``) and closes again, within
    ``within_s`` seconds (default: the step's time).  ``data`` holds ``took_s`` and ``problem``.

    The value is 0 when the connection is refused, breaks or hangs, and when the host name does not exist.

    Raises:
        ProbeNotConfiguredError: the service has no such ``address``, or it is not ``host:port``.
        ProbeUnavailableError: no name server answered; that does not mean that the port is closed.
    """
    where = ctx.source(service, "tcp").get(address)
    if not where:
        raise ProbeNotConfiguredError(f"The `tcp` source of {service} has no `{address}`.")
    host, port = host_and_port(where, what=f"`tcp.{address}` of {service}")
    limit_s = min(within_s or ctx.timeout_s, ctx.timeout_s * SHARE_OF_TIME)
    started = time.perf_counter()
    problem, why = await _connect(host, port, limit_s=limit_s)
    took_s = time.perf_counter() - started
    text = f"{where}: {why}" if problem else f"{where} accepts in {figure(took_s, 's')}"
    return Measurement(
        value=0.0 if problem else 1.0,
        unit="1 = accepts connections",
        at=ctx.clock.now(),
        text=f"{service}: {text}",
        data={"took_s": round(took_s, 4), "problem": problem},
    )


async def _connect(host: str, port: int, *, limit_s: float) -> tuple[Problem, str]:
    try:
        async with asyncio.timeout(limit_s):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        return "timeout", f"no connection within {figure(limit_s, 's')}"
    except OSError as error:
        return problem_of(error, host=host)
    # Close at once: nothing that the other side may still send is needed.
    writer.transport.abort()
    return "", ""
