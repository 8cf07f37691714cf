"""The routes of the control API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path

from aiohttp import ClientError, web

from demo.shop.alert_rules import RULES
from demo.shop.control.bodies import body_of, rate_of
from demo.shop.control.rollouts import RolloutRoutes
from demo.shop.control.status import status
from demo.shop.errors import RefusedError, ShopError
from demo.shop.faults.base import FaultBoard
from demo.shop.guard import Answer, Guard
from demo.shop.world import ShopWorld

_PAGE = Path(__file__).resolve().parent / "page"
_FILES = {"/": "index.html", "/page.css": "page.css", "/page.js": "page.js"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlApi:
    """Answers for the whole shop; changes go through the guard."""

    def __init__(self, world: ShopWorld, board: FaultBoard, links: Mapping[str, str]) -> None:
        self._world = world
        self._board = board
        self._links = links
        self._guard = Guard()

    def application(self) -> web.Application:
        """Make the application to serve."""
        app = web.Application(middlewares=[_same_site, _refusals])
        get, put, post = app.router.add_get, app.router.add_put, app.router.add_post
        for path in _FILES:
            get(path, self._page)
        get("/healthz", self._healthz)
        get("/status", self._status)
        get("/links", self._show_links)
        get("/load", self._load)
        put("/load", self._set_load)
        get("/changes", self._changes)
        get("/changes/{id}", self._change)
        get("/settings/{service}", self._settings)
        get("/settings/{service}/{key}", self._setting)
        get("/settings/{service}/{key}/history", self._setting_history)
        put("/settings/{service}/{key}", self._put_setting)
        post("/services/{service}/restart", self._restart)
        post("/services/{service}/deploy", self._deploy)
        RolloutRoutes(self._world, self._once).add_to(app.router)
        get("/faults", self._faults)
        post("/faults/reset", self._reset)
        post("/faults/{name}", self._fault_on)
        app.router.add_delete("/faults/{name}", self._fault_off)
        return app

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(_PAGE / _FILES[request.path], headers={"Cache-Control": "no-cache"})

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _status(self, request: web.Request) -> web.Response:
        return web.json_response(
            await status(self._world, self._board, with_history="history" in request.query)
        )

    async def _show_links(self, _: web.Request) -> web.Response:
        rules = [{"name": rule.name, "description": rule.in_general} for rule in RULES]
        return web.json_response({"links": dict(self._links), "rules": rules})

    async def _load(self, request: web.Request) -> web.Response:
        window_s = _integer(request.query.get("window_s", "5"), "window_s", least=1, most=180)
        return web.json_response(self._world.load.to_json(window_s=window_s))

    async def _set_load(self, request: web.Request) -> web.Response:
        rate = (await body_of(request)).get("rate_per_s")
        self._world.load.rate_per_s = rate_of(rate, "rate_per_s", least=1)
        return web.json_response(self._world.load.to_json())

    async def _changes(self, request: web.Request) -> web.Response:
        since = _moment(request.query.get("since", ""))
        service = request.query.get("service", "")
        found = self._world.ledger.since(since, service=service)
        return web.json_response({"changes": [change.to_json() for change in found]})

    async def _change(self, request: web.Request) -> web.Response:
        found = self._world.ledger.get(request.match_info["id"])
        if found is None:
            raise RefusedError(404, "unknown_change", "This change does not exist.")
        return web.json_response(found.to_json())

    async def _settings(self, request: web.Request) -> web.Response:
        service = request.match_info["service"]
        values = self._world.settings.of_service(service)
        if not values:
            raise RefusedError(404, "unknown_service", f"{service} has no settings.")
        return web.json_response({"service": service, "settings": values})

    async def _setting(self, request: web.Request) -> web.Response:
        service, key = request.match_info["service"], request.match_info["key"]
        entry = self._world.settings.get(service, key)
        return web.json_response({"service": service, "key": key, **entry.to_json()})

    async def _setting_history(self, request: web.Request) -> web.Response:
        service, key = request.match_info["service"], request.match_info["key"]
        entries = self._world.settings.history(service, key)
        return web.json_response(
            {"service": service, "key": key, "history": [entry.to_json() for entry in entries]}
        )

    async def _put_setting(self, request: web.Request) -> web.Response:
        service, key = request.match_info["service"], request.match_info["key"]
        body = await body_of(request)
        if "value" not in body:
            raise RefusedError(422, "no_value", 'The body needs a "value".')

        async def change() -> Answer:
            before, after = self._world.settings.put(
                service,
                key,
                body["value"],
                author=str(body.get("author", "api")),
                reason=str(body.get("reason", "")),
                expect=body.get("expect", ...),
            )
            return {
                "service": service,
                "key": key,
                **after.to_json(),
                "changed": after is not before,
                "before": before.to_json(),
            }

        return await self._once(request, f"settings/{service}/{key}", body, change)

    async def _restart(self, request: web.Request) -> web.Response:
        service, body = request.match_info["service"], await body_of(request)
        author, slot = str(body.get("author", "api")), str(body.get("slot", ""))

        async def change() -> Answer:
            return await self._world.fleet.restart(service, author=author, slot=slot)

        return await self._once(request, f"services/{service}", {"restart": body}, change)

    async def _deploy(self, request: web.Request) -> web.Response:
        service, body = request.match_info["service"], await body_of(request)
        version = body.get("version")
        if not isinstance(version, str) or not version:
            raise RefusedError(422, "no_version", 'The body needs a "version".')

        async def change() -> Answer:
            return await self._world.fleet.deploy(
                service,
                version,
                author=str(body.get("author", "api")),
                summary=str(body.get("summary", "")),
                slot=str(body.get("slot", "")),
                shift=bool(body.get("shift", True)),
            )

        return await self._once(request, f"services/{service}", {"deploy": body}, change)

    async def _faults(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": await self._board.to_json()})

    async def _fault_on(self, request: web.Request) -> web.Response:
        parameters = {**request.query, **await body_of(request)}
        return web.json_response(await self._board.switch_on(request.match_info["name"], parameters))

    async def _fault_off(self, request: web.Request) -> web.Response:
        return web.json_response(await self._board.switch_off(request.match_info["name"]))

    async def _reset(self, _: web.Request) -> web.Response:
        return web.json_response({"faults": await self._board.reset()})

    async def _once(
        self, request: web.Request, resource: str, body: Answer, change: Callable[[], Awaitable[Answer]]
    ) -> web.Response:
        answer, repeated = await self._guard.once(
            resource,
            body,
            change,
            key=request.headers.get("Idempotency-Key", ""),
            token=request.headers.get("X-Fencing-Token", ""),
        )
        headers = {"Idempotent-Replay": "true"} if repeated else {}
        return web.json_response(answer, headers=headers)


@web.middleware
async def _same_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    # Any page in the person's browser can reach loopback; only ours may change something.
    origin = request.headers.get("Origin")
    if request.method not in {"GET", "HEAD"} and origin and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="another site may not change the shop")
    return await handler(request)


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        body = {"error": error.code, "message": str(error), **error.fields}
        return web.json_response(body, status=error.status)
    except (ShopError, ClientError, TimeoutError, OSError) as error:
        body = {"error": "not_possible", "message": str(error) or type(error).__name__}
        return web.json_response(body, status=503)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))  # a "+" of an offset that was not escaped
    except ValueError:
        raise RefusedError(400, "bad_since", "since must be a time in ISO 8601.") from None
    if moment.tzinfo is None:
        raise RefusedError(400, "bad_since", "since needs an offset or Z.")
    return moment


def _integer(text: str, name: str, *, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise RefusedError(422, "bad_parameter", f"{name} must be a whole number from {least} to {most}.")
    return int(text)
