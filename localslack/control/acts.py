"""Acts: what a person does."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from aiohttp import web
from pydantic import Field

from localslack import interact, modals, people
from localslack.control.route import Body, Route, body_of
from localslack.control.shapes import home_json, message_json
from localslack.core import Core
from localslack.errors import ActError
from localslack.shapes import Json
from localslack.uploads import store_file


class PostAct(Body):
    """A message; ``text`` as a person types it."""

    user: str
    channel: str
    text: str
    thread_ts: str | None = None


class Slash(Body):
    """A slash command."""

    user: str
    channel: str
    command: str
    text: str = ""
    thread_ts: str | None = None


class ClickAct(Body):
    """A click: on a message (``channel`` and ``ts``), in the topmost or a named modal, or on a Home tab."""

    user: str
    channel: str | None = None
    ts: str | None = None
    view_id: str | None = None
    home_of: str | None = None
    action_id: str | None = None
    text: str | None = None
    block_id: str | None = None
    value: Any = None


class Suggest(ClickAct):
    """The options of an external menu for what was typed so far."""

    query: str = ""


class ShortcutAct(Body):
    """A message shortcut (with ``channel`` and ``ts``) or a global one, by callback id or name."""

    user: str
    shortcut: str
    channel: str | None = None
    ts: str | None = None


class OpenHomeAct(Body):
    """Opening an app's Home tab."""

    user: str
    app: str | None = None


class Submit(Body):
    """Filling and submitting a modal; values by block id and action id, or flat."""

    user: str
    view_id: str | None = None
    values: dict[str, Any] = Field(default_factory=dict)


class Close(Body):
    """Closing a modal, or all of them."""

    user: str
    view_id: str | None = None
    whole_stack: bool = False


class React(Body):
    """A reaction, added or removed."""

    user: str
    channel: str
    ts: str
    name: str
    remove: bool = False


class Upload(Body):
    """A file shared into a channel or thread."""

    user: str
    channel: str
    name: str
    content_base64: str
    text: str = ""
    thread_ts: str | None = None


class Attach(Body):
    """A file put into a modal's file field."""

    user: str
    name: str
    content_base64: str


class Join(Body):
    """Joining a public channel."""

    user: str
    channel: str


class MarkRead(Body):
    """A channel that is read up to now."""

    user: str
    channel: str


async def post(core: Core, request: web.Request) -> Json:
    """Post a message, in a channel or a thread."""
    act = await body_of(request, PostAct)
    message = people.post(core, user=act.user, channel=act.channel, text=act.text, thread_ts=act.thread_ts)
    return {"ok": True, "message": message_json(core, message)}


async def slash(core: Core, request: web.Request) -> Json:
    """Type a slash command; answers once the app has acknowledged or the time is over."""
    act = await body_of(request, Slash)
    return await people.slash(
        core, user=act.user, channel=act.channel, command=act.command, text=act.text, thread_ts=act.thread_ts
    )


async def click(core: Core, request: web.Request) -> Json:
    """Click a button, or choose in a menu."""
    act = await body_of(request, ClickAct)
    pick = interact.ElementPick(
        action_id=act.action_id, text=act.text, block_id=act.block_id, value=act.value
    )
    if act.action_id is None and act.text is None:
        raise ActError("missing_parameter", "Name what to click: action_id or text.")
    return await interact.click(core, user=act.user, target=_target(core, act), pick=pick)


def _target(core: Core, act: ClickAct) -> interact.ElementOwner:
    who = people.actor(core, act.user)
    if act.channel is not None and act.ts is not None:
        return interact.target_message(core, who, channel=act.channel, ts=act.ts)
    if act.home_of is not None:
        view = core.views.home(app_id=core.app(act.home_of).spec.id, user=who.id)
        return interact.target_view(core, who, view.id if view else "none")
    return interact.target_view(core, who, act.view_id)


