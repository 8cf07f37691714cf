"""The HTTP surface: webhooks, heartbeats, health and metrics."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.adapters.web_alerts import AlertsIn
from bot.adapters.web_base import Metrics, WebParts
from bot.adapters.web_heartbeats import HeartbeatsIn


def web_app(parts: WebParts, *, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Build the HTTP application; ``more`` routes are Slack's in HTTP mode."""
    metrics = Metrics()
    surface = _Surface(parts, metrics)
    alerts, heartbeats = AlertsIn(parts, metrics), HeartbeatsIn(parts, metrics)
    routes = [
        Route("/healthz", surface.healthz),
        Route("/readyz", surface.readyz),
        Route("/metrics", surface.metrics),
        Route("/webhooks/alertmanager", alerts.alertmanager, methods=["POST"]),
        Route("/heartbeats/{service}/{job}", heartbeats.report, methods=["GET", "POST"]),
        *more,
    ]
    return Starlette(routes=routes)


class _Surface:
    def __init__(self, parts: WebParts, metrics: Metrics) -> None:
        self._parts = parts
        self._metrics = metrics

    async def healthz(self, _request: Request) -> Response:
        """Say that the process lives."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        """Say whether it can do its work: without the store it cannot."""
        try:
            await self._parts.ping()
        except (RedisError, OSError) as error:
            return JSONResponse({"status": "down", "redis": type(error).__name__}, status_code=503)
        return JSONResponse({"status": "ok", "redis": "ok"})

    async def metrics(self, _request: Request) -> Response:
        """Show the metrics as Prometheus reads them."""
        self._metrics.waiting.set(await self._parts.work.depth())
        return Response(generate_latest(self._metrics.registry), media_type=CONTENT_TYPE_LATEST)
