"""The payloads of commands and interactions, as apps receive them."""

from __future__ import annotations

from localslack.core import Core
from localslack.delivery import App
from localslack.elements import values_of
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.views import View
from localslack.workspace import UserSpec


def person(core: Core, user: UserSpec) -> Json:
    """Return the short user object of an interaction."""
    return {
        "id": user.id,
        "username": user.name,
        "name": user.name,
        "team_id": user.team or core.workspace.id,
    }


def command(core: Core, app: App, user: UserSpec, channel: Channel, *, name: str, text: str) -> Json:
    """Return the payload of a slash command."""
    return {
        "token": "local",
        "team_id": core.workspace.id,
        "team_domain": core.workspace.domain,
        "channel_id": channel.id,
        "channel_name": channel.name or "directmessage",
        "user_id": user.id,
        "user_name": user.name,
        "command": name,
        "text": text,
        "api_app_id": app.spec.id,
        "is_enterprise_install": "false",
        "response_url": response_url(core, app, user, channel),
        "trigger_id": core.tickets.trigger(user=user.id, app_id=app.spec.id),
    }


def response_url(
    core: Core, app: App, user: UserSpec, channel: Channel, message: StoredMessage | None = None
) -> str:
    """Return a new response URL for an act in that channel, or at that message."""
    return core.shown.url + core.tickets.response_path(
        app_id=app.spec.id,
        user=user.id,
        channel=channel.id,
        message_ts=message.ts if message else None,
        is_ephemeral=bool(message and message.only_for),
    )


def interaction(core: Core, app: App, user: UserSpec, kind: str, *, view: View | None = None) -> Json:
    """Return the fields that every interaction has."""
    made: Json = {
        "type": kind,
        "user": person(core, user),
        "api_app_id": app.spec.id,
        "token": "local",
        "team": {"id": core.workspace.id, "domain": core.workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    if kind not in {"view_closed", "block_suggestion"}:
        view_id = view.id if view else None
        made["trigger_id"] = core.tickets.trigger(user=user.id, app_id=app.spec.id, view_id=view_id)
    if view is not None:
        made["view"] = core.views.shown(view)
    return made


def at_message(core: Core, app: App, user: UserSpec, message: StoredMessage) -> Json:
    """Return where an interaction happened, if at a message. An ephemeral message is not repeated."""
    channel = core.store.channels[message.channel]
    container: Json = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": channel.id,
        "is_ephemeral": message.only_for is not None,
    }
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    made: Json = {
        "container": container,
        "channel": {"id": channel.id, "name": channel.name or "directmessage"},
        "response_url": response_url(core, app, user, channel, message),
        "state": {"values": values_of(blocks_of(message), core.settled.of(channel.id, message.ts, user.id))},
    }
    if message.only_for is None:
        made["message"] = core.shown.message(message, with_metadata=True)
    return made


def blocks_of(message: StoredMessage) -> list[Json]:
    """Yield every block of a message, including those inside attachments."""
    return [*message.blocks, *(b for a in message.attachments for b in a.get("blocks") or [])]
