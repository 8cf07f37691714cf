"""What all services share: routes, traces, metrics, health, errors, start and stop."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

from demo.shop.services.config import ServiceConfig
from demo.shop.services.dependency import Dependency, DependencyError, answered_by
from demo.shop.services.journal import ServiceLog, trace_id
from demo.shop.services.metrics import Metrics
from demo.shop.services.settings_file import SettingsFile

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Check = Callable[[], Awaitable[dict[str, Any]]]

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_TRACE = "0" * 32


class ServiceError(Exception):
    """An expected failure: the caller gets ``status`` and ``message``; ``event`` names it in the log."""

    def __init__(self, status: int, event: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.event = event


class ShopService:
    """One process: an HTTP server with all that an operator expects of it."""

    def __init__(self, config: ServiceConfig) -> None:
        self.config = config
        self.metrics = Metrics(config)
        self.journal = ServiceLog(config, self.metrics.logged)
        self.settings = SettingsFile(config.settings_path)
        self.app = web.Application(middlewares=[self._middleware])
        self.app.cleanup_ctx.append(self._life)
        self.app.router.add_get("/healthz", self._healthz)
        self.app.router.add_get("/readyz", self._readyz)
        self.app.router.add_get("/metrics", self._metrics)
        self.well = True
        """Whether its health page answers so; a release that never comes up is not."""
        self._checks: dict[str, Check] = {}
        self._on_start: list[Callable[[], Awaitable[None]]] = []
        self._on_stop: list[Callable[[], Awaitable[None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._session: ClientSession | None = None
        self._measured: set[str] = set()

    def route(self, method: str, path: str, handler: Handler) -> None:
        """Serve ``path``; its requests are counted, timed and traced."""
        self._measured.add(path)
        self.metrics.expect(method, path)
        self.app.router.add_route(method, path, handler)

    def fault_route(self, path: str, handler: Handler) -> None:
        """Serve a way to make this process sick, for callers with the token."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            token = self.config.fault_token
            if not token or not secrets.compare_digest(request.headers.get("X-Fault-Token", ""), token):
                raise web.HTTPForbidden
            return await handler(request)

        self.app.router.add_post(path, guarded)

    def dependency(self, name: str, *, url_name: str = "") -> Dependency:
        """Connect to another service; call it only once the process has started."""
        return Dependency(
            name, self.config.urls[url_name or name], session=self.session, metrics=self.metrics
        )

    def check(self, name: str, check: Check) -> None:
        """Make ``/readyz`` look at a dependency; the answer holds at least ``ok``."""
        self._checks[name] = check

    def on_start(self, begin: Callable[[], Awaitable[None]]) -> None:
        """Do something before the first request."""
        self._on_start.append(begin)

    def on_stop(self, end: Callable[[], Awaitable[None]]) -> None:
        """Do something after the last request."""
        self._on_stop.append(end)

    def background(self, work: Awaitable[None]) -> None:
        """Run something until the process stops."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def session(self) -> ClientSession:
        """The one HTTP client of the process."""
        if self._session is None:
            raise RuntimeError("The service has not started yet.")
        return self._session

    def run(self) -> None:
        """Serve until SIGTERM."""
        web.run_app(
            self.app,
            host="127.0.0.1",
            port=self.config.port,
            print=None,
            access_log=None,
            shutdown_timeout=0.3,
            reuse_port=True,  # a new version starts beside the old one
        )

    async def _life(self, _: web.Application) -> Any:  # noqa: ANN401  # an async generator, as aiohttp wants
        self._session = ClientSession(connector=TCPConnector(limit=0), trust_env=False)
        for begin in self._on_start:
            await begin()
        if self.config.settings_path:
            self.background(self.settings.watch(self._setting_changed))
        self.journal.info("started", f"{self.config.name} {self.config.version} is listening")
        yield
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._on_stop:
            await end()
        await self._session.close()
        self.journal.info("stopped", f"{self.config.name} {self.config.version} has stopped")
        self.journal.close()

    def _setting_changed(self, key: str, before: object, after: object) -> None:
        self.journal.info(
            "setting_reloaded", f"setting {key} is now {after!r}", key=key, before=before, after=after
        )

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        resource = request.match_info.route.resource
        path = resource.canonical if resource else ""
        if path not in self._measured:
            return await handler(request)
        found = _TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
        known = found.group(1) if found and found.group(1) != _NO_TRACE else ""
        trace_id.set(known or secrets.token_hex(16))
        answered_by.set({})
        started = time.perf_counter()
        status = 500
        self.metrics.in_flight.inc()
        try:
            response = await self._answer(request, handler, path)
            status = response.status
        finally:
            self.metrics.in_flight.dec()
            took_s = time.perf_counter() - started
            self.metrics.answered(method=request.method, path=path, status=status, seconds=took_s)
        response.headers.update(answered_by.get())
        response.headers["X-Service-Version"] = self.config.version
        return response

    async def _answer(self, request: web.Request, handler: Handler, path: str) -> web.StreamResponse:
        where = f"{request.method} {path}"
        try:
            return await handler(request)
        except web.HTTPException:
            raise
        except DependencyError as error:
            status = 504 if error.timed_out else 502
            self.journal.error(
                "dependency_failed",
                f"{where} failed: {error.dependency} {error.detail}",
                dependency=error.dependency,
                dependency_status=error.status,
                status=status,
                error=str(error),
            )
            return web.json_response({"error": str(error)}, status=status)
        except ServiceError as error:
            level = self.journal.error if error.status >= 500 else self.journal.info  # noqa: PLR2004  # HTTP's own line
            level(error.event, str(error), status=error.status)
            return web.json_response({"error": str(error)}, status=error.status)
        except Exception as error:  # noqa: BLE001  # the process boundary: every other failure is a 500 with its stack
            self.journal.exception("unhandled_exception", f"{where} failed", error, status=500)
            return web.json_response({"error": "internal error"}, status=500)

    async def _healthz(self, _: web.Request) -> web.Response:
        body = {
            "status": "ok" if self.well else "unavailable",
            "service": self.config.name,
            "version": self.config.version,
            "pid": os.getpid(),
        }
        return web.json_response(body, status=200 if self.well else 503)

    async def _readyz(self, _: web.Request) -> web.Response:
        results = await asyncio.gather(*(check() for check in self._checks.values()))
        found = dict(zip(self._checks, results, strict=True))
        ready = all(result["ok"] for result in results)
        body = {
            "status": "ok" if ready else "unavailable",
            "service": self.config.name,
            "version": self.config.version,
            "dependencies": found,
        }
        return web.json_response(body, status=200 if ready else 503)

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.metrics.render(), headers={"Content-Type": "text/plain; version=0.0.4"})
