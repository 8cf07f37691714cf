"""*Triage*, *Acknowledge*, *Silence* and *Mark as over* on an alert."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.intent import AcknowledgeAlert, CloseAlert, SilenceAlert
from bot.domain.runs.event import Origin
from bot.engine.params import complete_params
from bot.views import ids
from handlers.context import HandlerContext
from handlers.payloads import button_value, click_of, person_of, place_of
from handlers.triage import RUNBOOK

_SILENCE_S = 3600


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the buttons."""

    async def triage(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        alert = await desk.alert(button_value(action))
        runbook = desk.library.get(RUNBOOK)
        params = complete_params(runbook, {"service": alert.service}, catalogue=desk.catalogue)
        channel, thread = place_of(body)
        origin = Origin(kind="button", channel=channel, thread=thread, alert=alert.id)
        await desk.start(RUNBOOK, params, key=body["trigger_id"], by=person_of(body), origin=origin)
        await ack()

    async def acknowledge(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await desk.submit(
            AcknowledgeAlert(
                alert_id=button_value(action),
                **click_of(body, at=desk.clock.now()),
            )
        )
        await ack()

    async def silence(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await desk.submit(
            SilenceAlert(
                alert_id=button_value(action),
                seconds=_SILENCE_S,
                **click_of(body, at=desk.clock.now()),
            )
        )
        await ack()

    async def mark_over(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await desk.submit(
            CloseAlert(
                alert_id=button_value(action),
                **click_of(body, at=desk.clock.now()),
            )
        )
        await ack()

    app.action(ids.TRIAGE)(triage)
    app.action(ids.ACKNOWLEDGE)(acknowledge)
    app.action(ids.SILENCE)(silence)
    app.action(ids.MARK_OVER)(mark_over)
