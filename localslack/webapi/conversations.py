"""conversations.*: making channels, and who is in them."""

from __future__ import annotations

import re

from localslack.errors import SlackError
from localslack.ids import new_id
from localslack.shapes import Json
from localslack.store import Channel
from localslack.webapi.call import ApiCall, Method

MAX_NAME = 80
MAX_TOPIC = 250
_NAME = re.compile(r"^[\w-]+$")


def create(call: ApiCall) -> Json:
    """Make a channel, with the bot in it."""
    name = call.maybe("name")
    if name is None:
        raise SlackError("invalid_name_required")
    if len(name) > MAX_NAME:
        raise SlackError("invalid_name_maxlength")
    if name != name.lower() or not _NAME.match(name):
        raise SlackError("invalid_name_specials")
    if any(c.name == name for c in call.core.store.channels.values()):
        raise SlackError("name_taken")
    channel = Channel(
        id=new_id("C"),
        name=name,
        members={call.bot: None},
        creator=call.bot,
        created=int(call.core.clock.now()),
        is_private=call.flag("is_private"),
    )
    call.core.store.add_channel(channel)
    call.core.feed.tell({"type": "channels"})
    return _answer(call, channel)


def _answer(call: ApiCall, channel: Channel) -> Json:
    return {"ok": True, "channel": call.core.shown.channel(channel, viewer=call.bot)}


def join(call: ApiCall) -> Json:
    """Join a public channel."""
    channel = call.channel()
    if channel.is_private or channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise SlackError("is_archived")
    joined = call.core.messenger.join(channel, user=call.bot)
    return _answer(call, channel) | ({} if joined else {"warning": "already_in_channel"})


def invite(call: ApiCall) -> Json:
    """Bring people into a channel the bot is in."""
    channel = call.joined()
    users = call.names("users")
    if not users:
        raise SlackError("no_user")
    if call.bot in users:
        raise SlackError("cant_invite_self")
    if any(user not in call.core.store.users for user in users):
        raise SlackError("user_not_found")
    new = [user for user in users if user not in channel.members]
    if not new:
        raise SlackError("already_in_channel")
    for user in new:
        call.core.messenger.join(channel, user=user, inviter=call.bot)
    return _answer(call, channel)


def set_topic(call: ApiCall) -> Json:
    """Set a channel's topic."""
    channel = call.joined()
    topic = str(call.args.get("topic") or "")
    if len(topic) > MAX_TOPIC:
        raise SlackError("too_long")
    channel.topic = topic
    call.core.feed.tell({"type": "channels"})
    return {**_answer(call, channel), "topic": topic}


def open_(call: ApiCall) -> Json:
    """Open a direct conversation with one person, or a group of several."""
    if call.maybe("channel"):
        return _answer(call, call.channel())
    users = call.names("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if any(user not in call.core.store.users for user in users):
        raise SlackError("user_not_found")
    alone = len(users) == 1
    channel = call.core.store.direct(users[0], call.bot) if alone else _group(call, users)
    call.core.feed.tell({"type": "channels"})
    return {"ok": True, "channel": {"id": channel.id, **_answer(call, channel)["channel"]}}


def _group(call: ApiCall, users: list[str]) -> Channel:
    people = sorted(call.core.store.users[user].name for user in {*users, call.bot})
    name = f"mpdm-{'--'.join(people)}-1"
    for channel in call.core.store.channels.values():
        if channel.name == name:
            return channel
    return call.core.store.add_channel(
        Channel(
            id=new_id("G"),
            name=name,
            members=dict.fromkeys([*users, call.bot]),
            creator=call.bot,
            created=int(call.core.clock.now()),
            is_private=True,
        )
    )


def archive(call: ApiCall) -> Json:
    """Close a channel for good."""
    channel = call.joined()
    if channel.name == "general":
        raise SlackError("cant_archive_general")
    if channel.is_archived:
        raise SlackError("already_archived")
    channel.is_archived = True
    call.core.feed.tell({"type": "channels"})
    return {"ok": True}


METHODS: dict[str, Method] = {
    "conversations.create": create,
    "conversations.join": join,
    "conversations.invite": invite,
    "conversations.setTopic": set_topic,
    "conversations.open": open_,
    "conversations.archive": archive,
}
