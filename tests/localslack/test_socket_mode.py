"""An unmodified Bolt app in Socket Mode."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from slack_bolt import BoltResponse

from localslack import LocalSlack, LocalSlackClient
from tests.support.waiting import LIMIT_S

ROOM = "checkout-oncall"
BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "v1"}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "block_id": "row", "elements": list(elements)}


def options(*values: str) -> list[dict[str, Any]]:
    return [{"text": {"type": "plain_text", "text": v.title()}, "value": v} for v in values]


async def test_a_command_reaches_the_app_and_its_answer_reaches_only_the_person(app, serve, people):
    @app.command("/triage")
    async def triage(ack, command):
        await ack(f"looking at {command['text']}")

    async with serve(app):
        outcome = await people.slash("/triage checkout", user="ana", channel=ROOM)
        assert outcome.ok
        assert outcome.ack_latency_ms is not None
        acks = (await people.stats())["acks"]
        assert acks["p99_by_kind_ms"] == {"slash_commands": acks["p99_ms"]}
        assert acks["p99_ms"] == pytest.approx(outcome.ack_latency_ms, abs=0.01)
        assert [m["text"] for m in outcome.ephemerals] == ["looking at checkout"]
        assert [m.text for m in await people.messages(ROOM, user="ana")] == ["looking at checkout"]
        assert await people.messages(ROOM, user="ben") == []


async def test_a_command_answered_in_channel_is_seen_by_everyone(app, serve, people):
    @app.command("/triage")
    async def triage(ack):
        await ack(text="for all", response_type="in_channel")

    async with serve(app):
        await people.slash("/triage x", user="ana", channel=ROOM)
        assert [m.text for m in await people.messages(ROOM, user="ben")] == ["for all"]


async def test_names_in_a_command_become_ids_only_when_the_manifest_says_so(app, serve, people):
    heard: list[str] = []

    @app.command("/triage")
    async def triage(ack, command):
        heard.append(command["text"])
        await ack()

    @app.command("/plain")
    async def plain(ack, command):
        heard.append(command["text"])
        await ack()

    async with serve(app):
        await people.slash("/triage @ben #deploys @oncall.", user="ana", channel=ROOM)
        await people.slash("/plain @ben #deploys", user="ana", channel=ROOM)
    assert heard == [
        "<@U0BEN00001|ben> <#C0DEPLOYS1|deploys> <!subteam^S0ONCALL01|@oncall>.",
        "@ben #deploys",
    ]


async def test_a_command_acknowledged_too_late_is_shown_as_a_timeout(app, serve, people, impatient):
    late = asyncio.Event()

    @app.command("/triage")
    async def triage(ack):
        await late.wait()
        await ack()

    async with serve(app):
        outcome = await people.slash("/triage x", user="ana", channel=ROOM)
        late.set()
        assert (outcome.ok, outcome.error) == (False, "operation_timeout")
        assert outcome.ephemerals[0]["text"] == "`/triage` failed with the error `operation_timeout`"
        assert (await people.stats())["envelopes"]["unacked"] == 1


async def test_without_an_app_a_command_fails_at_once(people):
    outcome = await people.slash("/triage x", user="ana", channel=ROOM)
    assert outcome.error == "dispatch_failed"


async def test_a_command_nobody_offers_is_refused(people):
    outcome = await people.slash("/nonsense", user="ana", channel=ROOM)
    assert outcome.error == "unknown_command"
    assert "not a valid command" in outcome.ephemerals[0]["text"]


async def test_a_command_in_a_thread_is_refused(app, serve, people):
    root = await people.post("hello", user="ana", channel=ROOM)
    outcome = await people.slash("/triage x", user="ana", channel=ROOM, thread_ts=root.ts)
    assert outcome.error == "not_in_thread"
    assert (await people.messages(ROOM, user="ana", thread_ts=root.ts))[
        -1
    ].text == "`/triage` is not supported in threads. Sorry!"


async def test_an_acknowledgement_that_breaks_a_limit_fails_the_command(app, serve, people):
    @app.command("/triage")
    async def triage(ack):
        await ack(blocks=[{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}])

    async with serve(app):
        assert (await people.slash("/triage x", user="ana", channel=ROOM)).error == "dispatch_failed"


async def test_a_click_carries_what_slack_says_it_carries(app, serve, people, slack: LocalSlack):
    bodies: list[dict[str, Any]] = []

    @app.action("go")
    async def go(ack, body):
        bodies.append(body)
        await ack()

    async with serve(app):
        posted = await app.client.chat_postMessage(
            channel="C0CHECKOUT", text="root", blocks=[actions(BUTTON)]
        )
        outcome = await people.click(user="ben", channel=ROOM, ts=posted["ts"], text="Go")
    assert outcome.ok
    (body,) = bodies
    assert body["user"] == {"id": "U0BEN00001", "username": "ben", "name": "ben", "team_id": "T0LOCAL001"}
    assert body["team"]["id"] == "T0LOCAL001"
    assert body["channel"] == {"id": "C0CHECKOUT", "name": ROOM}
    assert body["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": "C0CHECKOUT",
        "is_ephemeral": False,
    }
    assert body["message"]["ts"] == posted["ts"]
    assert body["api_app_id"] == slack.app.spec.id
    (action,) = body["actions"]
    assert (action["action_id"], action["block_id"], action["value"], action["type"]) == (
        "go",
        "row",
        "v1",
        "button",
    )
    assert body["trigger_id"]
    assert body["response_url"].startswith(slack.url)


async def test_equal_buttons_are_told_apart_by_their_value(app, serve, people):
    values: list[str] = []

    @app.action("go")
    async def go(ack, action):
        values.append(action["value"])
        await ack()

    rows = [{"type": "actions", "elements": [{**BUTTON, "value": v}]} for v in ("first", "second")]
    async with serve(app):
        posted = await app.client.chat_postMessage(channel="C0CHECKOUT", text="r", blocks=rows)
        await people.click(user="ana", channel=ROOM, ts=posted["ts"], action_id="go", value="second")
    assert values == ["second"]


async def test_menus_send_what_was_chosen_and_keep_it_in_the_state(app, serve, people):
    heard: list[tuple[dict[str, Any], dict[str, Any]]] = []

    @app.action({"block_id": "row"})
    async def any_action(ack, action, body):
        heard.append((action, body["state"]["values"]["row"]))
        await ack()

    row = actions(
        {
            "type": "static_select",
            "action_id": "one",
            "options": options("a", "b"),
            "placeholder": {"type": "plain_text", "text": "Pick"},
        },
        {"type": "checkboxes", "action_id": "many", "options": options("x", "y")},
        {"type": "datepicker", "action_id": "day", "initial_date": "2026-01-02"},
        {"type": "users_select", "action_id": "who"},
        {"type": "overflow", "action_id": "more", "options": options("mute")},
    )
    async with serve(app):
        posted = await app.client.chat_postMessage(channel="C0CHECKOUT", text="r", blocks=[row])
        for action_id, value in (
            ("one", "b"),
            ("many", ["x", "y"]),
            ("day", "2026-03-04"),
            ("who", "U0BEN00001"),
            ("more", "Mute"),
        ):
            assert (
                await people.click(
                    user="ana", channel=ROOM, ts=posted["ts"], action_id=action_id, value=value
                )
            ).ok
    chosen = [action for action, _ in heard]
    assert chosen[0]["selected_option"]["value"] == "b"
    assert [o["value"] for o in chosen[1]["selected_options"]] == ["x", "y"]
    assert chosen[2]["selected_date"] == "2026-03-04"
    assert chosen[3]["selected_user"] == "U0BEN00001"
    assert chosen[4]["selected_option"]["value"] == "mute"
    state = heard[-1][1]
    assert state["one"]["selected_option"]["value"] == "b"
    assert state["day"]["selected_date"] == "2026-03-04"
    assert "more" not in state


async def test_an_external_menu_offers_what_the_app_offers(app, serve, people):
    @app.options("svc")
    async def offer(ack, payload):
        await ack(options=[o for o in options("checkout", "payments") if payload["value"] in o["value"]])

    chosen: list[str] = []

    @app.action("svc")
    async def take(ack, action):
        chosen.append(action["selected_option"]["value"])
        await ack()

    menu = {"type": "external_select", "action_id": "svc", "min_query_length": 0}
    async with serve(app):
        posted = await app.client.chat_postMessage(channel="C0CHECKOUT", text="r", blocks=[actions(menu)])
        await people.click(user="ana", channel=ROOM, ts=posted["ts"], action_id="svc", value="payments")
    assert chosen == ["payments"]


async def test_a_response_url_answers_replaces_and_deletes_then_runs_out(app, serve, people):
    @app.action("go")
    async def go(ack, respond):
        await ack()
        await respond("to you alone")
        await respond("to all", response_type="in_channel")
        await respond("changed", replace_original=True)
        await respond(delete_original=True)
        await respond("the fifth")
        sixth = await respond("the sixth")
        await respond_log.put(sixth.status_code)

    respond_log: asyncio.Queue[int] = asyncio.Queue()
    async with serve(app):
        posted = await app.client.chat_postMessage(
            channel="C0CHECKOUT", text="root", blocks=[actions(BUTTON)]
        )
        await people.click(user="ana", channel=ROOM, ts=posted["ts"], action_id="go")
        async with asyncio.timeout(LIMIT_S):
            assert await respond_log.get() == 404
        assert [m.text for m in await people.messages(ROOM, user="ben")] == ["to all"]
        assert [m.text for m in await people.messages(ROOM, user="ana")] == [
            "to you alone",
            "to all",
            "the fifth",
        ]


async def test_a_message_shortcut_brings_the_message(app, serve, people):
    heard: list[dict[str, Any]] = []

    @app.shortcut("triage_this")
    async def triage_this(ack, shortcut):
        heard.append(shortcut)
        await ack()

    async with serve(app):
        message = await people.post("it is slow", user="ben", channel=ROOM)
        outcome = await people.shortcut("Triage this", user="ana", channel=ROOM, ts=message.ts)
    assert outcome.ok
    assert heard[0]["type"] == "message_action"
    assert heard[0]["message"]["text"] == "it is slow"
    assert heard[0]["user"]["id"] == "U0ANA00001"


async def test_a_global_shortcut_opens_a_modal(app, serve, people):
    @app.shortcut("new_incident")
    async def new_incident(ack, shortcut, client):
        await ack()
        view = {
            "type": "modal",
            "title": {"type": "plain_text", "text": "New"},
            "blocks": [{"type": "divider"}],
        }
        await client.views_open(trigger_id=shortcut["trigger_id"], view=view)
        opened.set()

    opened = asyncio.Event()
    async with serve(app):
        await people.shortcut("new_incident", user="ana")
        async with asyncio.timeout(LIMIT_S):
            await opened.wait()
        assert [v["title"]["text"] for v in await people.views(user="ana")] == ["New"]
        assert await people.views(user="ben") == []


async def test_a_mention_reaches_the_app_in_a_thread_too(app, serve, people):
    @app.event("app_mention")
    async def mentioned(event, say):
        await say(f"heard in {event.get('thread_ts')}", thread_ts=event.get("thread_ts") or event["ts"])

    async with serve(app):
        root = await people.post("incident", user="ana", channel=ROOM)
        await people.mention("triage", user="ben", channel=ROOM, thread_ts=root.ts)
        answer = await people.wait("heard in", channel=ROOM, thread_ts=root.ts)
    assert answer.text == f"heard in {root.ts}"


async def test_events_an_app_did_not_subscribe_to_are_not_sent(app, serve, people):
    async with serve(app):
        await people.post("just talk", user="ana", channel=ROOM)
        await people.react("eyes", user="ben", channel=ROOM, ts=(await people.messages(ROOM))[0].ts)
        await people.wait("just talk", channel=ROOM)
        names = [e["name"] for e in await people.log() if e["kind"] == "envelope"]
        assert "message" not in names


async def test_an_event_nobody_acknowledges_comes_three_times_more(app, serve, people, impatient):
    heard: asyncio.Queue[tuple[int | None, str | None]] = asyncio.Queue()

    @app.middleware
    async def never(req):
        number = req.headers.get("x-slack-retry-num", [None])[0]
        reason = req.headers.get("x-slack-retry-reason", [None])[0]
        await heard.put((int(number) if number else None, reason))
        return BoltResponse(status=500)

    async with serve(app):
        await people.mention("hello", user="ana", channel=ROOM)
        async with asyncio.timeout(LIMIT_S):
            seen = [await heard.get() for _ in range(4)]
    assert [number for number, _ in seen] == [0, 1, 2, 3]
    assert seen[1][1] == "http_timeout"


async def test_after_a_refresh_of_the_sockets_the_app_is_there_again(app, serve, people, impatient):
    @app.command("/triage")
    async def triage(ack):
        await ack("here")

    async with serve(app):
        assert await people.refresh_sockets() == 1
        attempts = [(await people.slash("/triage x", user="ana", channel=ROOM)).ok for _ in range(8)]
        assert attempts[-1]


async def test_of_two_sockets_each_payload_takes_one(app, serve, people, slack: LocalSlack):
    calls: list[str] = []

    @app.command("/triage")
    async def triage(ack, command):
        calls.append(command["text"])
        await ack()

    async with serve(app), serve(app):
        assert len(slack.app.sockets) == 2
        for text in ("a", "b", "c", "d"):
            await people.slash("/triage", text, user="ana", channel=ROOM)
    assert calls == ["a", "b", "c", "d"]


async def test_an_eleventh_socket_is_turned_away(slack: LocalSlack):
    import aiohttp  # noqa: PLC0415  # only this test speaks WebSocket by hand

    async with httpx.AsyncClient(timeout=60, trust_env=False) as http, aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {slack.app_token}"}
        url = (await http.post(f"{slack.api_url}apps.connections.open", headers=headers)).json()["url"]
        sockets = [await session.ws_connect(url) for _ in range(10)]
        assert [(await s.receive_json())["type"] for s in sockets] == ["hello"] * 10
        extra = await session.ws_connect(url)
        assert await extra.receive_json() == {"type": "disconnect", "reason": "too_many_websockets"}
        for socket in (*sockets, extra):
            await socket.close()


async def test_a_message_to_a_person_is_a_direct_conversation(app, serve, people: LocalSlackClient):
    @app.event("message")
    async def direct(event, say):
        await say(f"you said {event['text']}")

    async with serve(app):
        sent = await app.client.chat_postMessage(channel="U0ANA00001", text="hello Ana")
        room = sent["channel"]
        assert room.startswith("D")
        await people.post("hi", user="ana", channel=room)
        assert (await people.wait("you said", channel=room)).text == "you said hi"