async def suggest(core: Core, request: web.Request) -> Json:
    """Ask an app for the options of an external menu."""
    act = await body_of(request, Suggest)
    pick = interact.ElementPick(action_id=act.action_id, text=act.text, block_id=act.block_id)
    target = _target(core, act)
    return await interact.suggest(core, user=act.user, target=target, pick=pick, query=act.query)


async def shortcut(core: Core, request: web.Request) -> Json:
    """Use a message shortcut or a global one."""
    act = await body_of(request, ShortcutAct)
    if act.channel is None or act.ts is None:
        return await interact.global_shortcut(core, user=act.user, shortcut=act.shortcut)
    return await interact.message_shortcut(
        core, user=act.user, channel=act.channel, ts=act.ts, shortcut=act.shortcut
    )


async def home(core: Core, request: web.Request) -> Json:
    """Open an app's Home tab; answers with what is published so far."""
    act = await body_of(request, OpenHomeAct)
    interact.open_home(core, user=act.user, app=act.app)
    return home_json(core, user=act.user, app=act.app)


async def submit(core: Core, request: web.Request) -> Json:
    """Fill and submit a modal."""
    act = await body_of(request, Submit)
    return await modals.submit(core, user=act.user, view_id=act.view_id, values=act.values)


async def close(core: Core, request: web.Request) -> Json:
    """Close a modal."""
    act = await body_of(request, Close)
    return await modals.close(core, user=act.user, view_id=act.view_id, whole_stack=act.whole_stack)


async def react(core: Core, request: web.Request) -> Json:
    """Add or remove a reaction."""
    act = await body_of(request, React)
    changed = people.react(
        core, user=act.user, channel=act.channel, ts=act.ts, name=act.name, remove=act.remove
    )
    return {"ok": True, "changed": changed}


async def upload(core: Core, request: web.Request) -> Json:
    """Share a file."""
    act = await body_of(request, Upload)
    content = _decoded(act.content_base64)
    message = people.upload(
        core,
        user=act.user,
        channel=act.channel,
        name=act.name,
        content=content,
        text=act.text,
        thread_ts=act.thread_ts,
    )
    return {"ok": True, "message": message_json(core, message)}


def _decoded(content_base64: str) -> bytes:
    try:
        return base64.b64decode(content_base64, validate=True)
    except binascii.Error as exc:
        raise ActError("invalid_body", "content_base64 is not base64.") from exc


async def attach(core: Core, request: web.Request) -> Json:
    """Store a file without sharing it, as a modal's file field does; its JSON is the field's value."""
    act = await body_of(request, Attach)
    who = people.actor(core, act.user)
    file = store_file(core, name=act.name, user=who.id, content=_decoded(act.content_base64))
    return {"ok": True, "file": core.shown.file(file)}


async def join(core: Core, request: web.Request) -> Json:
    """Join a public channel."""
    act = await body_of(request, Join)
    return {"ok": True, "changed": people.join(core, user=act.user, channel=act.channel)}


async def read(core: Core, request: web.Request) -> Json:
    """Mark a channel as read."""
    act = await body_of(request, MarkRead)
    user, channel = core.store.user(act.user), core.store.channel(act.channel)
    core.store.read_marks[user.id, channel.id] = core.store.timestamps.next()
    return {"ok": True}


ROUTES = (
    Route("POST", "/control/acts/post", post),
    Route("POST", "/control/acts/slash", slash),
    Route("POST", "/control/acts/click", click),
    Route("POST", "/control/acts/suggest", suggest),
    Route("POST", "/control/acts/shortcut", shortcut),
    Route("POST", "/control/acts/home", home),
    Route("POST", "/control/acts/submit", submit),
    Route("POST", "/control/acts/close", close),
    Route("POST", "/control/acts/react", react),
    Route("POST", "/control/acts/upload", upload),
    Route("POST", "/control/acts/file", attach),
    Route("POST", "/control/acts/join", join),
    Route("POST", "/control/acts/read", read),
)
