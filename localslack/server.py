"""The server: a workspace behind one HTTP port, in the caller's event loop."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Self

from aiohttp import web

from localslack import bytesapi
from localslack.clock import WorkspaceClock
from localslack.control import ROUTES
from localslack.control.route import Handler
from localslack.core import Core, Rules
from localslack.delivery import App
from localslack.errors import ActError
from localslack.shapes import Json
from localslack.webapi import dispatch
from localslack.workspace import Workspace, load_workspace

STATIC = Path(__file__).with_name("static")
MAX_BODY_BYTES = 64 * 1024 * 1024
SHUTDOWN_S = 1.0
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; img-src * data: blob:; style-src 'self' 'unsafe-inline'",
}


class LocalSlack:
    """A workspace on a port of this machine; ``async with`` starts and ends it.

    ``port`` 0 picks a free one. ``rules`` holds the times and limits, Slack's own unless changed. ``keep`` is
    a file that the conversations are kept in; without it they end with the process.
    """

    def __init__(
        self,
        workspace: Workspace | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        rules: Rules | None = None,
        clock: WorkspaceClock | None = None,
        keep: Path | None = None,
    ) -> None:
        self.core = Core(workspace or load_workspace(), rules=rules or Rules(), clock=clock, keep=keep)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The address of the page and the control API, without a slash at the end."""
        return self.core.shown.url

    @property
    def api_url(self) -> str:
        """The value for ``AsyncWebClient(base_url=…)``."""
        return f"{self.url}/api/"

    @property
    def app(self) -> App:
        """The first app."""
        return self.core.app()

    @property
    def bot_token(self) -> str:
        """The first app's bot token."""
        return self.app.spec.bot_token

    @property
    def app_token(self) -> str:
        """The first app's app-level token, for Socket Mode."""
        return self.app.spec.app_token

    @property
    def signing_secret(self) -> str:
        """The first app's signing secret, for HTTP mode."""
        return self.app.spec.signing_secret

    async def start(self) -> None:
        """Start to listen.

        Raises:
            OSError: the port is in use, or the file to keep it in cannot be read.
            ValueError: the file holds something else.
        """
        keeper = self.core.keeper
        if keeper is not None:
            keeper.restore()
        runner = web.AppRunner(_application(self.core), access_log=None, shutdown_timeout=SHUTDOWN_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        port = runner.addresses[0][1]
        self.core.shown.url = f"http://{'127.0.0.1' if self._host == '0.0.0.0' else self._host}:{port}"
        self._runner = runner
        if keeper is not None:
            self.core.background.start(keeper.run())
        for app in self.core.apps.values():
            if app.is_http:
                self.core.background.start(self.core.delivery.verify(app))

    async def stop(self) -> None:
        """Stop listening and close everything."""
        await self.core.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()


def _application(core: Core) -> web.Application:
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_errors])
    app.router.add_route("*", "/api/{method}", functools.partial(dispatch.handle, core))
    app.router.add_get("/link/{app}", functools.partial(_socket, core))
    app.router.add_post("/respond/{app}/{key}", functools.partial(bytesapi.respond, core))
    app.router.add_post("/upload/{file}/{secret}", functools.partial(bytesapi.upload, core))
    app.router.add_get("/files/{place}/{name}", functools.partial(bytesapi.download, core))
    app.router.add_get("/files/{place}/download/{name}", functools.partial(bytesapi.download, core))
    app.router.add_get("/control/", _index)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, functools.partial(_control, core, route.handler))
    app.router.add_static("/static/", STATIC)
    app.router.add_get("/", _page)
    app.router.add_get("/client{rest:.*}", _page)
    return app


@web.middleware
async def _errors(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.path.startswith("/control/"):
        return web.json_response(
            {"ok": False, "error": "cross_site", "message": "Not from another site."}, status=403
        )
    try:
        return await handler(request)
    except ActError as exc:
        answer = {"ok": False, "error": exc.code, "message": exc.message}
        return web.json_response(answer, status=exc.status)


async def _control(core: Core, handler: Handler, request: web.Request) -> web.StreamResponse:
    answer = await handler(core, request)
    return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)


async def _index(_request: web.Request) -> web.Response:
    routes: list[Json] = [{"method": r.method, "path": r.path, "does": r.summary} for r in ROUTES]
    return web.json_response({"ok": True, "routes": routes})


async def _socket(core: Core, request: web.Request) -> web.StreamResponse:
    return await core.app(request.match_info["app"]).sockets.serve(request)


async def _page(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html", headers=_PAGE_HEADERS)
