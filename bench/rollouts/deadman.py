"""What becomes of a canary's traffic when the bot that carries its rollout is killed or stopped."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from bench.rollouts.clients import Seen, asking
from bench.rollouts.floor import Floor, floor_with, free_port
from bench.rollouts.launcher import ended
from bot.actions import deploy
from demo.scenarios.valkey import embedded_valkey

CANARY = "1.4.2"
_PERCENT = 30
_SILENT_S = 3.0
"""A candidate that nobody has heard for this long does not come back."""
_LONGEST_S = 30.0
"""A candidate that goes on for longer was not taken out."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a canary ended."""

    last_s: float
    """The candidate's last answer, in seconds after the signal."""
    is_over: bool
    """Whether it fell silent while it was watched."""
    requests: int
    broken: int
    canary_before: int
    """What the candidate answered until then; without any, nothing was measured."""


@contextlib.asynccontextmanager
async def leased_floor(*, patience: str = "300ms") -> AsyncIterator[tuple[Floor, str]]:
    """Bring up a floor whose candidate hangs on the bot's lease; gives it with the store's URL."""
    with tempfile.TemporaryDirectory(prefix="ph-") as folder:
        async with (
            embedded_valkey(Path(folder)) as url,
            floor_with(lease_port=free_port(), patience=patience) as floor,
        ):
            yield floor, url


@contextlib.asynccontextmanager
async def bot_beside(floor: Floor, url: str, *, role: str = "") -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the bot that holds the floor's lease and answers for it, or one of the two."""
    page = f"http://127.0.0.1:{floor.launcher.ports['canary']}/healthz"
    command = [sys.executable, "-m", "bench.rollouts.bot", url, str(floor.lease_port), page, role]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        yield process
    finally:
        await ended(process)


async def play(how: signal.Signals, *, apart: bool = False, patience: str = "300ms") -> Outcome:
    """Shift a canary, signal the bot, and watch who answers; ``apart`` spares what answers checks."""
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        floor, url = await stack.enter_async_context(leased_floor(patience=patience))
        if apart:
            await stack.enter_async_context(bot_beside(floor, url, role="answers"))
        role = "holds" if apart else ""
        process = await stack.enter_async_context(bot_beside(floor, url, role=role))
        await deploy.stage(floor.ctx(), service="shop", version=CANARY)
        await deploy.shift(floor.ctx(), service="shop", version=CANARY, percent=_PERCENT)
        async with asking(floor.port, clients=4, pause_s=0.002) as seen:
            await seen.until(500)
            before, sent_s = seen.answers[CANARY], loop.time()
            process.send_signal(how)
            last_s, is_over = await _last(seen, since_s=sent_s)
        return Outcome(
            last_s=last_s,
            is_over=is_over,
            requests=seen.requests,
            broken=seen.broken.total(),
            canary_before=before,
        )


async def _last(seen: Seen, *, since_s: float) -> tuple[float, bool]:
    """Watch the candidate until it is silent.

    Returns:
        Seconds from ``since_s`` to its last answer, and whether it fell silent.
    """
    loop = asyncio.get_running_loop()
    while True:
        last_s = max(since_s, seen.last_at_s.get(CANARY, since_s))
        is_over = loop.time() - last_s >= _SILENT_S
        if is_over or loop.time() - since_s >= _LONGEST_S:
            return last_s - since_s, is_over
        await asyncio.sleep(0.05)
