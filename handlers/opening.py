"""Functions that open a modal after a click, for a person who may read its contents."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import BotError
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from handlers.context import HandlerContext
from handlers.payloads import Payload, button_value, person_of

_TOO_LATE = frozenset({"expired_trigger_id", "trigger_expired", "trigger_exchanged"})


async def readable_run(desk: HandlerContext, body: Payload, action: Payload) -> Run:
    """Return the run that a button is about.

    Raises:
        NotAllowedError: the person may not read its service.
        NotFoundError: the run no longer exists.
    """
    right = await desk.reader(person_of(body))
    run = await desk.run(button_value(action))
    right.require(run.service)
    return run


async def open_modal(
    client: AsyncWebClient,
    *,
    trigger_id: str,
    view: JsonObject,
    what: str,
    instead: str,
    on_top: bool = False,
) -> None:
    """Open a modal, or put it ``on_top`` of the one that was clicked; Slack allows three seconds for it.

    Raises:
        BotError: that time is over; ``what`` names the failed step, and ``instead`` is the hint.
    """
    try:
        if on_top:
            await client.views_push(trigger_id=trigger_id, view=view)
        else:
            await client.views_open(trigger_id=trigger_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") in _TOO_LATE:
            raise BotError(
                f"That took too long, so Slack did not let me {what}.", hint=instead, code="trigger_expired"
            ) from error
        raise
