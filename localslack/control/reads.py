"""Reads: what a person sees, and what happened behind it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re

from aiohttp import web

from localslack.control.route import Route, needed, number
from localslack.control.shapes import app_json, channel_json, home_json, message_json, view_json
from localslack.core import Core
from localslack.errors import ActError
from localslack.shapes import Json
from localslack.store import Channel, StoredMessage
from localslack.text import reading, searchable

MAX_WAIT_S = 600
MAX_MESSAGES = 1000
KEEP_ALIVE_S = 15


async def state(core: Core, request: web.Request) -> Json:
    """Return the workspace as one person sees it: people, channels, groups, apps, switches."""
    user = core.store.user(needed(request, "user"))
    return {
        "ok": True,
        "me": core.shown.user(user),
        "workspace": {"id": core.workspace.id, "name": core.workspace.name, "domain": core.workspace.domain},
        "users": [core.shown.user(u) for u in core.store.users.values()],
        "channels": _channels(core, user.id),
        "usergroups": [g.model_dump() for g in core.store.usergroups.values()],
        "apps": [app_json(core, app_id) for app_id in core.apps],
        "faults": core.faults.model_dump(),
        "ack_timeout_s": core.rules.ack_timeout_s,
    }


async def people(core: Core, _request: web.Request) -> Json:
    """Return all users, including bots."""
    return {"ok": True, "users": [core.shown.user(u) for u in core.store.users.values()]}


async def channels(core: Core, request: web.Request) -> Json:
    """Return the channels that a user can see."""
    return {"ok": True, "channels": _channels(core, core.store.user(needed(request, "user")).id)}


def _channels(core: Core, viewer: str) -> list[Json]:
    return [
        channel_json(core, channel, viewer=viewer)
        for channel in core.store.channels.values()
        if viewer in channel.members or not (channel.is_private or channel.is_im)
    ]


def _viewer(core: Core, request: web.Request) -> str | None:
    key = request.query.get("user")
    return core.store.user(key).id if key else None


async def messages(core: Core, request: web.Request) -> Json:
    """Return what a channel shows, oldest first; with ``user`` also what only that person sees."""
    channel = core.store.channel(request.match_info["channel"])
    viewer = _viewer(core, request)
    limit = int(number(request, "limit", default=200, most=MAX_MESSAGES))
    found = core.store.top_level(channel.id, viewer=viewer)
    shown = [message_json(core, m, viewer=viewer) for m in found[-limit:]]
    return {"ok": True, "messages": shown, "has_more": len(found) > limit}


async def thread(core: Core, request: web.Request) -> Json:
    """Return a parent and its replies, oldest first; with ``user`` also what only that person sees."""
    _channel, found = _thread(core, request)
    viewer = _viewer(core, request)
    return {"ok": True, "messages": [message_json(core, m, viewer=viewer) for m in found]}


async def thread_text(core: Core, request: web.Request) -> web.Response:
    """Return a thread as plain text."""
    channel, found = _thread(core, request)
    lines = [f"#{channel.name or 'direct'}"]
    for message in found:
        author = message.username or core.store.users[message.author].real_name
        only = " (only visible to one)" if message.only_for else ""
        lines += [
            "",
            f"{author}{only}:",
            *(f"  {line}" for line in reading(message, core.store).splitlines()),
        ]
    return web.Response(text="\n".join(lines) + "\n")


def _thread(core: Core, request: web.Request) -> tuple[Channel, list[StoredMessage]]:
    channel = core.store.channel(request.match_info["channel"])
    ts = request.match_info["ts"]
    found = core.store.thread(channel.id, ts, viewer=_viewer(core, request))
    if not any(m.ts == ts for m in found):
        raise ActError("thread_not_found", f"#{channel.name} has no message {ts}.", status=404)
    return channel, found


async def message(core: Core, request: web.Request) -> Json:
    """Return one message."""
    channel = core.store.channel(request.match_info["channel"])
    ts = request.match_info["ts"]
    found = core.store.message(channel.id, ts)
    if found is None:
        raise ActError("message_not_found", f"#{channel.name} has no message {ts}.", status=404)
    return {"ok": True, "message": message_json(core, found, viewer=_viewer(core, request))}


async def views(core: Core, request: web.Request) -> Json:
    """Return the modals that a user has open, the lowest first."""
    user = core.store.user(needed(request, "user"))
    return {"ok": True, "views": [view_json(core, v) for v in core.views.stack(user.id)]}


async def home(core: Core, request: web.Request) -> Json:
    """Return an app's Home tab as published, without opening it."""
    return home_json(core, user=needed(request, "user"), app=request.query.get("app"))


