"""Tests the dead-man switch: hits the processes that hold a canary's lease in the middle of it."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime
from typing import Any

from bot.domain.runs.event import CanaryJudged
from demo.scenarios.processes import killed
from demo.scenarios.rollouts import RolloutScenario, Strike
from demo.scenarios.stage import DemoStage
from demo.scenarios.waiting import until

HOLDERS = ("worker", "web")
"""The role that runs the rollout and renews its lease, and the role that reports it to the balancer."""
_CANARY_S = 120.0
_ENOUGH = 20
"""The canary's answers needed first; without traffic, its silence could not be seen."""
STRUCK_S = 4.0
"""Seconds until the new ones are started: longer than any candidate may continue without them."""


def signal_of(strike: Strike) -> signal.Signals:
    """Return the signal for it; pure."""
    return signal.SIGKILL if strike == "killed" else signal.SIGSTOP


def silent_after(load: dict[str, Any], version: str, *, moment: datetime) -> float:
    """Return how many seconds after a given time a version last answered the shop's clients; pure."""
    last = load["by_version"].get(version, {}).get("last_at")
    return 0.0 if last is None else max(0.0, (datetime.fromisoformat(last) - moment).total_seconds())


async def strike(on: DemoStage, one: RolloutScenario, run_id: str) -> float:
    """Hit the holders of the lease while the canary is judged, then start new ones.

    A stopped worker stays, as one does that hangs, until the fresh one has carried the run to its end; a
    stopped ``web`` has to go first, because its port can be had only once.

    Returns:
        Seconds from the signal to the canary's last answer before the fresh ones came.
    """
    assert one.struck  # noqa: S101  # the caller has looked

    async def is_judged() -> bool | None:
        judged = any(isinstance(event, CanaryJudged) for event in await on.journal.load(run_id))
        seen = (await _load(on, one))["by_version"].get(one.version, {})
        return (judged and seen.get("answered", 0) >= _ENOUGH) or None

    await until(is_judged, "the canary's traffic", _CANARY_S)
    moment = on.clock.now()
    hit = on.world.roles.hit(HOLDERS, signal_of(one.struck))
    await asyncio.sleep(STRUCK_S)
    silent_s = silent_after(await _load(on, one), one.version, moment=moment)
    await killed(hit["web"])
    for role in HOLDERS:
        await on.world.roles.start(role)
    await on.world.ready()
    await on.when(run_id, lambda run: run.state == "finished", "a new worker to end the run", _CANARY_S)
    await killed(hit["worker"])
    return round(silent_s, 2)


async def _load(on: DemoStage, one: RolloutScenario) -> dict[str, Any]:
    found: dict[str, Any] = (await on.shop.get(f"/load/{one.service}")).json()
    return found
