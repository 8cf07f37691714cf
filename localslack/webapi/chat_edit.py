"""chat.update and chat.delete: an app's own messages, never ephemeral ones."""

from __future__ import annotations

from localslack.content import MAX_UPDATE_TEXT, parse_content
from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.webapi.call import ApiCall, Method


def update(call: ApiCall) -> Json:
    """Change a message. Text without blocks removes the blocks."""
    channel = call.channel()
    message = call.message(channel, "ts")
    if message.app_id != call.app.spec.id:
        raise SlackError("cant_update_message")
    if len(str(call.args.get("text") or "")) > MAX_UPDATE_TEXT:
        raise SlackError("msg_too_long")
    content = parse_content(call.args, call.core.store)
    if content.is_empty and content.metadata is None:
        raise SlackError("no_text")
    call.core.messenger.edit(message, content)
    return {
        "ok": True,
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": call.core.shown.message(message, with_metadata=True),
    }


def delete(call: ApiCall) -> Json:
    """Remove a message."""
    channel = call.channel()
    message = call.message(channel, "ts")
    if message.app_id != call.app.spec.id:
        raise SlackError("cant_delete_message")
    call.core.messenger.delete(message)
    return {"ok": True, "channel": channel.id, "ts": message.ts}


METHODS: dict[str, Method] = {"chat.update": update, "chat.delete": delete}
