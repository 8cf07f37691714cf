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

from bench.rollouts.clients import asking
from bench.rollouts.floor import Floor, floor_with, free_port
from bench.rollouts.launcher import ended
from bot.actions import deploy
from demo.scenarios.valkey import embedded_valkey

CANARY = "1.4.2"
_PERCENT = 30
_LONG_S = 4.0
"""Longer than any candidate may go on; what answers later was not taken out."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a canary ended."""

    last_s: float
    """The candidate's last answer, in seconds after the signal."""
    requests: int
    broken: int
    canary_before: int
    """What the candidate answered until then; without any, nothing was measured."""


@contextlib.asynccontextmanager
async def leased_floor() -> AsyncIterator[tuple[Floor, str]]:
    """Bring up a floor whose candidate hangs on the bot's lease; gives it with the store's URL."""
    with tempfile.TemporaryDirectory(prefix="ph-") as folder:
        async with embedded_valkey(Path(folder)) as url, floor_with(lease_port=free_port()) as floor:
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


async def play(how: signal.Signals, *, apart: bool = False) -> Outcome:
    """Shift a canary, signal the bot, and watch who answers; ``apart`` spares what answers checks."""
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        floor, url = await stack.enter_async_context(leased_floor())
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
            await asyncio.sleep(_LONG_S)
        return Outcome(
            last_s=max(0.0, seen.last_at_s.get(CANARY, sent_s) - sent_s),
            requests=seen.requests,
            broken=seen.broken.total(),
            canary_before=before,
        )
