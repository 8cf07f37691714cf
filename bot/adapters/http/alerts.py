"""Takes Alertmanager's webhooks."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.http.alertmanager import MAX_BYTES, WebhookError, parse
from bot.adapters.http.base import WebParts, body_of, refused, token_fits
from bot.adapters.observability.meters import Meters
from bot.domain.errors import StoreUnavailableError
from bot.domain.intent import ReportAlert
from bot.domain.monitoring.alert import Alert

log = logging.getLogger(__name__)

_TOO_BIG = (
    f"The limit is {MAX_BYTES} bytes, so nothing was read. Set `max_alerts: 1000` in the receiver's"
    " webhook_config, or group alerts by more labels; the group is sent again after its `group_interval`."
)


class AlertsIn:
    """The webhook for alerts; everything is stored before it is answered."""

    def __init__(self, parts: WebParts, meters: Meters) -> None:
        """Serve from ``parts``."""
        self._parts = parts
        self._meters = meters

    async def alertmanager(self, request: Request) -> Response:
        """Store Alertmanager's alerts, then answer; a 5xx makes it deliver again."""
        response = await self._answer(request)
        self._meters.webhooks.labels(str(response.status_code)).inc()
        return response

    async def _answer(self, request: Request) -> Response:
        if self._parts.webhook_token is None:
            return refused(503, "webhook_token_missing", "Set PILOTHOUSE_WEBHOOK_TOKEN to accept webhooks.")
        if not token_fits(request, self._parts.webhook_token):
            return refused(
                401, "webhook_token_wrong", "Send `Authorization: Bearer <PILOTHOUSE_WEBHOOK_TOKEN>`."
            )
        body = await body_of(request, most_bytes=MAX_BYTES)
        if body is None:
            log.warning("webhook_refused", extra={"reason": "webhook_too_big"})
            return refused(413, "webhook_too_big", _TOO_BIG)
        try:
            alerts = await asyncio.to_thread(parse, body)  # a storm of alerts takes tenths of a second
        except WebhookError as error:
            log.warning("webhook_refused", extra={"reason": error.code})
            return refused(400, error.code, error.in_full)
        try:
            new = [await self._parts.stores.inbox.put(self._intent(alert)) for alert in alerts]
        except (StoreUnavailableError, RedisError, OSError):
            log.exception("webhook_not_written")
            return refused(503, "store_down", "Deliver all of it again in a moment; no alert counts twice.")
        self._meters.alerts.inc(sum(new))
        return JSONResponse({"accepted": len(alerts), "new": sum(new)}, status_code=202)

    def _intent(self, alert: Alert) -> ReportAlert:
        """Return an intent whose key is the alert's state, so that a redelivery is recognised."""
        return ReportAlert(
            key=f"{alert.id}:{alert.status}:{alert.ends_at}", at=self._parts.clock.now(), alert=alert
        )
