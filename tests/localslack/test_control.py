"""The control API: acting as people, seeing what they see, and clear refusals."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from localslack import ControlError, LocalSlack, WaitTimeoutError
from localslack.control import ROUTES
from localslack.faults import FaultSwitches

ROOM = "checkout-oncall"
DOCS = Path(__file__).parents[2] / "docs" / "localslack.md"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "acts/post", {"user": "nobody", "channel": ROOM, "text": "x"}, 404, "user_not_found"),
        ("POST", "acts/post", {"user": "ana", "channel": "nowhere", "text": "x"}, 404, "channel_not_found"),
        ("POST", "acts/post", {"user": "olga", "channel": "incidents", "text": "x"}, 403, "not_in_channel"),
        ("POST", "acts/post", {"user": "ana", "channel": ROOM, "text": "  "}, 400, "no_text"),
        (
            "POST",
            "acts/post",
            {"user": "ana", "channel": ROOM, "text": "x", "thread_ts": "1.0"},
            404,
            "thread_not_found",
        ),
        ("POST", "acts/post", {"user": "ana", "channel": ROOM, "txt": "x"}, 400, "invalid_body"),
        ("POST", "acts/post", "no json", 400, "invalid_body"),
        (
            "POST",
            "acts/click",
            {"user": "ana", "channel": ROOM, "ts": "1.0", "action_id": "x"},
            404,
            "message_not_found",
        ),
        ("POST", "acts/click", {"user": "ana", "action_id": "x"}, 404, "view_not_found"),
        ("POST", "acts/click", {"user": "ana"}, 400, "missing_parameter"),
        ("POST", "acts/shortcut", {"user": "ana", "shortcut": "none"}, 404, "shortcut_not_found"),
        ("POST", "acts/home", {"user": "ana", "app": "none"}, 404, "app_not_found"),
        ("POST", "acts/submit", {"user": "ana"}, 404, "view_not_found"),
        (
            "POST",
            "acts/upload",
            {"user": "ana", "channel": ROOM, "name": "x", "content_base64": "?"},
            400,
            "invalid_body",
        ),
        (
            "PUT",
            "manifest",
            {"manifest": {"features": {"slash_commands": [{"command": "nope"}]}}},
            400,
            "invalid_manifest",
        ),
        ("POST", "usergroups/none/members", {}, 404, "usergroup_not_found"),
        ("GET", "state", None, 400, "missing_parameter"),
        ("GET", "wait?channel=general&text=(", None, 400, "invalid_parameter"),
        ("GET", "wait?channel=general&timeout_s=nonsense", None, 400, "invalid_parameter"),
        ("GET", "threads/general/1.0", None, 404, "thread_not_found"),
    ],
)
async def test_a_refusal_is_a_4xx_with_a_code_and_a_sentence(slack, method, path, body, status, code):  # noqa: PLR0917  # parameters of a case
    async with httpx.AsyncClient(base_url=f"{slack.url}/control/", timeout=60, trust_env=False) as http:
        content = body if isinstance(body, str) else json.dumps(body) if body is not None else None
        answer = await http.request(method, path, content=content)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.json()["message"]


async def test_typed_names_become_mentions_and_links(people):
    seen = await people.post(
        "@ben see #deploys, @oncall & <b> https://e.example/x @nobody", user="ana", channel=ROOM
    )
    assert (
        seen.json["text"]
        == "<@U0BEN00001> see <#C0DEPLOYS1|deploys>, <!subteam^S0ONCALL01|@oncall> &amp; &lt;b&gt; <https://e.example/x> @nobody"
    )
    assert seen.text == "@ben see #deploys, @oncall & <b> https://e.example/x @nobody"


async def test_wait_answers_as_soon_as_a_message_matches(people):
    waiting = asyncio.create_task(people.wait(r"^late\b", channel=ROOM, timeout_s=5))
    await people.post("early", user="ana", channel=ROOM)
    await people.post("Late news", user="ben", channel=ROOM)
    assert (await waiting).text == "Late news"


async def test_wait_can_look_past_a_moment_and_into_one_thread(people):
    root = await people.post("root", user="ana", channel=ROOM)
    first = await people.post("same words", user="ana", channel=ROOM, thread_ts=root.ts)
    await people.post("same words", user="ben", channel=ROOM)
    second = await people.post("same words", user="chika", channel=ROOM, thread_ts=root.ts)
    assert (await people.wait("same", channel=ROOM, thread_ts=root.ts)).ts == first.ts
    assert (await people.wait("same", channel=ROOM, thread_ts=root.ts, after=first.ts)).ts == second.ts


async def test_wait_gives_up_and_says_what_was_there(people):
    await people.post("something else", user="ana", channel=ROOM)
    with pytest.raises(WaitTimeoutError, match="something else"):
        await people.wait("never", channel=ROOM, timeout_s=0.05)


async def test_a_thread_reads_as_plain_text(people, app):
    root = await people.post("it is slow", user="ana", channel=ROOM)
    plan = {
        "type": "plan",
        "title": "Plan",
        "tasks": [
            {"task_id": "a", "title": "Look", "status": "complete"},
            {"task_id": "b", "title": "Act", "status": "pending"},
        ],
    }
    row = {
        "type": "actions",
        "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Approve"}}],
    }
    await app.client.chat_postMessage(channel="C0CHECKOUT", thread_ts=root.ts, text="x", blocks=[plan, row])
    assert (
        await people.thread_text(ROOM, root.ts)
        == "#checkout-oncall\n\nAna Costa:\n  it is slow\n\nHelper:\n  Plan\n  ✓ Look\n  ○ Act\n  [Approve]\n"
    )


async def test_reset_forgets_what_was_said_but_not_who_is_there(people, slack: LocalSlack):
    await people.post("x", user="ana", channel=ROOM)
    await people.faults(double_click=True)
    await people.change_group("oncall", remove=("ana",))
    await people.reset()
    assert await people.messages(ROOM) == []
    assert (await people.faults())["double_click"] is False
    assert "U0ANA00001" in slack.core.store.usergroup("oncall").members
    assert (await people.stats())["posts"] == 0


async def test_unread_counts_fall_to_zero_when_read(people, slack: LocalSlack):
    await people.post("x", user="ana", channel=ROOM)

    async def unread(user: str) -> int:
        return next(c["unread"] for c in await people.channels(user=user) if c["name"] == ROOM)

    assert (await unread("ana"), await unread("ben")) == (0, 1)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        await http.post(f"{slack.url}/control/acts/read", json={"user": "ben", "channel": ROOM})
    assert await unread("ben") == 0


async def test_a_person_uploads_joins_and_reacts(people, app):
    made = (await app.client.conversations_create(name="new-room"))["channel"]["id"]
    assert await people.join(user="ana", channel="new-room")
    assert not await people.join(user="ana", channel="new-room")
    shared = await people.upload(b"\x89PNG", name="chart.png", user="ana", channel="new-room", text="look")
    assert shared.json["files"][0]["mimetype"] == "image/png"
    assert await people.react("eyes", user="ana", channel=made, ts=shared.ts)
    assert not await people.react("eyes", user="ana", channel=made, ts=shared.ts)
    assert await people.react(":eyes:", user="ana", channel=made, ts=shared.ts, remove=True)
    assert [f["name"] for f in await people.files()] == ["chart.png"]


async def test_a_click_on_what_is_not_there_says_what_is(people, app):
    row = {
        "type": "actions",
        "elements": [{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}],
    }
    ts = (await app.client.chat_postMessage(channel="C0CHECKOUT", text="x", blocks=[row]))["ts"]
    with pytest.raises(ControlError, match=r"available: go \[Go\]"):
        await people.click(user="ana", channel=ROOM, ts=ts, text="Stop")


async def test_changes_are_told_as_they_happen_and_private_ones_only_to_their_person(
    slack: LocalSlack, people, app
):
    heard: list[str] = []

    async def listen(http: httpx.AsyncClient, user: str) -> None:
        async with http.stream("GET", "/control/feed", params={"user": user}, timeout=10) as stream:
            ready.set()
            async for line in stream.aiter_lines():
                change = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
                if change.get("type") == "message":
                    heard.append(change["message"]["text"])
                    if change["message"]["text"] == "the end":
                        return

    ready = asyncio.Event()
    async with httpx.AsyncClient(base_url=slack.url, timeout=60, trust_env=False) as http:
        listening = asyncio.create_task(listen(http, "ana"))
        await ready.wait()
        await app.client.chat_postEphemeral(channel="C0CHECKOUT", user="U0BEN00001", text="for Ben")
        await app.client.chat_postEphemeral(channel="C0CHECKOUT", user="U0ANA00001", text="for Ana")
        await people.post("the end", user="ben", channel=ROOM)
        await listening
    assert heard == ["for Ana", "the end"]


async def test_another_site_cannot_act_through_somebodys_browser(slack: LocalSlack):
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        body = json.dumps({"user": "ana", "channel": ROOM, "text": "x"})
        answer = await http.post(
            f"{slack.url}/control/acts/post", content=body, headers={"Sec-Fetch-Site": "cross-site"}
        )
    assert (answer.status_code, slack.core.store.messages["C0CHECKOUT"]) == (403, {})


async def test_the_index_lists_every_route(slack: LocalSlack):
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        listed = (await http.get(f"{slack.url}/control/")).json()["routes"]
    assert [(r["method"], r["path"]) for r in listed] == [(r.method, r.path) for r in ROUTES]
    assert all(r["does"] for r in listed)


@pytest.mark.parametrize(
    "name", [f"`{r.method} {r.path}`" for r in ROUTES] + [f"`{name}`" for name in FaultSwitches.model_fields]
)
def test_the_documentation_names_every_route_and_switch(name):
    assert name in DOCS.read_text(encoding="utf-8")
