"""The HTTP surface: webhooks, heartbeats, leases, flags, health and metrics."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from bot.adapters.http.alerts import AlertsIn
from bot.adapters.http.base import WebParts
from bot.adapters.http.flags import OFREP, FlagsOut
from bot.adapters.http.heartbeats import HeartbeatsIn
from bot.adapters.http.leases import LeasesOut
from bot.adapters.observability.health import operating_routes


def web_app(parts: WebParts, *, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Return the HTTP application; ``more`` routes are Slack's in HTTP mode."""
    meters = parts.operating.meters
    alerts, heartbeats = AlertsIn(parts, meters), HeartbeatsIn(parts, meters)
    routes = [
        *operating_routes(parts.operating),
        Route("/webhooks/alertmanager", alerts.alertmanager, methods=["POST"]),
        Route("/heartbeats/{service}/{job}", heartbeats.report, methods=["GET", "POST"]),
        Route("/leases/{service}/{server}", LeasesOut(parts).lease, methods=["GET"]),
        Route(f"/flags/{{service}}{OFREP}/{{key}}", FlagsOut(parts).evaluate, methods=["POST"]),
        *more,
    ]
    return Starlette(routes=routes)
