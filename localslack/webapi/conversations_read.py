"""conversations.*: lists, members, history and replies."""

from __future__ import annotations

from localslack.errors import SlackError
from localslack.events import channel_type
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.webapi.call import ApiCall, Method, cursor

_TYPES = {"channel": "public_channel", "group": "private_channel", "im": "im"}


def list_(call: ApiCall) -> Json:
    """Return every conversation that the bot may see."""
    found = [c for c in _wanted(call) if call.bot in c.members or not (c.is_private or c.is_im)]
    return call.page([call.core.shown.channel(c, viewer=call.bot) for c in found], "channels")


def of_user(call: ApiCall) -> Json:
    """Return what a user is a member of (users.conversations)."""
    user = call.maybe("user") or call.bot
    found = [c for c in _wanted(call) if user in c.members and (not c.is_im or call.bot in c.members)]
    return call.page([call.core.shown.channel(c, viewer=call.bot) for c in found], "channels")


def _wanted(call: ApiCall) -> list[Channel]:
    types = call.names("types") or ["public_channel"]
    unknown = set(types) - {"public_channel", "private_channel", "im", "mpim"}
    if unknown:
        raise SlackError("invalid_types")
    hidden = call.flag("exclude_archived")
    return [
        channel
        for channel in call.core.store.channels.values()
        if _TYPES[channel_type(channel)] in types and not (hidden and channel.is_archived)
    ]


def info(call: ApiCall) -> Json:
    """Return one conversation."""
    return {"ok": True, "channel": call.core.shown.channel(call.channel(), viewer=call.bot)}


def members(call: ApiCall) -> Json:
    """Return who is in a conversation."""
    page = call.page([{"id": member} for member in call.channel().members], "members")
    return {**page, "members": [member["id"] for member in page["members"]]}


def history(call: ApiCall) -> Json:
    """Return what a channel shows, newest first."""
    channel = call.joined()
    found = [m for m in call.core.store.top_level(channel.id) if _within(call, m)]
    return {**_messages(call, found[::-1], pinned=True), "pin_count": sum(m.is_pinned for m in found)}


def replies(call: ApiCall) -> Json:
    """Return a parent and its replies, oldest first."""
    channel = call.joined()
    ts = call.text("ts")
    asked = call.core.store.message(channel.id, ts)
    if asked is None or asked.only_for is not None:
        raise SlackError("thread_not_found")
    root = asked.thread_ts or asked.ts
    found = [m for m in call.core.store.thread(channel.id, root) if m.ts == root or _within(call, m)]
    return _messages(call, found, pinned=False)


def _within(call: ApiCall, message: StoredMessage) -> bool:
    latest, oldest = call.maybe("latest") or "", call.maybe("oldest") or "0"
    if call.flag("inclusive") and message.ts in {latest, oldest}:
        return True
    return message.ts > oldest and (not latest or latest == "now" or message.ts < latest)


def _messages(call: ApiCall, found: list[StoredMessage], *, pinned: bool) -> Json:
    start, limit = call.offset(), call.number("limit", default=100)
    more = start + limit < len(found)
    metadata = call.flag("include_all_metadata") or call.flag("include_metadata")
    made: Json = {
        "ok": True,
        "messages": [
            call.core.shown.message(m, with_metadata=metadata) for m in found[start : start + limit]
        ],
        "has_more": more,
    }
    if more:
        made["response_metadata"] = {"next_cursor": cursor(start + limit)}
    return made | ({"channel_actions_ts": None} if pinned else {})


METHODS: dict[str, Method] = {
    "conversations.list": list_,
    "conversations.info": info,
    "conversations.members": members,
    "conversations.history": history,
    "conversations.replies": replies,
    "users.conversations": of_user,
}
