"""Each fault switch, seen from an unmodified Bolt app."""

from __future__ import annotations

import asyncio

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError

from localslack import ControlError, LocalSlack
from tests.support.waiting import LIMIT_S

ROOM = "C0CHECKOUT"
ROW = {
    "type": "actions",
    "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
}


@pytest.fixture
def clicks(app):
    """The trigger ids of the clicks the app has heard of."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    @app.action("go")
    async def go(ack, body):
        await heard.put(body["trigger_id"])
        await ack()

    return heard


async def two(heard: asyncio.Queue[str]) -> list[str]:
    async with asyncio.timeout(LIMIT_S):
        return [await heard.get(), await heard.get()]


async def test_a_double_click_is_two_clicks(app, clicks, serve, people):
    async with serve(app), people.faulty(double_click=True):
        ts = (await app.client.chat_postMessage(channel=ROOM, text="x", blocks=[ROW]))["ts"]
        await people.click(user="ana", channel=ROOM, ts=ts, action_id="go")
        first, second = await two(clicks)
    assert first != second


async def test_a_double_delivery_is_the_same_click_twice(app, clicks, serve, people):
    async with serve(app), people.faulty(double_delivery=True):
        ts = (await app.client.chat_postMessage(channel=ROOM, text="x", blocks=[ROW]))["ts"]
        await people.click(user="ana", channel=ROOM, ts=ts, action_id="go")
        first, second = await two(clicks)
    assert first == second


async def test_an_acknowledged_event_can_come_again(app, serve, people):
    heard: asyncio.Queue[str] = asyncio.Queue()

    @app.event("app_mention")
    async def mentioned(body):
        await heard.put(body["event_id"])

    async with serve(app), people.faulty(redeliver_events=True):
        await people.mention("hello", user="ana", channel=ROOM)
        first, second = await two(heard)
    assert first == second


async def test_a_lost_answer_leaves_the_message_posted(app, people):
    app.client.retry_handlers = []
    async with people.faulty(drop_after={"chat.postMessage": 1}):
        with pytest.raises(aiohttp.ClientError):
            await app.client.chat_postMessage(channel=ROOM, text="once")
        await app.client.chat_postMessage(channel=ROOM, text="twice")
    assert [m.text for m in await people.messages(ROOM)] == ["once", "twice"]


async def test_the_clients_own_retry_posts_twice(app, people):
    async with people.faulty(drop_after={"chat.postMessage": 1}):
        await app.client.chat_postMessage(channel=ROOM, text="hello")
    assert [m.text for m in await people.messages(ROOM)] == ["hello", "hello"]


async def test_late_and_lost_acknowledgements_are_timeouts(app, serve, people, impatient):
    @app.command("/triage")
    async def triage(ack):
        await ack()

    async with serve(app):
        async with people.faulty(delay_acks_s=5):
            assert (await people.slash("/triage", user="ana", channel=ROOM)).error == "operation_timeout"
        async with people.faulty(lose_acks=1):
            assert (await people.slash("/triage", user="ana", channel=ROOM)).error == "operation_timeout"
            assert (await people.slash("/triage", user="ana", channel=ROOM)).ok
        async with people.faulty(delay_delivery_s=0.05):
            outcome = await people.slash("/triage", user="ana", channel=ROOM)
    assert outcome.ok


async def test_slack_can_be_down_or_slow_or_say_no(app, people, slack: LocalSlack):
    async with people.faulty(api_down=True), httpx.AsyncClient(timeout=60, trust_env=False) as http:
        assert (await http.post(f"{slack.api_url}auth.test")).status_code == 503
    async with people.faulty(fail={"chat.postMessage": "internal_error"}):
        with pytest.raises(SlackApiError, match="internal_error"):
            await app.client.chat_postMessage(channel=ROOM, text="x")
    async with people.faulty(slow_api_s=0.05):
        await app.client.chat_postMessage(channel=ROOM, text="x")
    (entry,) = [e for e in await people.log() if e["name"] == "chat.postMessage" and e["error"] is None]
    assert entry["ms"] >= 50


async def test_a_forced_429_is_counted_down(app, people):
    async with people.faulty(rate_limit={"chat.postMessage": 2}, retry_after_s=7):
        for _ in range(2):
            with pytest.raises(SlackApiError) as caught:
                await app.client.chat_postMessage(channel=ROOM, text="x")
            assert caught.value.response.status_code == 429
            assert caught.value.response.headers["Retry-After"] == "7"
        await app.client.chat_postMessage(channel=ROOM, text="x")
    assert (await people.stats())["rate_limited"] == 2


async def test_people_leave_groups_and_workspaces(app, people):
    assert await people.change_group("@oncall", remove=("ben",), add=("dev",)) == [
        "U0ANA00001",
        "U0CHIKA001",
        "U0DEV00001",
    ]
    listed = await app.client.usergroups_users_list(usergroup="S0ONCALL01")
    assert listed["users"] == ["U0ANA00001", "U0CHIKA001", "U0DEV00001"]
    await people.deactivate("dev")
    assert (await app.client.users_info(user="U0DEV00001"))["user"]["deleted"]
    with pytest.raises(ControlError, match="deactivated"):
        await people.post("still here?", user="dev", channel=ROOM)
    await people.deactivate("dev", deleted=False)
    await people.post("back", user="dev", channel=ROOM)


async def test_an_unknown_or_senseless_switch_changes_nothing(people):
    with pytest.raises(ControlError, match="unknown_fault"):
        await people.faults(gremlins=True)
    with pytest.raises(ControlError, match="invalid_fault"):
        await people.faults(double_click=True, delay_acks_s=-1)
    assert (await people.faults())["double_click"] is False
