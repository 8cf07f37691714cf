"""Closes alerts that Alertmanager no longer lists, for it does not always report an end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

import httpx

from bot.domain.board import Topic
from bot.domain.clock import Clock
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.episode import closed
from bot.engine.stores import Stores

log = logging.getLogger(__name__)

SOURCE = "alertmanager"
ABSENT_S = 180.0
"""Seconds for which an alert must be missing; Prometheus sends all alerts again within about two minutes."""
_MOST_ALERTS = 1000
_TIMEOUT_S = 10.0
_NO_LONGER = "Alertmanager no longer lists it"
_Labels = frozenset[tuple[str, str]]


class AlertmanagerReconciler:
    """Compares firing alerts with what all Alertmanagers list; if one does not answer, nothing is closed.

    Other systems send alerts in the same form.  So only an alert whose labels were listed before is closed.
    """

    def __init__(self, stores: Stores, http: httpx.AsyncClient, clock: Clock, *, urls: Sequence[str]) -> None:
        """Store what it depends on; ``urls`` are the addresses of one cluster's members."""
        self._stores = stores
        self._http = http
        self._clock = clock
        self._urls = urls
        self._absent: dict[str, datetime] = {}
        self._listed_before: set[_Labels] = set()

    async def tick(self) -> None:
        """Compare once, and close what has been missing for ``ABSENT_S`` seconds of comparisons."""
        firing = await self._stores.alerts.firing(limit=_MOST_ALERTS)
        ours = [alert for alert in firing if alert.source == SOURCE and not alert.left_out]
        try:
            lists = await asyncio.gather(*(self._listed(url) for url in self._urls)) if ours else []
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            self._absent.clear()  # what was missing before may have come back meanwhile
            log.warning("alertmanager_unreadable", extra={"error": type(error).__name__})
            return
        listed = frozenset[_Labels]().union(*lists)
        now = self._clock.now()
        labels_of = {alert.id: frozenset(alert.labels.items()) for alert in ours}
        self._listed_before = (self._listed_before & {*labels_of.values()}) | listed
        missing = [
            alert
            for alert in ours
            if labels_of[alert.id] not in listed and labels_of[alert.id] in self._listed_before
        ]
        self._absent = {alert.id: self._absent.get(alert.id, now) for alert in missing}
        for alert in missing:
            if (now - self._absent[alert.id]).total_seconds() >= ABSENT_S:
                await self._close(alert, at=now)

    async def _listed(self, url: str) -> frozenset[_Labels]:
        """Return the labels of every alert that an Alertmanager has, also silenced and inhibited ones."""
        answer = await self._http.get(f"{url.rstrip('/')}/api/v2/alerts", timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return frozenset(_labels_of(each) for each in answer.json())

    async def _close(self, alert: Alert, *, at: datetime) -> None:
        if await self._stores.alerts.report(closed(alert, at=at, because=_NO_LONGER)):
            log.info("alert_closed", extra={"alert": alert.id, "because": _NO_LONGER})
            await self._stores.board.mark(Topic(kind="alert", id=alert.id))


def _labels_of(listed: Mapping[str, Mapping[str, str]]) -> _Labels:
    return frozenset(listed["labels"].items())
