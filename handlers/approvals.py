"""*Approve* and *Reject*, in a thread, a direct message, a modal or the Home tab: each vote is an intent."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.errors import NotFoundError
from bot.domain.intent import CastVote
from bot.domain.people import Person
from bot.domain.runs.approval import Verdict
from bot.domain.runs.run import Run
from bot.views import ids
from bot.views.rejection import reason_of, rejection_modal
from bot.views.thread.review import review_modal
from handlers.context import HandlerContext
from handlers.home import publish_home
from handlers.opening import open_modal
from handlers.payloads import button_value, click_of, is_in_channel, person_of, place_of

log = logging.getLogger(__name__)

Body = dict[str, Any]

_LOOKS = 20
_LOOK_S = 0.1
"""How often, and with which pause in seconds, a vote is looked for before its view is shown anew."""


@dataclass(frozen=True, kw_only=True)
class _Shown:
    """Where a vote was cast: in a message, which a worker brings up to date, or in a view, which we do."""

    by: Person
    kind: str
    """``modal`` or ``home``; empty for a message."""
    view_id: str = ""


def register(app: AsyncApp, desk: HandlerContext) -> None:
    """Register the buttons and the modal that asks for a reason."""

    async def vote(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient, verdict: Verdict) -> None:
        click = click_of(body, at=desk.clock.now())
        approval_id, in_channel = button_value(action), is_in_channel(body)
        cast = CastVote(approval_id=approval_id, verdict=verdict, in_channel=in_channel, **click)
        await desk.submit(cast)
        await ack()
        view = body.get("view") or {}
        await _show_again(
            desk,
            client,
            _Shown(by=click["by"], kind=view.get("type") or "", view_id=view.get("id") or ""),
            approval_id=approval_id,
            key=click["key"],
        )

    async def approve(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await vote(ack, body, action, client, "approve")

    async def reject(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await vote(ack, body, action, client, "reject")

    async def ask_why(ack: AsyncAck, body: Body, action: Body, client: AsyncWebClient) -> None:
        await ack()
        channel, thread = place_of(body)
        kind = (body.get("view") or {}).get("type") or ""
        place = {
            "approval": button_value(action),
            "channel": channel,
            "thread": thread,
            "in_channel": is_in_channel(body),
            "from": kind,
        }
        await open_modal(
            client,
            trigger_id=body["trigger_id"],
            view=rejection_modal(private_metadata=json.dumps(place)),
            what="ask for your reason",
            instead="Please click again.",
            on_top=kind == "modal",
        )

    async def rejected(ack: AsyncAck, body: Body, view: Body, client: AsyncWebClient) -> None:
        place = json.loads(view["private_metadata"])
        intent = CastVote(
            key=body["trigger_id"],
            at=desk.clock.now(),
            by=person_of(body),
            channel=place["channel"],
            thread=place["thread"],
            in_channel=place["in_channel"],
            approval_id=place["approval"],
            verdict="reject",
            why=reason_of(view["state"]["values"]),
        )
        await desk.submit(intent)
        await ack(response_action="clear")
        shown = _Shown(by=intent.by, kind="home" if place["from"] == "home" else "")
        await _show_again(desk, client, shown, approval_id=intent.approval_id, key=intent.key)

    app.action(ids.APPROVE)(approve)
    app.action(ids.REJECT)(reject)
    app.action(ids.REJECT_WHY)(ask_why)
    app.view(ids.REJECTION)(rejected)


async def _show_again(
    desk: HandlerContext, client: AsyncWebClient, shown: _Shown, *, approval_id: str, key: str
) -> None:
    """Bring the view in which a vote was cast up to date, once a worker has counted it."""
    if not shown.kind:
        return
    run = await _recorded(desk, approval_id, key=key)
    if shown.kind == "home":
        await publish_home(desk, client, shown.by)
    elif run is not None and shown.view_id:
        (await desk.reader(shown.by)).require(run.service)
        view = review_modal(run, now=desk.clock.now(), viewer=shown.by.id, approval_id=approval_id)
        try:
            await client.views_update(view_id=shown.view_id, view=view)
        except SlackApiError as error:  # the person may have closed it meanwhile
            log.info("view_gone", extra={"run_id": run.id, "code": error.response.get("error")})


async def _recorded(desk: HandlerContext, approval_id: str, *, key: str) -> Run | None:
    """Return a run once a vote is recorded in it, or decided without it; none if it is not counted soon."""
    for _ in range(_LOOKS):
        try:
            run = await desk.run(approval_id.partition(".")[0])
        except NotFoundError:
            return None
        gate = run.approvals.get(approval_id)
        if key in run.vote_keys or gate is None or gate.decision is not None:
            return run
        await asyncio.sleep(_LOOK_S)
    return None
