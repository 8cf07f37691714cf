"""The people, places and texts in Slack's payloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, TypedDict

from slack_bolt.context.async_context import AsyncBoltContext

from bot.domain.people import Person

Payload = Mapping[str, Any]
"""A request from Slack, as JSON."""


def person_of(body: Payload) -> Person:
    """Return the person who sent a command, clicked, submitted or wrote."""
    user = body.get("user")
    if isinstance(user, Mapping):
        return Person(id=user["id"], name=user.get("name") or user.get("username") or "")
    if "user_id" in body:
        return Person(id=body["user_id"], name=body.get("user_name") or "")
    return Person(id=_event(body).get("user") or "")


def place_of(body: Payload) -> tuple[str, str]:
    """Return the channel and thread of a request; either may be empty.

    A click on a message without a thread starts one below it, except in a direct conversation.
    """
    channel = body.get("channel")
    if isinstance(channel, Mapping):
        message, is_direct = body.get("message") or {}, str(channel["id"]).startswith("D")
        return channel["id"], message.get("thread_ts") or ("" if is_direct else message.get("ts") or "")
    if "channel_id" in body:
        return body["channel_id"], body.get("thread_ts") or ""
    event = _event(body)
    place = event.get("channel")
    return place if isinstance(place, str) else "", event.get("thread_ts") or ""


def is_in_channel(body: Payload) -> bool:
    """Return whether the clicked message is a reply that its channel shows too."""
    return (body.get("message") or {}).get("subtype") == "thread_broadcast"


class Click(TypedDict):
    """The fields that every intent takes from the click that asked for it."""

    key: str
    at: datetime
    by: Person
    channel: str
    thread: str


def click_of(body: Payload, *, at: datetime) -> Click:
    """Return who clicked where; ``key`` identifies the delivery, so that a redelivery is the same click."""
    channel, thread = place_of(body)
    return Click(key=body["trigger_id"], at=at, by=person_of(body), channel=channel, thread=thread)


def team_of(body: Payload) -> str:
    """Return the sender's workspace (or organisation); empty if Slack does not send it."""
    user, team, event = body.get("user"), body.get("team"), _event(body)
    if isinstance(user, Mapping) and user.get("team_id"):
        return str(user["team_id"])
    if isinstance(team, Mapping):
        return str(team.get("id") or "")
    return str(event.get("user_team") or event.get("team") or body.get("team_id") or "")


def button_value(action: Payload) -> str:
    """Return the value of a button."""
    return str(action["value"])


def elements_of(message: Payload) -> Iterator[Payload]:
    """Yield the buttons and inputs on a message."""
    for block in message.get("blocks") or ():
        yield from block.get("elements") or ()
        if block.get("accessory"):
            yield block["accessory"]


def words_in(value: object) -> Iterator[str]:
    """Yield every text within a message, its blocks and attachments."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from words_in(item)
    elif isinstance(value, Mapping):
        for key in (
            "text",
            "fallback",
            "pretext",
            "title",
            "value",
            "fields",
            "elements",
            "blocks",
            "attachments",
        ):
            yield from words_in(value.get(key))


def _event(body: Payload) -> Payload:
    event = body.get("event")
    return event if isinstance(event, Mapping) else {}


def bot_name(context: AsyncBoltContext) -> str:
    """Return the name that people mention the bot by."""
    result = context.authorize_result
    return (result.user if result is not None else None) or "bot"
