"""*Approve* and *Reject*."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.intent import CastVote
from bot.domain.runs.approval import Verdict
from bot.views import ids
from handlers.context import HandlerContext
from handlers.payloads import button_value, click_of


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register both buttons."""

    async def vote(body: dict[str, Any], action: dict[str, Any], verdict: Verdict) -> None:
        await desk.submit(
            CastVote(
                approval_id=button_value(action),
                verdict=verdict,
                **click_of(body, at=desk.clock.now()),
            )
        )

    async def approve(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await vote(body, action, "approve")
        await ack()

    async def reject(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await vote(body, action, "reject")
        await ack()

    app.action(ids.APPROVE)(approve)
    app.action(ids.REJECT)(reject)
