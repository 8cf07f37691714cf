"""Reads the status pages of providers: the incidents that they report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings
from bot.domain.formatting import listed
from bot.domain.model import JsonObject, JsonValue
from bot.domain.wording import clock_time
from bot.engine.plugins import Context, probe
from bot.probes._shared.json_api import fetch, having, of_each
from bot.probes.status.feeds import (
    Impact,
    ProviderIncident,
    ProviderStatus,
    affecting,
    read_feed,
    read_summary,
)

_MOST = 5
_STRENGTH: Mapping[Impact, float] = {"outage": 0.95, "disruption": 0.8, "degraded": 0.5, "maintenance": 0.6}
_OF_ANY_PART = 0.7
"""Factor on the strength if it is unknown whether the part that the service uses is affected."""
_MENDING = 0.7
_IMPACT_TEXT: Mapping[Impact, str] = {
    "outage": "an outage",
    "disruption": "a disruption",
    "degraded": "degraded performance",
    "maintenance": "maintenance",
}


@probe(specialist="network")
async def page(ctx: Context, *, service: str) -> Findings:
    """Incidents on the status pages of the providers that a service depends on: impact, parts, since when.

    Reads the ``status`` source of a service and its dependencies: ``url`` of a page by Statuspage, or
    ``feed``, the address of a JSON list of incidents.  If the source has ``components`` (names separated by
    commas), only their incidents count; otherwise an incident of any part counts, but less.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``status`` source with ``url`` or ``feed``.
        ProbeUnavailableError: no page can be read; the provider may be healthy.
        ProbeGarbageError: the server's answer is not a status page.
    """
    asked = having(ctx, service, kind="status", fields=("url", "feed"))

    async def ask(entry: Service) -> ProviderStatus:
        return await _page(ctx, entry)

    pages, gaps = await of_each(asked, ask)
    found: list[Finding] = []
    for name, status in pages.items():
        entry = ctx.service(name)
        wanted = _wanted(entry)
        unknown = [part for part in wanted if status.components and not _lists(status, part)]
        gaps.extend(f"{name}: its status page has no component called {part}" for part in unknown)
        troubles = affecting(status, wanted)
        found.extend([_finding(entry, status, troubles)] if troubles else [])
    troubled = {finding.service for finding in found}
    return Findings(
        items=tuple(found),
        looked_at=f"status pages of {listed(list(pages), most=4)}",
        normal=tuple(f"{name} reports no incident of its own" for name in pages if name not in troubled),
        gaps=tuple(gaps),
    )


async def _page(ctx: Context, entry: Service) -> ProviderStatus:
    source = entry.sources["status"]
    name = f"The status page of {entry.name}"
    if source.get("feed"):
        return read_feed(await fetch(ctx, source["feed"], name=name, source=source))
    url = f"{source['url'].rstrip('/')}/api/v2/summary.json"
    return read_summary(await fetch(ctx, url, name=name, source=source))


def _wanted(entry: Service) -> list[str]:
    return [part.strip() for part in entry.sources["status"].get("components", "").split(",") if part.strip()]


def _lists(status: ProviderStatus, part: str) -> bool:
    return part.casefold() in {name.casefold() for name in status.components}


def _finding(entry: Service, status: ProviderStatus, troubles: Sequence[ProviderIncident]) -> Finding:
    worst = troubles[0]
    down = worst.impact in ("outage", "disruption")
    kind = FindingKind.DEPENDENCY_DOWN if down else FindingKind.DEPENDENCY_SLOW
    # For an internal service, the page belongs to a provider behind it that the catalogue does not list.
    component = "" if entry.external else (status.name or "its provider")
    who = component or entry.name
    text = f"{who} reports {_IMPACT_TEXT[worst.impact]} on its status page{_of_what(worst)}: {_quoted(worst)}"
    return Finding(
        id=":".join(part for part in ("provider", kind.value, entry.name, component) if part),
        source="provider",
        kind=kind,
        service=entry.name,
        component=component,
        summary=f"{text.rstrip('.')}.",
        began_at=worst.since,
        strength=_strength(worst, certain=bool(_wanted(entry)) and bool(worst.components)),
        evidence=tuple(Evidence(text=_quoted(each), url=each.url) for each in troubles[:_MOST]),
        data=_data(entry, troubles, component=component),
    )


def _strength(worst: ProviderIncident, *, certain: bool) -> float:
    strength = _STRENGTH[worst.impact] * (1.0 if certain else _OF_ANY_PART)
    return round(strength * (_MENDING if worst.mending else 1.0), 3)


def _of_what(trouble: ProviderIncident) -> str:
    return f" of {listed(trouble.components, most=4)}" if trouble.components else ""


def _quoted(trouble: ProviderIncident) -> str:
    since = f", since {clock_time(trouble.since)}" if trouble.since else ""
    mending = "; the provider is monitoring a fix" if trouble.mending else ""
    return f"“{trouble.title or 'an incident without a title'}”{since}{mending}"


def _data(entry: Service, troubles: Sequence[ProviderIncident], *, component: str) -> JsonObject:
    worst = troubles[0]
    data: JsonObject = {
        "impact": worst.impact,
        "components": list[JsonValue](worst.components),
        "since": worst.since.isoformat() if worst.since else None,
        "mending": worst.mending,
        "incidents": len(troubles),
        "direct": not component,
    }
    if not component:
        return data
    return {**data, "caller": entry.name, "dependency": component, "catalogued": False}
