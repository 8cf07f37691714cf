"""reactions.*, pins.* and bookmarks.add."""

from __future__ import annotations

import re

from localslack.errors import SlackError
from localslack.ids import new_id
from localslack.shapes import Json
from localslack.store import StoredMessage
from localslack.webapi.call import ApiCall, Method

_NAME = re.compile(r"^[a-z0-9_+'-]+(::skin-tone-[2-6])?$")


def add(call: ApiCall) -> Json:
    """React to a message."""
    name = call.text("name").strip(":")
    if not _NAME.match(name):
        raise SlackError("invalid_name")
    if not call.core.messenger.react(_message(call), user=call.bot, name=name):
        raise SlackError("already_reacted")
    return {"ok": True}


def remove(call: ApiCall) -> Json:
    """Remove a reaction."""
    if not call.core.messenger.unreact(_message(call), user=call.bot, name=call.text("name").strip(":")):
        raise SlackError("no_reaction")
    return {"ok": True}


def get(call: ApiCall) -> Json:
    """Return the reactions of a message."""
    message = _message(call)
    return {
        "ok": True,
        "type": "message",
        "channel": message.channel,
        "message": call.core.shown.message(message),
    }


def _message(call: ApiCall) -> StoredMessage:
    return call.message(call.joined())


def pin(call: ApiCall) -> Json:
    """Pin a message to its channel."""
    message = _message(call)
    if message.is_pinned:
        raise SlackError("already_pinned")
    message.is_pinned = True
    call.core.messenger.tell(message)
    return {"ok": True}


def unpin(call: ApiCall) -> Json:
    """Remove a pin."""
    message = _message(call)
    if not message.is_pinned:
        raise SlackError("no_pin")
    message.is_pinned = False
    call.core.messenger.tell(message)
    return {"ok": True}


def bookmark(call: ApiCall) -> Json:
    """Add a link to the top of a channel."""
    channel = call.joined("channel_id")
    kind = call.text("type")
    if kind != "link":
        raise SlackError("invalid_bookmark_type")
    link = call.maybe("link")
    if link is None or not link.startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    made = {
        "id": new_id("Bk"),
        "channel_id": channel.id,
        "title": call.text("title"),
        "link": link,
        "emoji": call.maybe("emoji") or "",
        "type": kind,
        "app_id": call.app.spec.id,
    }
    channel.bookmarks.append(made)
    call.core.feed.tell({"type": "channels"})
    return {"ok": True, "bookmark": made}


METHODS: dict[str, Method] = {
    "reactions.add": add,
    "reactions.remove": remove,
    "reactions.get": get,
    "pins.add": pin,
    "pins.remove": unpin,
    "bookmarks.add": bookmark,
}
