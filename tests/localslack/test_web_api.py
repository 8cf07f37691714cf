"""The Web API, asked directly: what it answers, and what it refuses."""

from __future__ import annotations

import json

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from localslack import LocalSlack

ROOM = "C0CHECKOUT"
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "block"}}


@pytest.fixture
def client(app):
    """The official client, unchanged but for its base URL."""
    return app.client


async def error_of(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])


async def test_json_form_and_query_are_alike(slack: LocalSlack):
    auth = {"Authorization": f"Bearer {slack.bot_token}"}
    url = f"{slack.api_url}chat.postMessage"
    body = {"channel": ROOM, "text": "hi", "blocks": json.dumps([SECTION])}
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        answers = [
            await http.post(url, json={**body, "blocks": [SECTION]}, headers=auth),
            await http.post(url, data=body, headers=auth),
            await http.get(url, params=body, headers=auth),
            await http.post(url, data={**body, "token": slack.bot_token}),
            await http.post(url, files={"ignored": b""}, data=body, headers=auth),
        ]
    assert [a.json()["ok"] for a in answers] == [True] * 5
    assert {a.json()["message"]["blocks"][0]["text"]["text"] for a in answers} == {"block"}


async def test_tokens_are_checked(slack: LocalSlack):
    async with httpx.AsyncClient(base_url=slack.api_url, timeout=60, trust_env=False) as http:

        async def error(method: str, token: str | None) -> str:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            return str((await http.post(method, headers=headers)).json().get("error"))

        assert await error("auth.test", None) == "not_authed"
        assert await error("auth.test", "xoxb-nobody") == "invalid_auth"
        assert await error("apps.connections.open", slack.bot_token) == "not_allowed_token_type"
        assert await error("chat.postMessage", slack.app_token) == "not_allowed_token_type"
        assert await error("no.such", slack.bot_token) == "unknown_method"
        assert await error("api.test", None) == "None"


async def test_a_bot_learns_who_it_is(client, slack: LocalSlack):
    found = await client.auth_test()
    assert (found["user_id"], found["bot_id"], found["team_id"]) == ("U0APP00001", "B0APP00001", "T0LOCAL001")
    assert (await client.team_info())["team"]["name"] == "Local"
    assert (await client.bots_info(bot=found["bot_id"]))["bot"]["user_id"] == found["user_id"]
    assert (await client.api_test(foo="bar"))["args"] == {"foo": "bar"}


async def test_a_message_comes_back_with_ids_filled_in_and_its_metadata(client):
    metadata = {"event_type": "run", "event_payload": {"run_id": "r-1"}}
    posted = await client.chat_postMessage(
        channel="#checkout-oncall", text="root", blocks=[SECTION], metadata=metadata
    )
    assert posted["channel"] == ROOM
    assert len(posted["message"]["blocks"][0]["block_id"]) == 5
    with_it = await client.conversations_history(channel=ROOM, include_all_metadata=True)
    assert with_it["messages"][0]["metadata"] == metadata
    assert "metadata" not in (await client.conversations_history(channel=ROOM))["messages"][0]


async def test_messages_are_refused_for_slacks_reasons(client, api):
    made = await client.conversations_create(name="elsewhere")
    await client.chat_postMessage(channel=made["channel"]["id"], text="x")
    assert await error_of(client.chat_postMessage(channel="C00000000", text="x")) == "channel_not_found"
    assert (await api("chat.postMessage", channel=ROOM))["error"] == "no_text"
    assert (await api("chat.postMessage", text="x"))["error"] == "invalid_arguments"
    assert (await api("chat.postMessage", channel=ROOM, blocks="nonsense"))[
        "error"
    ] == "invalid_blocks_format"
    assert (await api("chat.postMessage", channel=ROOM, text="x", metadata={"a": 1}))[
        "error"
    ] == "invalid_metadata_format"
    both = await api("chat.postMessage", channel=ROOM, text="x", markdown_text="y")
    assert both["error"] == "markdown_text_conflict"
    wrong = await api("chat.postMessage", channel=ROOM, text="x", blocks=[{"type": "header"}])
    assert wrong["error"] == "invalid_blocks"
    assert wrong["response_metadata"]["messages"] == [
        "[ERROR] missing required field: text [json-pointer:/blocks/0]"
    ]
    await client.conversations_archive(channel=made["channel"]["id"])
    assert await error_of(client.chat_postMessage(channel=made["channel"]["id"], text="x")) == "is_archived"


