"""What the messages about a topic should be now: journal and records in, views out."""

from __future__ import annotations

from typing import Literal

from bot.adapters.slack_presenter import Rendered
from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.run import fold
from bot.engine.ports import AlertBook, Journal
from bot.views.alert import alert_message
from bot.views.run import run_messages

Style = Literal["classic", "plan"]


class Renderer:
    """Renders any topic; the same state gives the same messages."""

    def __init__(self, *, journal: Journal, alerts: AlertBook, catalogue: Catalogue, clock: Clock) -> None:
        """Keep what topics are read from."""
        self._journal = journal
        self._alerts = alerts
        self._catalogue = catalogue
        self._clock = clock

    async def __call__(self, topic: Topic, *, style: Style = "classic") -> Rendered:
        """Render one topic.

        Raises:
            NotFoundError: it is not kept any more.
        """
        if topic.kind == "alert":
            return await self._alert(topic.id)
        run = fold(topic.id, await self._journal.load(topic.id))
        messages = run_messages(run, now=self._clock.now(), style=style)
        return Rendered(channel=run.origin.channel, thread=run.origin.thread, messages=messages)

    async def _alert(self, alert_id: str) -> Rendered:
        alert = await self._alerts.get(alert_id)
        known = alert.service in self._catalogue.names
        channel = self._catalogue.get(alert.service).channel if known else ""
        now = self._clock.now()
        silence_left_s = alert.silence_left_s(now=now)
        return Rendered(
            channel=channel,
            messages=(alert_message(alert, known_service=known, now=now),),
            quiet=silence_left_s > 0 or alert.ended_silenced,
            again_in_s=silence_left_s or None,
        )
