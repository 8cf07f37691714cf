"""A request to ``/api/METHOD``: arguments, token, tiers, switches, then the method itself."""

from __future__ import annotations

import asyncio
import json

from aiohttp import web

from localslack.core import Core
from localslack.delivery import App
from localslack.errors import RateLimitedError, SlackError
from localslack.shapes import Json
from localslack.webapi import METHODS
from localslack.webapi.call import ApiCall
from localslack.webapi.scopes import check_scopes

APP_LEVEL = "apps.connections.open"
_OPEN = frozenset({"api.test"})
_SECRET = frozenset({"token"})
MAX_SHOWN = 4000


async def handle(core: Core, request: web.Request) -> web.StreamResponse:
    """Answer one Web API request."""
    method = request.match_info["method"]
    started = core.clock.monotonic()
    core.stats.calls[method] += 1
    if core.faults.api_down:
        core.journal.write(kind="call", name=method, error="503")
        return web.Response(status=503, text="Service Unavailable")
    await asyncio.sleep(core.faults.slow_api_s)
    args = await arguments(request)
    retry_after_s: int | None = None
    try:
        answer = _answer(core, method, args, token=_token(request, args))
    except RateLimitedError as exc:
        core.stats.rate_limited += 1
        retry_after_s = exc.retry_after_s
        answer = {"ok": False, "error": exc.code}
    except SlackError as exc:
        answer = {"ok": False, "error": exc.code, **exc.extra}
    error = answer.get("error")
    if error:
        core.stats.errors[f"{method} {error}"] += 1
    lost = core.faults.takes(core.faults.drop_after, method)
    core.journal.write(
        kind="call",
        name=method,
        ms=(core.clock.monotonic() - started) * 1000,
        error="answer lost" if lost else error,
        args={key: value for key, value in args.items() if key not in _SECRET},
        answer=_short(answer),
    )
    if lost and request.transport is not None:
        request.transport.abort()
    if retry_after_s is not None:
        return web.json_response(answer, status=429, headers={"Retry-After": str(retry_after_s)})
    return web.json_response(answer, headers=_granted(core, _token(request, args)))


def _granted(core: Core, token: str | None) -> dict[str, str]:
    """Return the scopes of the caller's app, if its manifest lists them."""
    app = core.app_with_token(token) if token else None
    scopes = None if app is None else app.manifest.scopes
    return {} if scopes is None else {"X-OAuth-Scopes": ",".join(sorted(scopes))}


def _answer(core: Core, method: str, args: Json, *, token: str | None) -> Json:
    found = METHODS.get(method)
    if found is None:
        raise SlackError("unknown_method", req_method=method)
    app = _caller(core, method, token)
    if core.faults.takes(core.faults.rate_limit, method):
        raise RateLimitedError(core.faults.retry_after_s)
    if method in core.faults.fail:
        raise SlackError(core.faults.fail[method])
    core.rates.check(app.spec.id, method)
    check_scopes(method, app.manifest)
    return found(ApiCall(core=core, app=app, args=args))


def _caller(core: Core, method: str, token: str | None) -> App:
    if method in _OPEN and not token:
        return core.app()
    if not token:
        raise SlackError("not_authed")
    app = core.app_with_token(token)
    if app is None:
        raise SlackError("invalid_auth")
    is_app_level = token == app.spec.app_token
    if is_app_level != (method == APP_LEVEL) and method not in {"api.test", "auth.test"}:
        raise SlackError("not_allowed_token_type")
    return app


def _token(request: web.Request, args: Json) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and value:
        return value.strip()
    given = args.get("token")
    return str(given) if given else None


async def arguments(request: web.Request) -> Json:
    """Return the arguments of a request: the query, then a form or a JSON object in the body."""
    args: Json = dict(request.query)
    if request.method != "POST":
        return args
    if request.content_type == "application/json":
        body = await request.text()
        try:
            found = json.loads(body) if body.strip() else {}
        except ValueError:
            found = {}
        return {**args, **found} if isinstance(found, dict) else args
    form = await request.post()
    return {**args, **{key: value for key, value in form.items() if isinstance(value, str)}}


def _short(answer: Json) -> Json:
    text = json.dumps(answer)
    return answer if len(text) <= MAX_SHOWN else {"ok": answer.get("ok"), "…": f"{len(text)} characters"}
