"""Opens a modal in answer to a click."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import BotError
from bot.domain.model import JsonObject

_TOO_LATE = frozenset({"expired_trigger_id", "trigger_expired", "trigger_exchanged"})


async def open_modal(
    client: AsyncWebClient, *, trigger_id: str, view: JsonObject, what: str, instead: str
) -> None:
    """Open a modal; Slack allows three seconds for it.

    Raises:
        BotError: that is over; ``what`` could not be done, and ``instead`` is the way out.
    """
    try:
        await client.views_open(trigger_id=trigger_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") in _TOO_LATE:
            raise BotError(
                f"That took too long, so Slack did not let me {what}.", hint=instead, code="trigger_expired"
            ) from error
        raise
