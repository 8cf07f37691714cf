"""chat.postMessage, chat.postEphemeral and chat.getPermalink."""

from __future__ import annotations

from localslack.content import parse_content
from localslack.errors import SlackError
from localslack.shapes import Json
from localslack.store import Channel
from localslack.webapi.call import ApiCall, Method


def post_message(call: ApiCall) -> Json:
    """Post a message, in a channel, a thread or to a person."""
    channel = _addressed(call)
    content = parse_content(call.args, call.core.store)
    if content.is_empty:
        raise SlackError("no_text")
    if channel.is_archived:
        raise SlackError("is_archived")
    _check_member(call, channel)
    call.core.rates.check_post(call.app.spec.id, channel.id)
    message = call.core.messenger.post(
        channel,
        content,
        author=call.bot,
        app=call.app.spec,
        thread_ts=call.maybe("thread_ts"),
        is_broadcast=call.flag("reply_broadcast"),
        username=call.maybe("username"),
        icon=call.maybe("icon_emoji"),
    )
    shown = call.core.shown.message(message, with_metadata=True)
    return {"ok": True, "channel": channel.id, "ts": message.ts, "message": shown}


def _addressed(call: ApiCall) -> Channel:
    key = call.text("channel")
    if key in call.core.store.users:
        return call.core.store.direct(key, call.bot)
    return call.channel()


def _check_member(call: ApiCall, channel: Channel) -> None:
    scopes = call.app.manifest.scopes
    open_to_all = not channel.is_private and scopes is not None and "chat:write.public" in scopes
    if call.bot not in channel.members and not open_to_all:
        raise SlackError("not_in_channel")


def post_ephemeral(call: ApiCall) -> Json:
    """Show a message to one person."""
    channel = call.channel()
    content = parse_content(call.args, call.core.store)
    if content.is_empty:
        raise SlackError("no_text")
    user = call.text("user")
    _check_member(call, channel)
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = call.core.messenger.post(
        channel,
        content,
        author=call.bot,
        app=call.app.spec,
        only_for=user,
        thread_ts=call.maybe("thread_ts"),
    )
    return {"ok": True, "message_ts": message.ts}


def get_permalink(call: ApiCall) -> Json:
    """Return a link that opens the page at a message."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    place = f"{channel.id}/{message.thread_ts or message.ts}"
    link = f"{call.core.shown.url}/client/{place}?at={message.ts}"
    return {"ok": True, "channel": channel.id, "permalink": link}


METHODS: dict[str, Method] = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.getPermalink": get_permalink,
}
