"""Requests from other workspaces and from bots start nothing."""

from __future__ import annotations

from typing import Any

import pytest
from slack_bolt.async_app import AsyncBoltRequest

from tests.handlers.fronts import ANA, OLGA, ONCALL, Front

PARTNER = "T0PARTNER1"


def _mention(front: Front, **changed: Any) -> AsyncBoltRequest:
    """Return a mention as Slack delivers it; ``changed`` overrides fields of the event."""
    bot = front.slack.app.spec.bot_user
    event = {"type": "app_mention", "user": ANA, "text": f"<@{bot}> triage checkout", "channel": ONCALL}
    body = {
        "type": "event_callback",
        "team_id": front.slack.core.workspace.id,
        "event_id": "Ev1",
        "event": {**event, "ts": "1.0", **changed},
    }
    return AsyncBoltRequest(body=body, mode="socket_mode")


async def test_our_own_people_are_let_in(front: Front):
    assert (await front.app.async_dispatch(_mention(front))).status == 200
    assert len(front.inbox.intents) == 1


@pytest.mark.parametrize("field", ["user_team", "team"])
async def test_a_mention_from_another_workspace_is_turned_away_politely(front: Front, field: str):
    answer = await front.app.async_dispatch(_mention(front, user=OLGA, **{field: PARTNER}))
    assert answer.status == 200
    seen = await front.people.wait("members of the workspace", channel="checkout-oncall", user=OLGA)
    assert seen.is_ephemeral
    assert front.inbox.intents == []


async def test_a_command_from_another_workspace_is_answered_in_its_acknowledgement(front: Front):
    command = {
        "command": "/triage",
        "text": "checkout",
        "team_id": PARTNER,
        "user_id": OLGA,
        "user_name": "olga",
        "channel_id": ONCALL,
        "trigger_id": "1.2.3",
    }
    answer = await front.app.async_dispatch(AsyncBoltRequest(body=command, mode="socket_mode"))
    assert answer.status == 200
    assert "members of the workspace" in answer.body
    assert front.inbox.intents == []


async def test_a_bot_is_not_answered_because_it_might_answer_back(front: Front):
    assert (await front.app.async_dispatch(_mention(front, bot_id="B0OTHER001"))).status == 200
    assert front.inbox.intents == []
    assert (await front.people.stats())["ephemerals"] == 0
