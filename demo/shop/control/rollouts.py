"""The routes that deployments need: releases, what runs in a slot, and the load of a service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from demo.shop.control.bodies import body_of, rate_of, share_of, switch_of
from demo.shop.errors import RefusedError
from demo.shop.guard import Answer
from demo.shop.services.releases import RELEASES
from demo.shop.streams import Questions
from demo.shop.world import ShopWorld

Once = Callable[[web.Request, str, Answer, Callable[[], Awaitable[Answer]]], Awaitable[web.Response]]


class RolloutRoutes:
    """Answers for slots and streams; changes of a slot go through the guard."""

    def __init__(self, world: ShopWorld, once: Once) -> None:
        self._world = world
        self._once = once

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve them."""
        router.add_get("/releases/{service}", self._releases)
        router.add_get("/launch/{service}", self._startable)
        router.add_get("/launch/{service}/{server}", self._launched)
        router.add_put("/launch/{service}/{server}", self._launch)
        router.add_delete("/launch/{service}/{server}", self._halt)
        router.add_get("/sync", self._sync)
        router.add_get("/load/{service}", self._load)
        router.add_put("/load/{service}", self._set_load)

    async def _releases(self, request: web.Request) -> web.Response:
        service = request.match_info["service"].partition("@")[0]
        if service not in RELEASES:
            raise RefusedError(404, "unknown_service", f"{service} has no releases.")
        found = {version: release.summary for version, release in RELEASES[service].items()}
        return web.json_response({"service": service, "releases": found})

    async def _startable(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.launcher.releases(request.match_info["service"]))

    async def _launched(self, request: web.Request) -> web.Response:
        return web.json_response(await self._world.launcher.state(*_slot(request)))

    async def _launch(self, request: web.Request) -> web.Response:
        (service, server), body = _slot(request), await body_of(request)
        version = body.get("version")
        if not isinstance(version, str) or not version:
            raise RefusedError(422, "no_version", 'The body needs a "version".')

        async def change() -> Answer:
            return await self._world.launcher.launch(service, server, version)

        return await self._once(request, f"launch/{service}/{server}", {"launch": body}, change)

    async def _halt(self, request: web.Request) -> web.Response:
        (service, server), body = _slot(request), await body_of(request)

        async def change() -> Answer:
            return await self._world.launcher.halt(service, server)

        return await self._once(request, f"launch/{service}/{server}", {"halt": body}, change)

    async def _sync(self, _: web.Request) -> web.Response:
        return web.json_response(self._world.syncer.to_json())

    async def _load(self, request: web.Request) -> web.Response:
        return web.json_response(self._load_of(request.match_info["service"]))

    async def _set_load(self, request: web.Request) -> web.Response:
        service, body = request.match_info["service"], await body_of(request)
        stream = self._world.streams.get(service)
        if "per_s" in body:
            stream.rate_per_s = rate_of(body["per_s"], "per_s")
        if "faulty_share" in body:
            stream.faulty_share = share_of(body["faulty_share"], "faulty_share")
        if "returning" in body:
            if not isinstance(stream, Questions):
                raise RefusedError(422, "bad_parameter", f"The clients of {service} keep no cookies.")
            stream.returning = switch_of(body["returning"], "returning")
        return web.json_response(self._load_of(service))

    def _load_of(self, service: str) -> dict[str, Any]:
        stream = self._world.streams.get(service)
        return {
            "service": service,
            "per_s": stream.rate_per_s,
            "faulty_share": stream.faulty_share,
            **({"returning": stream.returning} if isinstance(stream, Questions) else {}),
            **stream.tally.to_json(),
        }


def _slot(request: web.Request) -> tuple[str, str]:
    return request.match_info["service"], request.match_info["server"]
