"""The message shortcut *Triage this*, and the modal that asks for the service."""

from __future__ import annotations

import json
import re
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotFoundError
from bot.domain.model import JsonObject
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.event import Origin
from bot.engine.params import complete_params
from bot.views import ids
from bot.views.modals import pick_service_modal, picked
from handlers.context import HandlerContext
from handlers.opening import open_modal
from handlers.payloads import Payload, elements_of, person_of, place_of, words_in
from handlers.triage import RUNBOOK

SHORTCUT = "Triage this"
CALLBACK = ids.TRIAGE_MESSAGE
SHORTCUT_SUMMARY = "Find out what is wrong with the service in this message"


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the shortcut and the modal."""

    async def triage_this(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        channel, thread = place_of(body)
        alert = await _alert_of(desk, body["message"])
        named = _named_services(desk, body["message"], alert)
        if len(named) == 1:
            origin = Origin(
                kind="shortcut", channel=channel, thread=thread, alert=alert.id if alert is not None else ""
            )
            params = _params(desk, {"service": named[0]})
            await desk.start(RUNBOOK, params, key=body["trigger_id"], by=person_of(body), origin=origin)
            await ack()
            return
        await ack()
        view = pick_service_modal(
            desk.catalogue.names,
            private_metadata=json.dumps({"channel": channel, "thread": thread}),
            initial=named[0] if named else None,
        )
        await open_modal(
            client,
            trigger_id=body["trigger_id"],
            view=view,
            what="ask which service you mean",
            instead="Try again, or type `/triage <service>` in the channel.",
        )

    async def submitted(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any]) -> None:
        service, since = picked(view["state"]["values"])
        place = json.loads(view["private_metadata"])
        origin = Origin(kind="shortcut", channel=place["channel"], thread=place["thread"])
        params = _params(desk, {"service": service, "since": since})
        await desk.start(RUNBOOK, params, key=body["trigger_id"], by=person_of(body), origin=origin)
        await ack()

    app.shortcut(CALLBACK)(triage_this)
    app.view(ids.PICK_SERVICE)(submitted)


def _params(desk: HandlerContext, given: JsonObject) -> JsonObject:
    return complete_params(desk.library.get(RUNBOOK), given, catalogue=desk.catalogue)


async def _alert_of(desk: HandlerContext, message: Payload) -> Alert | None:
    """Return the alert that one of the bot's messages is about; none if there is none."""
    topic = (message.get("metadata") or {}).get("event_payload") or {}
    found = [topic["id"]] if topic.get("topic") == "alert" else []
    found += [item["value"] for item in elements_of(message) if item.get("action_id") == ids.TRIAGE]
    for alert_id in found:
        try:
            return await desk.alert(alert_id)
        except NotFoundError:
            continue
    return None


def _named_services(desk: HandlerContext, message: Payload, alert: Alert | None) -> list[str]:
    """Return the services of the catalogue that a message names; for an alert, its own service."""
    if alert is not None and alert.service in desk.catalogue.names:
        return [alert.service]
    text = "\n".join(words_in(message))
    return [
        name for name in desk.catalogue.names if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
    ]
