"""The Home tab."""

from __future__ import annotations

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotAllowedError, NotFoundError
from bot.domain.people import Person
from bot.domain.reading import ReadingRight
from bot.domain.runs.run import Run
from bot.views.home import HomeFacts, home_view, refused_home_view
from handlers.context import HandlerContext

EVENTS = ("app_home_opened",)
_MOST_RUNS = 30


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the event of opening the tab."""

    async def opened(event: dict[str, Any], client: AsyncWebClient) -> None:
        if event.get("tab") != "home":
            return
        await publish_home(desk, client, Person(id=event["user"]))

    app.event("app_home_opened")(opened)


async def publish_home(desk: HandlerContext, client: AsyncWebClient, person: Person) -> None:
    """Show a person their Home tab as of now."""
    try:
        right = await desk.reader(person)
    except NotAllowedError as refused:
        view = refused_home_view(refused)
    else:
        view = home_view(await _facts(desk, person, right))
    await client.views_publish(user_id=person.id, view=view)


async def _facts(desk: HandlerContext, person: Person, right: ReadingRight) -> HomeFacts:
    """Return the facts that a person may see."""
    runs = [run for run in await _recent(desk) if right.covers(run.service)]
    monitors = desk.catalogue.monitors.items()
    waiting = await _waiting(desk, runs, person.id) if right.is_member else []
    addresses = await asyncio.gather(*(desk.links.thread_of(run.id) for run in waiting))
    return HomeFacts(
        now=desk.clock.now(),
        services=desk.readable(right),
        runs=runs,
        waiting=waiting,
        viewer=person.id,
        links=dict(zip((run.id for run in waiting), addresses, strict=True)),
        firing=[alert for alert in await desk.firing() if right.covers(alert.service)],
        monitors=await desk.monitor_views([name for name, (service, _) in monitors if right.covers(service)]),
    )


async def _recent(desk: HandlerContext) -> list[Run]:
    ids = await desk.stores.journal.recent(limit=_MOST_RUNS)
    found = await asyncio.gather(*(_run(desk, run_id) for run_id in ids))
    return [run for run in found if run is not None]


async def _run(desk: HandlerContext, run_id: str) -> Run | None:
    try:
        return await desk.run(run_id)
    except NotFoundError:
        return None  # its retention ended since it was listed


async def _waiting(desk: HandlerContext, runs: list[Run], user: str) -> list[Run]:
    """Return the runs that this person may decide."""
    waiting = [(run, gate) for run in runs if (gate := run.waiting_for) is not None]
    groups = sorted({name for _, gate in waiting for name in gate.groups})
    if not groups:
        return []
    try:
        mine = await desk.directory.groups_of(user, among=groups)
    except NotAllowedError:
        return []  # their groups cannot be looked up now; the runs are still listed as running
    return [
        run
        for run, gate in waiting
        if mine.intersection(gate.groups) and (run.requested_by.id != user or gate.policy.allow_requester)
    ]
