"""The JSON of the control API, where it has more fields than Slack's own."""

from __future__ import annotations

from localslack.core import Core
from localslack.elements import values_of
from localslack.payloads import blocks_of
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.text import reading
from localslack.views import View


def message_json(core: Core, message: StoredMessage, *, viewer: str | None = None) -> Json:
    """Return a message for the page and tests: Slack's JSON, channel, and plain text (``reading``)."""
    made = {**core.messenger.page_json(message), "reading": reading(message, core.store)}
    if viewer is not None:
        made["state"] = values_of(blocks_of(message), core.settled.of(message.channel, message.ts, viewer))
    return made


def view_json(core: Core, view: View) -> Json:
    """Return a view with the errors shown at its blocks (under ``""`` one that belongs to none)."""
    return {**core.views.shown(view), "errors": view.errors}


def home_json(core: Core, *, user: str, app: str | None) -> Json:
    """Return an app's Home tab for one user; ``view`` is null until the app publishes one."""
    found = core.app(app)
    view = core.views.home(app_id=found.spec.id, user=core.store.user(user).id)
    return {"ok": True, "app": found.spec.id, "view": view_json(core, view) if view else None}


def channel_json(core: Core, channel: Channel, *, viewer: str) -> Json:
    """Return a channel with its members, bookmarks and this person's count of unread messages."""
    return {
        **core.shown.channel(channel, viewer=viewer),
        "members": list(channel.members),
        "bookmarks": channel.bookmarks,
        "unread": core.store.unread(viewer, channel.id),
    }


def app_json(core: Core, key: str) -> Json:
    """Return an app's features; never a token."""
    app = core.apps[key]
    return {
        "id": app.spec.id,
        "name": core.store.users[app.spec.bot_user].name,
        "display_name": app.manifest.display_name or app.spec.name,
        "bot_user": app.spec.bot_user,
        "color": app.spec.color,
        "mode": "http" if app.is_http else "socket",
        "sockets": len(app.sockets),
        "home_tab": app.manifest.home_tab,
        "commands": [
            {"name": c.name, "description": c.description, "usage_hint": c.usage_hint}
            for c in app.manifest.commands
        ],
        "shortcuts": [
            {"name": s.name, "type": s.type, "callback_id": s.callback_id, "description": s.description}
            for s in app.manifest.shortcuts
        ],
    }