async def test_a_bot_outside_a_channel_may_not_post_there(client, slack: LocalSlack):
    del slack.core.store.channels["C0GENERAL1"].members["U0APP00001"]
    assert await error_of(client.chat_postMessage(channel="C0GENERAL1", text="x")) == "not_in_channel"
    assert await error_of(client.conversations_history(channel="C0GENERAL1")) == "not_in_channel"
    await client.conversations_join(channel="C0GENERAL1")
    assert (await client.chat_postMessage(channel="C0GENERAL1", text="x"))["ok"]


async def test_scopes_count_when_the_manifest_lists_them(client, people, manifest):
    await people.install({**manifest, "oauth_config": {"scopes": {"bot": ["chat:write"]}}})
    await client.chat_postMessage(channel=ROOM, text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.reactions_add(channel=ROOM, timestamp="1.2", name="eyes")
    assert caught.value.response["error"] == "missing_scope"
    assert caught.value.response["needed"] == "reactions:write"


async def test_an_app_is_told_which_scopes_it_has_where_its_manifest_lists_them(client, people, manifest):
    async def told() -> str | None:
        headers = (await client.auth_test()).headers
        return {name.casefold(): value for name, value in headers.items()}.get("x-oauth-scopes")

    assert await told() is None
    await people.install({**manifest, "oauth_config": {"scopes": {"bot": ["users:read", "chat:write"]}}})
    assert await told() == "chat:write,users:read"


async def test_a_reply_to_a_missing_parent_lands_in_the_channel(client):
    posted = await client.chat_postMessage(channel=ROOM, text="x", thread_ts="1700000000.000100")
    assert "thread_ts" not in posted["message"]
    assert len((await client.conversations_history(channel=ROOM))["messages"]) == 1


async def test_a_thread_has_a_parent_that_counts_its_replies(client):
    root = await client.chat_postMessage(channel=ROOM, text="root")
    first = await client.chat_postMessage(channel=ROOM, text="one", thread_ts=root["ts"])
    await client.chat_postMessage(channel=ROOM, text="two", thread_ts=first["ts"], reply_broadcast=True)
    thread = await client.conversations_replies(channel=ROOM, ts=root["ts"])
    assert [m["text"] for m in thread["messages"]] == ["root", "one", "two"]
    assert thread["messages"][0]["reply_count"] == 2
    assert {m["thread_ts"] for m in thread["messages"]} == {root["ts"]}
    assert [m["text"] for m in (await client.conversations_history(channel=ROOM))["messages"]] == [
        "two",
        "root",
    ]
    assert await error_of(client.conversations_replies(channel=ROOM, ts="1.000000")) == "thread_not_found"


async def test_text_without_blocks_drops_the_blocks(client):
    posted = await client.chat_postMessage(channel=ROOM, text="x", blocks=[SECTION])
    kept = await client.chat_update(channel=ROOM, ts=posted["ts"], text="x", blocks=[SECTION, SECTION])
    assert len(kept["message"]["blocks"]) == 2
    changed = await client.chat_update(channel=ROOM, ts=posted["ts"], text="y")
    assert "blocks" not in changed["message"]
    assert changed["message"]["edited"]["user"] == "U0APP00001"


async def test_only_own_messages_may_be_changed(client, people):
    theirs = await people.post("mine", user="ana", channel=ROOM)
    assert await error_of(client.chat_update(channel=ROOM, ts=theirs.ts, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel=ROOM, ts=theirs.ts)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel=ROOM, ts="1.000000", text="x")) == "message_not_found"
    own = await client.chat_postMessage(channel=ROOM, text="x")
    assert await error_of(client.chat_update(channel=ROOM, ts=own["ts"], text="x" * 4001)) == "msg_too_long"
    await client.chat_delete(channel=ROOM, ts=own["ts"])
    assert await error_of(client.chat_delete(channel=ROOM, ts=own["ts"])) == "message_not_found"


