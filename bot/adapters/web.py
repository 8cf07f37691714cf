"""What arrives over HTTP: webhooks, health and metrics; all is written down before it is answered."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest
from pydantic import SecretStr
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.adapters.alertmanager import WebhookError, parse
from bot.domain.alert import Alert
from bot.domain.clock import Clock
from bot.domain.intent import ReportAlert
from bot.engine.ports import Inbox, Work

log = logging.getLogger(__name__)

_MOST_BYTES = 2_000_000


class Metrics:
    """What this process counts, in a registry of its own."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self.webhooks = Counter(
            "pilothouse_webhooks",
            "Webhook deliveries by how they were answered.",
            ["status"],
            registry=self.registry,
        )
        self.alerts = Counter(
            "pilothouse_alerts", "Alerts written down, redeliveries not counted.", registry=self.registry
        )
        self.waiting = Gauge(
            "pilothouse_work_waiting", "Runs and intents that wait or are worked on.", registry=self.registry
        )


@dataclass(frozen=True, kw_only=True)
class WebParts:
    """What the HTTP surface stands on."""

    inbox: Inbox
    work: Work
    clock: Clock
    webhook_token: SecretStr | None
    ping: Callable[[], Awaitable[object]]
    """Fails when the store is out of reach."""


def web_app(parts: WebParts, *, more: Sequence[BaseRoute] = ()) -> Starlette:
    """Build the HTTP application; ``more`` routes are Slack's in HTTP mode."""
    surface = _Surface(parts)
    routes = [
        Route("/healthz", surface.healthz),
        Route("/readyz", surface.readyz),
        Route("/metrics", surface.metrics),
        Route("/webhooks/alertmanager", surface.alertmanager, methods=["POST"]),
        *more,
    ]
    return Starlette(routes=routes)


class _Surface:
    def __init__(self, parts: WebParts) -> None:
        self._parts = parts
        self._metrics = Metrics()

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

    async def alertmanager(self, request: Request) -> Response:
        """Write Alertmanager's alerts down, then answer; 5xx makes it deliver again."""
        response = await self._alertmanager(request)
        self._metrics.webhooks.labels(str(response.status_code)).inc()
        return response

    async def _alertmanager(self, request: Request) -> Response:
        if self._parts.webhook_token is None:
            return _refused(503, "webhook_token_missing", "Set PILOTHOUSE_WEBHOOK_TOKEN to take webhooks.")
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, self._parts.webhook_token.get_secret_value().encode()):
            return _refused(
                401, "webhook_token_wrong", "Send `Authorization: Bearer <PILOTHOUSE_WEBHOOK_TOKEN>`."
            )
        body = await _body(request)
        if body is None:
            return _refused(413, "webhook_too_big", f"Send at most {_MOST_BYTES} bytes.")
        try:
            alerts = parse(body)
        except WebhookError as error:
            log.warning("webhook_refused", extra={"reason": error.code})
            return _refused(400, error.code, f"{error} {error.hint}".strip())
        try:
            new = [await self._parts.inbox.put(self._intent(alert)) for alert in alerts]
        except (RedisError, OSError):
            log.exception("webhook_not_written")
            return _refused(503, "store_down", "Deliver it again in a moment; nothing was written.")
        self._metrics.alerts.inc(sum(new))
        return JSONResponse({"accepted": len(alerts), "new": sum(new)}, status_code=202)

    def _intent(self, alert: Alert) -> ReportAlert:
        """Key a delivery by what it says of the alert, so that a redelivery is nothing new."""
        return ReportAlert(
            key=f"{alert.id}:{alert.status}:{alert.ends_at}", at=self._parts.clock.now(), alert=alert
        )


async def _body(request: Request) -> bytes | None:
    """Read the body up to the limit; none if it is longer."""
    chunks = bytearray()
    async for chunk in request.stream():
        chunks += chunk
        if len(chunks) > _MOST_BYTES:
            return None
    return bytes(chunks)


def _refused(status: int, reason: str, text: str) -> Response:
    return JSONResponse({"error": reason, "hint": text}, status_code=status)
