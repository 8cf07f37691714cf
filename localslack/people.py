"""People write, type commands, react, join and upload."""

from __future__ import annotations

from localslack import payloads
from localslack.answers import answer_in_ack
from localslack.content import MessageContent
from localslack.core import Core
from localslack.delivery import App
from localslack.envelopes import FAILED, Ack
from localslack.errors import ActError, SlackError
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.text import composed, escaped_command
from localslack.uploads import store_file
from localslack.workspace import UserSpec


def actor(core: Core, key: str) -> UserSpec:
    """Return the person who acts.

    Raises:
        ActError: ``user_not_found``, or ``account_inactive`` for a deactivated user.
    """
    user = core.store.user(key)
    if user.deleted:
        raise ActError("account_inactive", f"{user.real_name} is deactivated.", status=403)
    return user


def place(core: Core, user: UserSpec, key: str) -> Channel:
    """Return the channel that a user acts in.

    Raises:
        ActError: ``channel_not_found``, ``not_in_channel`` or ``is_archived``.
    """
    channel = core.store.channel(key)
    if user.id not in channel.members:
        raise ActError("not_in_channel", f"{user.real_name} is not in #{channel.name}.", status=403)
    if channel.is_archived:
        raise ActError("is_archived", f"#{channel.name} is archived.")
    return channel


def post(core: Core, *, user: str, channel: str, text: str, thread_ts: str | None = None) -> StoredMessage:
    """Post what a person typed; ``@ana``, ``@oncall`` and ``#deploys`` become mentions.

    Raises:
        ActError: no such person or place, or ``no_text``.
    """
    who = actor(core, user)
    where = place(core, who, channel)
    if not text.strip():
        raise ActError("no_text", "The message is empty.")
    _known_thread(core, where, thread_ts)
    content = MessageContent(text=composed(text, core.store))
    message = core.messenger.post(where, content, author=who.id, thread_ts=thread_ts)
    core.store.read_marks[who.id, where.id] = message.ts
    return message


def _known_thread(core: Core, channel: Channel, thread_ts: str | None) -> None:
    if thread_ts is not None and core.store.message(channel.id, thread_ts) is None:
        raise ActError("thread_not_found", f"#{channel.name} has no message {thread_ts}.", status=404)


async def slash(
    core: Core, *, user: str, channel: str, command: str, text: str = "", thread_ts: str | None = None
) -> Json:
    """Type a slash command; return its outcome: ``ok``, ``error``, ``ack_latency_ms``, ``ephemerals``.

    A failure is also shown to the person, in Slack's own words.

    Raises:
        ActError: no such person or place. A command that fails raises nothing.
    """
    who = actor(core, user)
    where = place(core, who, channel)
    name = command if command.startswith("/") else f"/{command}"
    app = core.app_with_command(name)
    since = core.store.timestamps.next()
    if thread_ts is not None:
        words = f"`{name}` is not supported in threads. Sorry!"
        core.messenger.notice(where, words, user=who.id, thread_ts=thread_ts)
        outcome = _refused("not_in_thread")
    elif app is None:
        core.messenger.notice(where, f"`{name}` is not a valid command.", user=who.id)
        outcome = _refused("unknown_command")
    else:
        owner = app
        outcome = await core.clicked(lambda: _run(core, owner, who, where, name=name, text=text))
    seen = core.store.visible(where.id, viewer=who.id)
    outcome["ephemerals"] = [core.shown.message(m) for m in seen if m.only_for == who.id and m.ts > since]
    return outcome


def _refused(code: str) -> Json:
    return {"ok": False, "error": code, "ack_latency_ms": None, "trigger_id": None}


async def _run(core: Core, app: App, user: UserSpec, channel: Channel, *, name: str, text: str) -> Json:
    known = app.manifest.command(name)
    said = escaped_command(text, core.store) if known and known.should_escape else text
    payload = payloads.command(core, app, user, channel, name=name, text=said)
    ack = await core.delivery.send(app, "slash_commands", payload)
    error = ack.error or _answered(core, app, ack, channel, user)
    if error:
        core.messenger.notice(channel, f"`{name}` failed with the error `{error}`", user=user.id)
    return {
        "ok": error is None,
        "error": error,
        "ack_latency_ms": ack.latency_ms,
        "trigger_id": payload["trigger_id"],
    }


def _answered(core: Core, app: App, ack: Ack, channel: Channel, user: UserSpec) -> str | None:
    try:
        answer_in_ack(core, app, ack.body or {}, channel=channel, user=user.id)
    except SlackError as exc:
        core.journal.write(
            kind="envelope", name="ack", error=exc.code, app=app.spec.id, answer=ack.body, **exc.extra
        )
        core.stats.failures.append({"what": "ack", "kind": "slash_commands", "error": exc.code})
        return FAILED
    return None


def react(core: Core, *, user: str, channel: str, ts: str, name: str, remove: bool = False) -> bool:
    """Add or remove a reaction; return whether that changed anything.

    Raises:
        ActError: no such person, place or message.
    """
    who = actor(core, user)
    message = message_at(core, place(core, who, channel), ts, viewer=who)
    emoji = name.strip(":")
    change = core.messenger.unreact if remove else core.messenger.react
    return change(message, user=who.id, name=emoji)


def message_at(core: Core, channel: Channel, ts: str, *, viewer: UserSpec) -> StoredMessage:
    """Return a message that a user can see.

    Raises:
        ActError: ``message_not_found`` (404).
    """
    message = core.store.message(channel.id, ts)
    if message is None or message.only_for not in {None, viewer.id}:
        raise ActError("message_not_found", f"#{channel.name} has no message {ts}.", status=404)
    return message


def join(core: Core, *, user: str, channel: str) -> bool:
    """Join a public channel; return False when already in it.

    Raises:
        ActError: no such person or channel, or ``is_private``.
    """
    who = actor(core, user)
    where = core.store.channel(channel)
    if where.is_private or where.is_im:
        raise ActError(
            "is_private", f"#{where.name} is private: people join it by invitation only.", status=403
        )
    return core.messenger.join(where, user=who.id)


def upload(
    core: Core,
    *,
    user: str,
    channel: str,
    name: str,
    content: bytes,
    text: str = "",
    thread_ts: str | None = None,
) -> StoredMessage:
    """Share a file.

    Raises:
        ActError: no such person or place.
    """
    who = actor(core, user)
    where = place(core, who, channel)
    _known_thread(core, where, thread_ts)
    file = store_file(core, name=name, user=who.id, content=content)
    return core.messenger.share(
        file, where, author=who.id, app=None, text=composed(text, core.store), thread_ts=thread_ts
    )