async def test_an_ephemeral_message_is_for_one_and_cannot_be_changed(client, people):
    shown = await client.chat_postEphemeral(channel=ROOM, user="U0ANA00001", text="psst")
    assert [m.text for m in await people.messages(ROOM, user="ana")] == ["psst"]
    assert (await client.conversations_history(channel=ROOM))["messages"] == []
    assert (
        await error_of(client.chat_update(channel=ROOM, ts=shown["message_ts"], text="x"))
        == "message_not_found"
    )
    elsewhere = client.chat_postEphemeral(channel="C0INCIDENT", user="U0OLGA0001", text="x")
    assert await error_of(elsewhere) == "user_not_in_channel"


async def test_channels_are_made_joined_and_described(client, api):
    made = (await client.conversations_create(name="inc-7", is_private=False))["channel"]
    assert await error_of(client.conversations_create(name="inc-7")) == "name_taken"
    assert await error_of(client.conversations_create(name="Inc 7")) == "invalid_name_specials"
    assert await error_of(client.conversations_create(name="x" * 81)) == "invalid_name_maxlength"
    await client.conversations_setTopic(channel=made["id"], topic="sev 2")
    assert await error_of(client.conversations_setTopic(channel=made["id"], topic="x" * 251)) == "too_long"
    await client.conversations_invite(channel=made["id"], users=["U0ANA00001", "U0BEN00001"])
    assert (
        await error_of(client.conversations_invite(channel=made["id"], users="U0ANA00001"))
        == "already_in_channel"
    )
    assert (
        await error_of(client.conversations_invite(channel=made["id"], users="U0NOBODY01"))
        == "user_not_found"
    )
    info = (await client.conversations_info(channel=made["id"]))["channel"]
    assert (info["topic"]["value"], info["num_members"], info["is_member"]) == ("sev 2", 3, True)
    members = (await client.conversations_members(channel=made["id"]))["members"]
    assert members == ["U0APP00001", "U0ANA00001", "U0BEN00001"]
    mine = await client.users_conversations(user="U0ANA00001")
    assert "inc-7" in [c["name"] for c in mine["channels"]]
    opened = (await client.conversations_open(users="U0ANA00001"))["channel"]["id"]
    assert opened == (await client.conversations_open(users="U0ANA00001"))["channel"]["id"]
    assert (await api("conversations.archive", channel="C0GENERAL1"))["error"] == "cant_archive_general"


async def test_a_private_channel_is_unknown_to_those_outside(client, slack: LocalSlack):
    made = (await client.conversations_create(name="secret", is_private=True))["channel"]["id"]
    assert (await client.conversations_info(channel=made))["channel"]["is_private"]
    del slack.core.store.channels[made].members["U0APP00001"]
    assert await error_of(client.conversations_info(channel=made)) == "channel_not_found"
    listed = await client.conversations_list(types="public_channel,private_channel")
    assert made not in [c["id"] for c in listed["channels"]]


async def test_lists_come_in_pages(client):
    names = []
    cursor = None
    while cursor != "":
        page = await client.conversations_list(limit=3, cursor=cursor)
        names += [c["name"] for c in page["channels"]]
        cursor = page["response_metadata"]["next_cursor"]
    assert names == ["general", "incidents", "checkout-oncall", "deploys"]
    assert await error_of(client.conversations_list(cursor="nonsense")) == "invalid_cursor"
    for text in "abcde":
        await client.chat_postMessage(channel=ROOM, text=text)
    seen = [
        m["text"]
        async for page in await client.conversations_history(channel=ROOM, limit=2)
        for m in page["messages"]
    ]
    assert seen == ["e", "d", "c", "b", "a"]


async def test_history_can_be_cut_by_time(client):
    stamps = [(await client.chat_postMessage(channel=ROOM, text=t))["ts"] for t in "abc"]

    async def cut(**args) -> list[str]:
        return [m["text"] for m in (await client.conversations_history(channel=ROOM, **args))["messages"]]

    assert await cut(oldest=stamps[0]) == ["c", "b"]
    assert await cut(latest=stamps[2]) == ["b", "a"]
    assert await cut(oldest=stamps[1], latest=stamps[1], inclusive=True) == ["b"]


