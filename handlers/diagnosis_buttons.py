"""*Details* and *Review* of a run; *What else?*, *Right*, *Wrong* and *Other …* below a diagnosis."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.diagnoses.feedback import Opinion
from bot.domain.errors import NotFoundError
from bot.domain.intent import RateDiagnosis
from bot.domain.model import JsonObject
from bot.domain.runs.run import Run
from bot.views import ids
from bot.views.thread.details import details_modal
from bot.views.thread.feedback import named_instead, other_modal
from bot.views.thread.review import review_modal
from bot.views.thread.why import what_else_modal
from handlers.context import HandlerContext
from handlers.opening import open_modal, readable_run
from handlers.payloads import button_value, click_of, person_of, place_of

Body = dict[str, Any]
Opens = Callable[[AsyncAck, Body, Body, AsyncWebClient], Awaitable[None]]
Says = Callable[[AsyncAck, Body, Body], Awaitable[None]]


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the buttons and the modal."""
    app.action(ids.REVIEW)(_review(desk))
    for action_id in (ids.DETAILS, ids.WHY):
        app.action(action_id)(_details(desk))
    app.action(ids.WHAT_ELSE)(_shows(desk, what_else_modal))
    app.action(ids.SAY_RIGHT)(_says(desk, "right"))
    app.action(ids.SAY_WRONG)(_says(desk, "wrong"))

    async def other(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await ack()
        channel, thread = place_of(body)
        place = json.dumps({"run": button_value(action), "channel": channel, "thread": thread})
        view = other_modal(desk.catalogue.names, private_metadata=place)
        await _open(client, body, view)

    async def submitted(ack: AsyncAck, body: Body, view: Body) -> None:
        service, cause, text = named_instead(view["state"]["values"])
        place = json.loads(view["private_metadata"])
        intent = RateDiagnosis(
            key=body["trigger_id"],
            at=desk.clock.now(),
            run_id=place["run"],
            opinion="other",
            cause=cause,
            service=service,
            text=text,
            by=person_of(body),
            channel=place["channel"],
            thread=place["thread"],
        )
        await desk.submit(intent)
        await ack()

    app.action(ids.SAY_OTHER)(other)
    app.view(ids.FEEDBACK)(submitted)


def _shows(desk: HandlerContext, render: Callable[[Run, Diagnosis], JsonObject]) -> Opens:
    """Return a handler that answers a click with a modal for that person alone."""

    async def show(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await ack()
        run = await readable_run(desk, body, action)
        diagnosis = run.diagnosis
        if diagnosis is None:
            raise NotFoundError("There is no diagnosis yet.", hint="It appears once the evidence is in.")
        await _open(client, body, render(run, diagnosis))

    return show


def _review(desk: HandlerContext) -> Opens:
    """Return a handler that answers a click with what waits for a decision, and its buttons."""

    async def show(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await ack()
        run = await readable_run(desk, body, action)
        await _open(client, body, review_modal(run, now=desk.clock.now(), viewer=person_of(body).id))

    return show


def _details(desk: HandlerContext) -> Opens:
    """Return a handler that answers a click with all that is known of a run."""

    async def show(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await ack()
        await _open(client, body, details_modal(await readable_run(desk, body, action)))

    return show


def _says(desk: HandlerContext, opinion: Opinion) -> Says:
    async def say(ack: AsyncAck, body: Body, action: Body) -> None:
        click = click_of(body, at=desk.clock.now())
        await desk.submit(RateDiagnosis(run_id=button_value(action), opinion=opinion, **click))
        await ack()

    return say


async def _open(client: AsyncWebClient, body: Body, view: JsonObject) -> None:
    await open_modal(
        client, trigger_id=body["trigger_id"], view=view, what="open that", instead="Please click again."
    )
