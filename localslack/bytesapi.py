"""Addresses outside the Web API: response URLs, upload URLs and the bytes of files."""

from __future__ import annotations

import json

from aiohttp import web

from localslack.answers import answer_at_url
from localslack.core import Core
from localslack.errors import SlackError
from localslack.uploads import receive

_GONE = frozenset({"expired_url", "used_url", "invalid_url"})


async def respond(core: Core, request: web.Request) -> web.Response:
    """Accept what an app posts to a response URL."""
    core.stats.calls["response_url"] += 1
    error: str | None = None
    try:
        body = json.loads(await request.text())
        if not isinstance(body, dict):
            raise SlackError("invalid_payload")  # noqa: TRY301  # one way out for every refusal
        answer_at_url(core, core.tickets.response(request.match_info["key"]), body)
    except SlackError as exc:
        error, extra = exc.code, exc.extra
    except ValueError:
        error, extra = "invalid_payload", {}
    core.journal.write(kind="call", name="response_url", error=error)
    if error is None:
        return web.Response(text="ok")
    core.stats.errors[f"response_url {error}"] += 1
    status = 404 if error in _GONE else 400
    return web.json_response({"ok": False, "error": error, **extra}, status=status)


async def upload(core: Core, request: web.Request) -> web.Response:
    """Accept the bytes of an announced file: raw, or as the first part of a form."""
    file = core.store.files.get(request.match_info["file"])
    if file is None or file.secret != request.match_info["secret"]:
        return web.Response(status=404, text="no such upload")
    content = await request.read()
    if request.content_type == "multipart/form-data":
        form = await request.post()
        parts = [part for part in form.values() if isinstance(part, web.FileField)]
        content = parts[0].file.read() if parts else b""
    if len(content) != file.size:
        return web.Response(status=400, text="file_upload_size_mismatch")
    receive(file, content)
    return web.Response(text=f"OK - {file.size}")


async def download(core: Core, request: web.Request) -> web.Response:
    """Return the bytes of a file to an app with a token, or to the page."""
    file = core.store.files.get(request.match_info["place"].rpartition("-")[2])
    if file is None or file.content is None:
        return web.Response(status=404, text="file_not_found")
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    from_page = request.headers.get("Sec-Fetch-Site") in {"same-origin", "none"}
    if not from_page and core.app_with_token(token) is None:
        return web.Response(status=403, text="not_authed")
    disposition = "attachment" if "/download/" in request.path else "inline"
    return web.Response(
        body=file.content,
        content_type=file.mimetype,
        headers={
            "Content-Disposition": f'{disposition}; filename="{file.id}"',
            "Content-Security-Policy": "sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )
