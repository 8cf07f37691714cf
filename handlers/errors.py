"""The one place where failures become answers, so that every request gets one."""

from __future__ import annotations

import asyncio
import logging
import secrets
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltRequest
from slack_bolt.error import BoltUnhandledRequestError
from slack_bolt.response import BoltResponse

import handlers
from bot.domain.errors import BotError
from bot.domain.intent import Notice
from bot.views.answers import broken_text, error_text
from handlers.context import HandlerContext
from handlers.payloads import Payload, elements_of, person_of, place_of

log = logging.getLogger(__name__)

_LAST_RETRY = 3
"""The number of times that Slack redelivers an event."""
_PICKED_UP_S = 0.05
"""Bolt polls for an acknowledgement every 10 ms, and loses one if an error arrives before the next poll."""


class UnknownRequestError(BotError):
    """No handler exists for this: a button of an older version, or a command that was removed."""

    reason = "unknown_request"


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the error handler of all handlers."""

    async def answer(
        error: Exception,
        ack: AsyncAck,
        body: dict[str, Any],
        request: AsyncBoltRequest,
        response: BoltResponse | None,
    ) -> BoltResponse | None:
        is_event = body.get("type") == "event_callback"
        if isinstance(error, BoltUnhandledRequestError):
            if is_event or _is_link(body):
                return BoltResponse(status=200)
            error = _unknown(body)
        text = _text(error, body)
        if is_event and response is not None:
            # Not acknowledged, so Slack delivers it again; only the last failure is final.
            if _retry(request) >= _LAST_RETRY:
                await _notify(desk, body, text)
            return None
        if response is not None and "command" in body:
            return BoltResponse(status=200, body={"text": text, "response_type": "ephemeral"})
        if response is not None and body.get("type") == "view_submission":
            return BoltResponse(
                status=200, body={"response_action": "errors", "errors": {_first_input(body): text}}
            )
        if response is not None:
            await ack()
        else:
            await asyncio.sleep(_PICKED_UP_S)
        await _notify(desk, body, text)
        return BoltResponse(status=200) if response is not None else None

    app.error(answer)


def _unknown(body: Payload) -> UnknownRequestError:
    """Return the error for an unknown command or button, with the commands to use instead."""
    known = ", ".join(
        f"`{module.COMMAND} help`" for module in handlers.modules() if hasattr(module, "COMMAND")
    )
    if "command" in body:
        asked = f"Unknown command `{body['command']}`. It may have been removed."
        return UnknownRequestError(asked, hint=f"Available commands: {known}.")
    hint = f"Use the newer buttons at the end of the thread, or start again: {known}."
    return UnknownRequestError("This button no longer works: an older version of me posted it.", hint=hint)


def _text(error: Exception, body: Payload) -> str:
    if isinstance(error, BotError):
        log.info("request_refused", extra={"reason": error.code, "payload": _kind(body)})
        return error_text(error)
    reference = secrets.token_hex(4)
    log.error("handler_crashed", extra={"reference": reference, "payload": _kind(body)}, exc_info=error)
    return broken_text(reference)


async def _notify(desk: HandlerContext, body: Payload, text: str) -> None:
    channel, thread = place_of(body)
    person = person_of(body)
    if person.id:
        await desk.notifier.notify(Notice(user=person.id, channel=channel, thread=thread, text=text))


def _kind(body: Payload) -> str:
    event = body.get("event") or {}
    return str(body.get("command") or event.get("type") or body.get("type") or "unknown")


def _retry(request: AsyncBoltRequest) -> int:
    number = request.headers.get("x-slack-retry-num", ["0"])[0]
    return int(number) if number.isdecimal() else 0


def _first_input(body: Payload) -> str:
    blocks = body["view"]["blocks"]
    return next((str(block["block_id"]) for block in blocks if block["type"] == "input"), "")


def _is_link(body: Payload) -> bool:
    """Return whether only link buttons were clicked; the browser follows them, so no answer is needed."""
    actions = body.get("actions") or ()
    shown = (*elements_of(body.get("message") or {}), *elements_of(body.get("view") or {}))
    links = {item.get("action_id") for item in shown if item.get("url")}
    return bool(actions) and all(action.get("action_id") in links for action in actions)
