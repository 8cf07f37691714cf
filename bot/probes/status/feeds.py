"""Reads providers' own status reports: Statuspage's summary, and incident lists in other formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from bot.domain.errors import ProbeGarbageError

Impact = Literal["outage", "disruption", "degraded", "maintenance"]

_TITLE_CHARS = 160
_OVER = frozenset({"resolved", "postmortem", "completed", "ok", "closed", "scheduled", "cancelled"})
_HARMLESS = frozenset({"none", "operational", "service_information", "notice", "informational"})
_WORDS: Mapping[str, Impact] = {
    "critical": "outage",
    "major_outage": "outage",
    "service_outage": "outage",
    "outage": "outage",
    "down": "outage",
    "major": "disruption",
    "partial_outage": "disruption",
    "service_disruption": "disruption",
    "incident": "disruption",
    "high": "disruption",
    "maintenance": "maintenance",
    "under_maintenance": "maintenance",
}
_GRAVITY: Mapping[Impact, int] = {"outage": 3, "disruption": 2, "degraded": 1, "maintenance": 0}


@dataclass(frozen=True, kw_only=True)
class ProviderIncident:
    """One incident that a provider reports."""

    title: str
    impact: Impact
    since: datetime | None
    components: tuple[str, ...] = ()
    """The affected parts; empty if the provider does not name any."""
    url: str = ""
    mending: bool = False
    """The provider has applied a fix and is monitoring it."""


@dataclass(frozen=True, kw_only=True)
class ProviderStatus:
    """What a provider's page reports now, the worst incident first."""

    name: str
    troubles: Sequence[ProviderIncident]
    components: tuple[str, ...] = ()
    """All the parts that the page lists; empty if it does not list them."""


class _Part(BaseModel):
    name: str = Field(validation_alias=AliasChoices("name", "title"))
    status: str = ""
    group: bool = False
    updated_at: AwareDatetime | None = None


class _Incident(BaseModel):
    """One incident under the names that Statuspage, Google Cloud, Slack and the documented feed use."""

    title: str = Field(default="", validation_alias=AliasChoices("title", "name", "external_desc"))
    impact: str = Field(
        default="", validation_alias=AliasChoices("impact", "status_impact", "severity", "type")
    )
    status: str = ""
    since: AwareDatetime | None = Field(
        default=None,
        validation_alias=AliasChoices("since", "started_at", "begin", "date_created", "created_at"),
    )
    ended: AwareDatetime | None = Field(
        default=None, validation_alias=AliasChoices("ended", "resolved_at", "end", "ended_at")
    )
    url: str | None = Field(default="", validation_alias=AliasChoices("shortlink", "url", "uri", "link"))
    parts: list[_Part | str] = Field(
        default_factory=list,
        validation_alias=AliasChoices("components", "affected_products", "services", "affected"),
    )

    @field_validator("impact", "status", mode="before")
    @classmethod
    def _none_is_empty(cls, value: object) -> object:
        return "" if value is None else value


class _StatusPage(BaseModel):
    name: str = ""


class _Summary(BaseModel):
    """``/api/v2/summary.json`` of Statuspage."""

    page: _StatusPage
    components: list[_Part]
    incidents: list[_Incident]
    scheduled_maintenances: list[_Incident] = Field(default_factory=list)


class _Feed(BaseModel):
    incidents: list[_Incident] = Field(validation_alias=AliasChoices("incidents", "active_incidents"))


_FEED = TypeAdapter[list[_Incident] | _Feed](list[_Incident] | _Feed)


def read_summary(answer: object) -> ProviderStatus:
    """Return the status from Statuspage's summary.

    Raises:
        ProbeGarbageError: ``answer`` has another form.
    """
    try:
        summary = _Summary.model_validate(answer)
    except ValidationError as error:
        raise ProbeGarbageError("The status page does not answer as Statuspage does.") from error
    incidents = [*_troubles(summary.incidents), *_troubles(summary.scheduled_maintenances)]
    explained = {part for trouble in incidents for part in trouble.components}
    parts = [part for part in summary.components if not part.group]
    incidents.extend(_of_parts(part for part in parts if part.name not in explained))
    return ProviderStatus(
        name=summary.page.name, troubles=_ordered(incidents), components=tuple(part.name for part in parts)
    )


def read_feed(answer: object) -> ProviderStatus:
    """Return the status from a list of incidents, bare or under ``incidents``.

    Raises:
        ProbeGarbageError: ``answer`` has another form.
    """
    try:
        feed = _FEED.validate_python(answer)
    except ValidationError as error:
        raise ProbeGarbageError("The status feed is not a list of incidents.") from error
    incidents = feed.incidents if isinstance(feed, _Feed) else feed
    if any(not (incident.title or incident.impact or incident.since) for incident in incidents):
        raise ProbeGarbageError("The status feed lists something that is not an incident.")
    return ProviderStatus(name="", troubles=_ordered(_troubles(incidents)))


def affecting(page: ProviderStatus, wanted: Sequence[str]) -> list[ProviderIncident]:
    """Return the incidents of the ``wanted`` parts, by name, and those that name no part."""
    names = {name.casefold() for name in wanted}
    return [
        trouble
        for trouble in page.troubles
        if not names or not trouble.components or any(part.casefold() in names for part in trouble.components)
    ]


def _ordered(troubles: Iterable[ProviderIncident]) -> tuple[ProviderIncident, ...]:
    return tuple(sorted(troubles, key=lambda t: (t.mending, -_GRAVITY[t.impact], str(t.since), t.title)))


def _troubles(incidents: Iterable[_Incident]) -> Iterator[ProviderIncident]:
    for incident in incidents:
        status = incident.status.casefold()
        impact = impact_of(incident.impact)
        if impact is None or incident.ended is not None or status in _OVER:
            continue
        yield ProviderIncident(
            title=" ".join(incident.title.split())[:_TITLE_CHARS],
            impact=impact,
            since=incident.since,
            components=tuple(part if isinstance(part, str) else part.name for part in incident.parts),
            url=incident.url or "",
            mending=status == "monitoring",
        )


def _of_parts(parts: Iterable[_Part]) -> Iterator[ProviderIncident]:
    """Yield an incident for each part that is marked as unhealthy without an incident of its own."""
    for part in parts:
        impact = impact_of(part.status or "operational")
        if impact is not None:
            yield ProviderIncident(
                title=f"{part.name} is marked {part.status.replace('_', ' ')}",
                impact=impact,
                since=part.updated_at,
                components=(part.name,),
            )


def impact_of(word: str) -> Impact | None:
    """Return the impact for a provider's own word for it; ``None`` if nothing is impaired.

    An unknown word counts as *degraded*, as there is an open incident.
    """
    plain = word.strip().casefold().replace(" ", "_")
    return None if plain in _HARMLESS else _WORDS.get(plain, "degraded")
