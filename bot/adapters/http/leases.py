"""Answers the health checks of candidates: good only while a worker carries the rollout."""

from __future__ import annotations

import asyncio
import logging

import httpx
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.http.base import WebParts, refused, token_fits
from bot.domain.catalogue import Catalogue
from bot.domain.errors import UnknownServiceError

log = logging.getLogger(__name__)

_STORE_S = 0.15
_CANDIDATE_S = 0.3
"""In seconds; together well within a load balancer's time-out for a check."""


class LeasesOut:
    """The address that a load balancer checks instead of the candidate itself."""

    def __init__(self, parts: WebParts) -> None:
        """Serve from ``parts``."""
        self._parts = parts

    async def lease(self, request: Request) -> Response:
        """Answer 200, or the reason why not; what cannot be determined counts as a no."""
        token = self._parts.lease_token
        if token is None:
            return refused(503, "lease_token_missing", "Set PILOTHOUSE_LEASE_TOKEN to serve leases.")
        if not token_fits(request, token):
            return refused(401, "lease_token_wrong", "Send `Authorization: Bearer <PILOTHOUSE_LEASE_TOKEN>`.")
        service, server = request.path_params["service"], request.path_params["server"]
        page = health_page(self._parts.catalogue, service=service, server=server)
        if not page:
            hint = "Set `lease` and `candidate` in the service's `haproxy` in the catalogue."
            return refused(404, "no_lease_here", hint)
        if not await self._is_held(service):
            return refused(503, "lease_lapsed", "No worker is rolling this service out.")
        if not await self._is_well(page):
            return refused(503, "candidate_unhealthy", f"See {page}.")
        return JSONResponse({"service": service, "server": server, "lease": "held"})

    async def _is_held(self, service: str) -> bool:
        try:
            async with asyncio.timeout(_STORE_S):
                return await self._parts.stores.leases.is_held(service)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("lease_not_read", extra={"service": service, "error": type(error).__name__})
            return False

    async def _is_well(self, page: str) -> bool:
        if self._parts.http is None:
            return False
        try:
            answer = await self._parts.http.get(page, timeout=_CANDIDATE_S)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return answer.is_success


def health_page(catalogue: Catalogue, *, service: str, server: str) -> str:
    """Return the URL of the candidate's own health page; empty if this server needs no lease; pure."""
    try:
        target = catalogue.get(service).target.get("haproxy", {})
    except UnknownServiceError:
        return ""
    return target.get("lease", "") if target.get("candidate") == server else ""