async def files(core: Core, _request: web.Request) -> Json:
    """Return every file."""
    return {"ok": True, "files": [core.shown.file(f) for f in core.store.files.values()]}


async def stats(core: Core, _request: web.Request) -> Json:
    """Return counts and latencies since the start or the last reset."""
    return {"ok": True, **core.stats.as_json()}


async def notifications(core: Core, request: web.Request) -> Json:
    """Return the last 1,000 notifications, newest last: whom Slack would notify of which message, and why."""
    viewer = _viewer(core, request)
    found = [one for one in core.notifications.entries if viewer in (None, one["user"])]
    return {"ok": True, "notifications": found}


async def log(core: Core, _request: web.Request) -> Json:
    """Return the last 500 calls and envelopes."""
    return {"ok": True, "entries": list(core.journal.entries)}


async def wait(core: Core, request: web.Request) -> Json:
    """Wait for a message that matches; 408 when none has come by ``timeout_s``."""
    channel = core.store.channel(needed(request, "channel"))
    pattern = _pattern(request.query.get("text", ""))
    viewer, thread_ts = _viewer(core, request), request.query.get("thread_ts")
    after = request.query.get("after", "")
    timeout_s = number(request, "timeout_s", default=10, most=MAX_WAIT_S)

    def candidates() -> list[StoredMessage]:
        if thread_ts:
            return core.store.thread(channel.id, thread_ts, viewer=viewer)
        return list(core.store.visible(channel.id, viewer=viewer))

    def found() -> Json | None:
        for item in candidates():
            if item.ts > after and pattern.search(searchable(item, core.store)):
                return {"ok": True, "message": message_json(core, item, viewer=viewer)}
        return None

    answer = await core.feed.until(found, timeout_s=timeout_s)
    if answer is None:
        seen = " | ".join(searchable(m, core.store)[:200] for m in candidates()[-5:])
        words = f"Nothing matched {pattern.pattern!r} in {timeout_s:g} s. Last seen: {seen or 'nothing'}"
        raise ActError("timeout", words, status=408)
    return answer


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE | re.MULTILINE)
    except re.error as exc:
        raise ActError("invalid_parameter", f"text is not a regular expression: {exc}.") from exc


async def feed(core: Core, request: web.Request) -> web.StreamResponse:
    """Stream changes as server-sent events; with ``user`` also what only that person sees."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    with core.feed.watch(_viewer(core, request)) as changes, contextlib.suppress(ConnectionError):
        await response.prepare(request)
        await response.write(b": ready\n\n")
        while True:
            try:
                async with asyncio.timeout(KEEP_ALIVE_S):
                    change = await changes.get()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if change is None:
                break
            await response.write(f"data: {json.dumps(change)}\n\n".encode())
    return response


ROUTES = (
    Route("GET", "/control/state", state),
    Route("GET", "/control/people", people),
    Route("GET", "/control/channels", channels),
    Route("GET", "/control/channels/{channel}/messages", messages),
    Route("GET", "/control/threads/{channel}/{ts}.txt", thread_text),
    Route("GET", "/control/threads/{channel}/{ts}", thread),
    Route("GET", "/control/messages/{channel}/{ts}", message),
    Route("GET", "/control/views", views),
    Route("GET", "/control/home", home),
    Route("GET", "/control/files", files),
    Route("GET", "/control/stats", stats),
    Route("GET", "/control/notifications", notifications),
    Route("GET", "/control/log", log),
    Route("GET", "/control/wait", wait),
    Route("GET", "/control/feed", feed),
)
