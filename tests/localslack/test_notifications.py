"""Whom Slack would notify: members whom a message mentions, directly, by group or in their thread."""

from __future__ import annotations

import pytest

from localslack import LocalSlackClient

ROOM, ONCALL = "C0CHECKOUT", "<!subteam^S0ONCALL01>"


async def notified(people: LocalSlackClient) -> dict[str, str]:
    names = {"U0ANA00001": "ana", "U0BEN00001": "ben", "U0CHIKA001": "chika", "U0DEV00001": "dev"}
    return {names[one["user"]]: one["why"] for one in await people.notifications()}


def section(text: str) -> list[dict[str, object]]:
    return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        (f"{ONCALL}: please decide", {"ana": "group", "ben": "group", "chika": "group"}),
        ("<@U0DEV00001>: please decide", {"dev": "mention"}),
        ("<@U0GONE0001> and *@oncall* and @ben", {}),
    ],
)
async def test_a_mention_in_the_blocks_notifies_and_words_that_look_like_one_do_not(app, people, text, whom):
    await app.client.chat_postMessage(channel=ROOM, text="fallback <@U0ANA00001>", blocks=section(text))
    assert await notified(people) == whom


async def test_without_blocks_the_text_counts(app, people):
    await app.client.chat_postMessage(channel=ROOM, text=f"{ONCALL}: look")
    assert await notified(people) == {"ana": "group", "ben": "group", "chika": "group"}


async def test_an_edit_and_an_ephemeral_message_notify_nobody(app, people):
    posted = await app.client.chat_postMessage(channel=ROOM, text="soon")
    await app.client.chat_update(channel=ROOM, ts=posted["ts"], text=f"{ONCALL}: now")
    await app.client.chat_postEphemeral(channel=ROOM, user="U0BEN00001", text="<@U0BEN00001>: psst")
    assert await notified(people) == {}


async def test_only_members_of_the_channel_are_notified(app, people, slack):
    del slack.core.store.channel(ROOM).members["U0BEN00001"]
    await app.client.chat_postMessage(channel=ROOM, text=f"{ONCALL}: look")
    assert set(await notified(people)) == {"ana", "chika"}


async def test_a_direct_message_notifies_its_recipient(app, people):
    opened = await app.client.conversations_open(users="U0BEN00001")
    await app.client.chat_postMessage(channel=opened["channel"]["id"], text="hello")
    assert await notified(people) == {"ben": "direct"}
    assert [one["text"] for one in await people.notifications(user="ben")] == ["hello"]
    assert await people.notifications(user="ana") == []


async def test_a_reply_notifies_those_who_wrote_in_the_thread(app, people):
    root = await people.post("is it slow?", user="dev", channel=ROOM)
    await app.client.chat_postMessage(channel=ROOM, thread_ts=root.ts, text="looking")
    assert await notified(people) == {"dev": "thread"}


async def test_a_reset_forgets_them(app, people):
    await app.client.chat_postMessage(channel=ROOM, text=f"{ONCALL}: look")
    await people.reset()
    assert await people.notifications() == []
