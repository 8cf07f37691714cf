"""Renders the messages about a topic from its journal and records."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, assert_never

from bot.adapters.slack.writer import RenderedTopic
from bot.domain.board import Topic
from bot.domain.catalogue import Catalogue
from bot.domain.clock import Clock
from bot.domain.deployments.delivery import DAY_S, DeliveryQuestion
from bot.domain.deployments.freezes_in_force import begin_of, freeze_of
from bot.domain.diagnoses.feedback import span_of
from bot.domain.errors import NotFoundError
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.incident import AlertIncident, belongs
from bot.domain.runs.run import fold
from bot.engine.stores import Stores
from bot.ports.links import Links
from bot.services.delivery_metrics import delivered_services, delivery
from bot.views.alert import alert_message
from bot.views.checklist import waiver_messages
from bot.views.delivery import delivery_messages
from bot.views.deployment import announcement
from bot.views.freeze import freeze_message
from bot.views.locks import lock_messages
from bot.views.thread.emergency import emergency_message
from bot.views.thread.feedback import accuracy_message
from bot.views.thread.request import asks_directly
from bot.views.thread.run import run_messages

Style = Literal["classic", "plan"]


class Renderer:
    """Renders any topic; the same state gives the same messages."""

    def __init__(
        self,
        stores: Stores,
        *,
        catalogue: Catalogue,
        clock: Clock,
        links: Links | None = None,
        accuracy_channel: str = "",
    ) -> None:
        """Render topics from ``stores``; without ``accuracy_channel`` the weekly accuracy is not posted.

        Without ``links`` a direct message does not link to its thread.
        """
        self._stores = stores
        self._accuracy_channel = accuracy_channel
        self._catalogue = catalogue
        self._clock = clock
        self._links = links

    async def __call__(self, topic: Topic, *, style: Style = "classic") -> RenderedTopic:
        """Render one topic.

        Raises:
            NotFoundError: it is no longer stored.
        """
        match topic.kind:
            case "run":
                return await self._run(topic.id, style)
            case "alert":
                return await self._alert(topic.id)
            case "accuracy":
                return await self._accuracy(topic.id)
            case "deployment":
                return await self._deployment(topic.id)
            case "delivery":
                return await self._delivery(DeliveryQuestion.from_id(topic.id))
            case "checklist":
                return await self._checklist(topic.id)
            case "lock":
                return await self._lock(topic.id)
            case "freeze":
                return self._freeze(topic.id)
            case "emergency":
                return await self._emergency(topic.id)
            case _:
                assert_never(topic.kind)

    async def _run(self, run_id: str, style: Style) -> RenderedTopic:
        run = fold(run_id, await self._stores.journal.load(run_id))
        # Only what people can see can be rated, so most renderings need no query.
        feedback = await self._stores.feedback.of(run_id) if run.diagnosis is not None else ()
        link = await self._links.thread_of(run_id) if self._links is not None and asks_directly(run) else ""
        messages = run_messages(run, now=self._clock.now(), style=style, feedback=feedback, link=link)
        return RenderedTopic(channel=run.origin.channel, thread=run.origin.thread, messages=messages)

    async def _incident(self, alert: Alert) -> AlertIncident | None:
        """Return the triage that an alert belongs to, with its other alerts; none without one."""
        run_id = await self._stores.alerts.run_of(alert.id)
        if not run_id:
            return None
        try:
            run = fold(run_id, await self._stores.journal.load(run_id))
        except NotFoundError:
            return None
        near = await self._stores.alerts.fired(since=run.started_at) if run.origin.alert == alert.id else ()
        others = tuple(other for other in near if other.id != alert.id and belongs(other, run))
        return AlertIncident(run=run, others=others)

    async def _accuracy(self, week: str) -> RenderedTopic:
        rated = await self._stores.feedback.between(*span_of(week)) if self._accuracy_channel else ()
        messages = (accuracy_message(rated, week=week),) if rated else ()
        return RenderedTopic(channel=self._accuracy_channel, messages=messages)

    async def _deployment(self, deployment_id: str) -> RenderedTopic:
        """Announce what was changed.

        A deployment that changed nothing is not announced.  Where it was announced before its first change
        was refused, the message is brought up to date.
        """
        deployment = await self._stores.deployments.get(deployment_id)
        channel = self._catalogue.announce_of(deployment.service)
        told = announcement(deployment).but(only_edit=not deployment.changed)
        messages = (told,) if channel else ()
        return RenderedTopic(channel=channel, messages=messages)

    async def _delivery(self, asked: DeliveryQuestion) -> RenderedTopic:
        """Answer for everyone where it was asked; the figures are from the moment of the question."""
        until = datetime.fromtimestamp(asked.until_s, UTC)
        age_s = (self._clock.now() - until).total_seconds()
        known = await self._stores.deployments.since(age_s + asked.days * DAY_S)
        meant = delivered_services(self._catalogue, asked.service, known)
        found = delivery(
            [one for one in known if one.service in meant],
            service=asked.service,
            days=asked.days,
            until=until,
            services=max(1, len(meant)),
            prices=self._catalogue.prices,
        )
        return RenderedTopic(channel=asked.channel, messages=delivery_messages(found))

    async def _checklist(self, name: str) -> RenderedTopic:
        service, _, version = name.partition(":")
        entry = self._catalogue.get(service)
        marks = await self._stores.checklists.marks(service, version)
        messages = waiver_messages(service, version, marks, items=entry.gates.checklist)
        return RenderedTopic(channel=entry.channel, messages=messages)

    async def _lock(self, episode: str) -> RenderedTopic:
        """Announce a person's lock of a service, and what became of it, in the service's channel."""
        changes = await self._stores.deploy_locks.changes(episode)
        return RenderedTopic(
            channel=self._channel_of(episode.rpartition(":")[0]), messages=lock_messages(changes)
        )

    def _freeze(self, episode: str) -> RenderedTopic:
        """Announce a freeze in the channel that it concerns; its end is shown in the same message."""
        now = self._clock.now()
        found = freeze_of(self._catalogue, episode, at=now)
        if found is not None:
            left_s = (found.window.ends - now).total_seconds()
            begun = (freeze_message(found, over=False),)
            return RenderedTopic(channel=found.channel, messages=begun, again_in_s=left_s)
        past = freeze_of(self._catalogue, episode, at=begin_of(episode))
        if past is None:
            return RenderedTopic(channel="", messages=())  # the catalogue has changed
        return RenderedTopic(channel=past.channel, messages=(freeze_message(past, over=True),))

    async def _emergency(self, run_id: str) -> RenderedTopic:
        """Announce an emergency to the service's channel, unless it was declared there."""
        run = fold(run_id, await self._stores.journal.load(run_id))
        link = await self._links.thread_of(run_id) if self._links is not None else ""
        return RenderedTopic(
            channel=self._channel_of(run.service),
            messages=(emergency_message(run, link=link),),
            not_in=run.origin.channel,
        )

    def _channel_of(self, service: str) -> str:
        return self._catalogue.get(service).channel if service in self._catalogue.names else ""

    async def _alert(self, alert_id: str) -> RenderedTopic:
        alert = await self._stores.alerts.get(alert_id)
        known = alert.service in self._catalogue.names
        channel = self._catalogue.get(alert.service).channel if known else ""
        now = self._clock.now()
        silence_left_s = alert.silence_left_s(now=now)
        incident = await self._incident(alert)
        return RenderedTopic(
            channel=channel,
            messages=(alert_message(alert, known_service=known, now=now, incident=incident),),
            quiet=silence_left_s > 0 or alert.ended_silenced,
            again_in_s=silence_left_s or None,
        )
