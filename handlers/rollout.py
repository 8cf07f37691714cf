"""*Promote now*, *Pause*, *Resume*, *Abort* and *Why?* on a rollout."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.intent import SteerRun
from bot.domain.rollouts.canary import SteeringWord
from bot.views import ids
from bot.views.thread.rollout import rollout_why_modal
from handlers.context import HandlerContext
from handlers.opening import open_modal, readable_run
from handlers.payloads import button_value, click_of

Body = dict[str, Any]
Says = Callable[[AsyncAck, Body, Body], Awaitable[None]]

_WORDS: dict[str, SteeringWord] = {
    ids.PROMOTE: "promote",
    ids.PAUSE: "pause",
    ids.RESUME: "resume",
    ids.ABORT: "abort",
}


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the buttons."""
    for action_id, word in _WORDS.items():
        app.action(action_id)(_says(desk, word))

    async def why(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await ack()
        view = rollout_why_modal(await readable_run(desk, body, action))
        await open_modal(
            client, trigger_id=body["trigger_id"], view=view, what="open that", instead="Please click again."
        )

    app.action(ids.WHY_SO)(why)


def _says(desk: HandlerContext, word: SteeringWord) -> Says:
    async def say(ack: AsyncAck, body: Body, action: Body) -> None:
        click = click_of(body, at=desk.clock.now())
        await desk.submit(SteerRun(run_id=button_value(action), word=word, **click))
        await ack()

    return say
