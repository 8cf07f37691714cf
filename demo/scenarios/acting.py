"""What both kinds of scenario share: find the requested run, and approve it as another person."""

from __future__ import annotations

import asyncio

from bot.domain.runs.run import Run
from bot.views.ids import APPROVE
from demo.scenarios.stage import DemoStage
from demo.scenarios.waiting import DemonstrationError

ASKS, APPROVES = "ana", "ben"
"""The requester and the approver; no person may be both."""


async def new_run(on: DemoStage, known: set[str]) -> str | None:
    """Return a run that is not among the known ones."""
    return next((run_id for run_id in await on.journal.recent() if run_id not in known), None)


async def approve(on: DemoStage, run: Run) -> bool:
    """Let the requester try, then another person approve; return whether the requester was refused."""
    gate = run.waiting_for
    assert gate is not None  # noqa: S101  # the caller has looked
    card = await on.posted(run.id, f"ask:{gate.id}")
    await on.press(card, APPROVE, user=ASKS)
    await asyncio.sleep(0.5)
    refused = (await on.run(run.id)).waiting_for is not None
    await on.press(card, APPROVE, user=APPROVES)
    return refused


async def post_to_shop(on: DemoStage, method: str, path: str, body: dict[str, object] | None = None) -> None:
    """Send a request to the shop's control API.

    Raises:
        DemonstrationError: the shop refused.
    """
    answer = await on.shop.request(method, path, json=body, timeout=30)
    if not answer.is_success:
        raise DemonstrationError(f"The shop refused {path}: {answer.text}")