async def test_people_and_groups_are_listed(client):
    users = {u["name"]: u for u in (await client.users_list())["members"]}
    assert users["gil"]["is_restricted"]
    assert users["olga"]["team_id"] == "T0PARTNER1"
    assert users["helper"]["is_bot"]
    assert (await client.users_lookupByEmail(email="ana.costa@example.com"))["user"]["id"] == "U0ANA00001"
    assert await error_of(client.users_lookupByEmail(email="x@y.z")) == "users_not_found"
    assert await error_of(client.users_info(user="U0NOBODY01")) == "user_not_found"
    groups = {g["handle"]: g for g in (await client.usergroups_list(include_users=True))["usergroups"]}
    assert groups["oncall"]["users"] == ["U0ANA00001", "U0BEN00001", "U0CHIKA001"]
    assert (await client.usergroups_users_list(usergroup="S0LEADS001"))["users"] == [
        "U0ANA00001",
        "U0DEV00001",
    ]
    assert await error_of(client.usergroups_users_list(usergroup="S0NOBODY01")) == "no_such_subteam"


async def test_reactions_pins_and_bookmarks(client, people):
    ts = (await client.chat_postMessage(channel=ROOM, text="x"))["ts"]
    await client.reactions_add(channel=ROOM, timestamp=ts, name="eyes")
    assert await error_of(client.reactions_add(channel=ROOM, timestamp=ts, name="eyes")) == "already_reacted"
    await people.react("eyes", user="ana", channel=ROOM, ts=ts)
    (reaction,) = (await client.reactions_get(channel=ROOM, timestamp=ts))["message"]["reactions"]
    assert (reaction["name"], reaction["count"]) == ("eyes", 2)
    await client.reactions_remove(channel=ROOM, timestamp=ts, name="eyes")
    assert await error_of(client.reactions_remove(channel=ROOM, timestamp=ts, name="eyes")) == "no_reaction"
    await client.pins_add(channel=ROOM, timestamp=ts)
    assert await error_of(client.pins_add(channel=ROOM, timestamp=ts)) == "already_pinned"
    await client.pins_remove(channel=ROOM, timestamp=ts)
    assert await error_of(client.pins_remove(channel=ROOM, timestamp=ts)) == "no_pin"
    made = await client.bookmarks_add(channel_id=ROOM, title="Run", type="link", link="https://e.example/")
    assert made["bookmark"]["link"] == "https://e.example/"
    link = (await client.chat_getPermalink(channel=ROOM, message_ts=ts))["permalink"]
    assert f"/client/{ROOM}/{ts}" in link


async def test_a_file_goes_up_and_comes_down(client, people, slack: LocalSlack):
    root = await client.chat_postMessage(channel=ROOM, text="root")
    await client.files_upload_v2(
        channel=ROOM,
        thread_ts=root["ts"],
        content=b"a,b\n1,2\n",
        filename="data.csv",
        title="Data",
        initial_comment="the data",
    )
    reply = (await people.messages(ROOM, thread_ts=root["ts"]))[-1]
    assert reply.text == "the data\n[file: data.csv]"
    (file,) = reply.json["files"]
    assert (file["title"], file["mimetype"], file["size"]) == ("Data", "text/csv", 8)
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        auth = {"Authorization": f"Bearer {slack.bot_token}"}
        assert (await http.get(file["url_private"], headers=auth)).content == b"a,b\n1,2\n"
        assert (await http.get(file["url_private"])).status_code == 403
        assert (
            await http.get(file["url_private"], headers={"Sec-Fetch-Site": "same-origin"})
        ).status_code == 200


async def test_an_upload_that_is_not_finished_is_refused(client, api):
    announced = await client.files_getUploadURLExternal(filename="x.txt", length=3)
    early = await api("files.completeUploadExternal", files=[{"id": announced["file_id"]}], channel_id=ROOM)
    assert early["error"] == "file_upload_size_mismatch"
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        assert (await http.post(announced["upload_url"], content=b"four")).status_code == 400
        assert (await http.post(announced["upload_url"], content=b"abc")).status_code == 200
    image = {"type": "image", "alt_text": "x", "slack_file": {"id": announced["file_id"]}}
    refused = await api("chat.postMessage", channel=ROOM, text="x", blocks=[image])
    assert refused["response_metadata"]["messages"] == [
        "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]"
    ]
    done = await api("files.completeUploadExternal", files=json.dumps([{"id": announced["file_id"]}]))
    assert done["ok"]
    assert (await api("chat.postMessage", channel=ROOM, text="x", blocks=[image]))["ok"]
