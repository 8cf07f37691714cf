"""*Cancel* on an active run, *Triage again* on a finished one, and *Deploy* on a plan."""

from __future__ import annotations

from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp

from bot.domain.intent import CancelRun
from bot.domain.runs.event import Origin
from bot.engine.params import complete_params
from bot.views import ids
from handlers.context import HandlerContext
from handlers.payloads import button_value, click_of, person_of, place_of


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the buttons."""

    async def cancel(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        await desk.submit(
            CancelRun(
                run_id=button_value(action),
                **click_of(body, at=desk.clock.now()),
            )
        )
        await ack()

    async def again(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        run = await desk.run(button_value(action))
        runbook = desk.library.get(run.runbook.name)
        params = complete_params(runbook, run.params, catalogue=desk.catalogue)
        channel, thread = place_of(body)
        origin = Origin(kind="button", channel=channel, thread=thread, alert=run.origin.alert)
        await desk.start(runbook.name, params, key=body["trigger_id"], by=person_of(body), origin=origin)
        await ack()

    async def deploy(ack: AsyncAck, body: dict[str, Any], action: dict[str, Any]) -> None:
        run = await desk.run(button_value(action))
        runbook = desk.library.get(run.runbook.name)
        given = {name: value for name, value in run.params.items() if name != "dry_run"}
        params = complete_params(runbook, given, catalogue=desk.catalogue)
        channel, _ = place_of(body)
        origin = Origin(kind="button", channel=channel)
        await desk.start(runbook.name, params, key=body["trigger_id"], by=person_of(body), origin=origin)
        await ack()

    app.action(ids.CANCEL_RUN)(cancel)
    app.action(ids.DEPLOY_PLAN)(deploy)
    app.action(ids.TRIAGE_AGAIN)(again)
