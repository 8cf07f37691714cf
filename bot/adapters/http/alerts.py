"""Takes Alertmanager's webhooks."""

from __future__ import annotations

import asyncio
import logging

from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bot.adapters.http.alertmanager import MAX_BYTES, ReportedAlert, WebhookError, parse
from bot.adapters.http.base import WebParts, body_of, refused, token_fits
from bot.adapters.observability.meters import Meters
from bot.domain.board import Topic
from bot.domain.errors import StoreUnavailableError
from bot.domain.model import JsonObject
from bot.engine.incidents import attach_to_triage

log = logging.getLogger(__name__)

_TOO_BIG = (
    f"The limit is {MAX_BYTES} bytes, so nothing was read. Set `max_alerts: 1000` in the receiver's"
    " webhook_config, or group alerts by more labels; the group is sent again after its `group_interval`."
)


_MOST_NAMED = 20
_AT_ONCE = 100


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
        now = self._parts.clock.now()
        try:
            sent = await asyncio.to_thread(parse, body, now=now)  # a storm of alerts takes tenths of a second
        except WebhookError as error:
            log.warning("webhook_refused", extra={"reason": error.code})
            return refused(400, error.code, error.in_full)
        if sent.unreadable:
            log.warning("webhook_records_unreadable", extra={"records": sent.unreadable[:_MOST_NAMED]})
        try:
            new: list[bool] = []
            for first in range(0, len(sent.alerts), _AT_ONCE):
                some = sent.alerts[first : first + _AT_ONCE]
                new += await asyncio.gather(*(self._report(one) for one in some))
            await self._report(sent.left_out)
        except (StoreUnavailableError, RedisError, OSError):
            log.exception("webhook_not_written")
            return refused(503, "store_down", "Deliver all of it again in a moment; no alert counts twice.")
        self._meters.alerts.inc(sum(new))
        answer: JsonObject = {"accepted": len(sent.alerts), "new": sum(new)}
        if sent.left_out.alert.left_out:
            answer["left_out"] = sent.left_out.alert.left_out
        if sent.unreadable:
            answer["unreadable"] = list(sent.unreadable[:_MOST_NAMED])
        return JSONResponse(answer, status_code=202)

    async def _report(self, one: ReportedAlert) -> bool:
        """Store one alert, in the order of arrival; return whether it is new."""
        stores, alert = self._parts.stores, one.alert
        if not one.has_start:
            known = await stores.alerts.newest(alert.fingerprint)
            if known is not None and known.status == "firing":
                alert = alert.model_copy(update={"starts_at": known.starts_at})
            elif alert.status == "resolved":
                return False
        service = self._parts.catalogue.named(alert.service)
        if not await stores.alerts.report(alert.model_copy(update={"service": service or alert.service})):
            return False
        await attach_to_triage(stores, alert)
        await stores.board.mark(Topic(kind="alert", id=alert.id))
        return True
