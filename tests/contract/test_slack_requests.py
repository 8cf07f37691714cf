"""Requests reach people: in the channel, in direct messages, once, and never once they are decided."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.records import RedisBudget
from bot.adapters.slack.presenter import RenderedTopic
from bot.domain.board import DesiredMessage, Topic
from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import CHANNEL, RUN, CrashingBoard, Screen, message
from tests.contract.test_slack_presenter import SHORT_LEASE
from tests.support.waiting import until

BEN, CHIKA = "U0BEN00001", "U0CHIKA001"
ROOT = message("root", "root")


@pytest.fixture
async def screen() -> AsyncIterator[Screen]:
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        yield Screen(slack=slack, people=people)


def asked(text: str = "decide", **more: bool) -> DesiredMessage:
    return message("ask:1", text, urgent=True).model_copy(update={"broadcast": True, **more})


def direct(person: str, text: str = "decide", **more: bool) -> DesiredMessage:
    return message(f"direct:1:{person}", text).model_copy(update={"to": person, **more})


async def show(screen: Screen, *messages: DesiredMessage) -> None:
    await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(ROOT, *messages)))
    await screen.settled()


async def inbox(screen: Screen, person: str) -> list[str]:
    """Return what the bot wrote to a person directly."""
    channel = screen.slack.core.store.direct(person, screen.slack.app.spec.bot_user)
    return [seen.text for seen in await screen.people.messages(channel.id)]


async def test_a_request_is_a_reply_that_the_channel_shows_too(screen: Screen):
    async with screen.presenter():
        await show(screen, asked(), message("phase:1", "quiet"))
    assert [seen.text for seen in await screen.people.messages(CHANNEL)] == ["root", "decide"]
    (root,) = await screen.roots()
    assert await screen.replies(root.ts) == ["decide", "quiet"]


async def test_what_is_only_kept_up_to_date_is_never_posted(screen: Screen):
    async with screen.presenter():
        await show(screen, asked("decided", only_edit=True), message("phase:1", "next"))
        (root,) = await screen.roots()
        assert await screen.replies(root.ts) == ["next"]
        await show(screen, asked("decide"))
        await show(screen, asked("decided", only_edit=True))
    assert await screen.replies(root.ts) == ["next", "decided"]


async def test_a_request_whose_post_was_not_recorded_is_found_and_shows_the_decision(screen: Screen):
    dying = CrashingBoard(screen.board, at_ts=True)
    await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(asked("decide"),)))
    async with screen.presenter(board=dying, shift=SHORT_LEASE):
        await dying.stuck.wait()
    screen.state[RUN] = RenderedTopic(channel=CHANNEL, messages=(asked("decided", only_edit=True),))
    async with screen.presenter():
        await screen.settled()
    assert [seen.text for seen in await screen.roots()] == ["decided"]


async def test_a_request_that_was_begun_but_not_posted_is_not_posted_after_the_decision(screen: Screen):
    dying = CrashingBoard(screen.board, at_ts=False)
    await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(asked("decide"),)))
    async with screen.presenter(board=dying, shift=SHORT_LEASE):
        await dying.stuck.wait()
    screen.state[RUN] = RenderedTopic(channel=CHANNEL, messages=(asked("decided", only_edit=True),))
    async with screen.presenter():
        await screen.settled()
    assert await screen.roots() == []


async def test_a_direct_message_reaches_its_person_and_is_edited_there(screen: Screen):
    async with screen.presenter():
        await show(screen, direct(BEN))
        assert await inbox(screen, BEN) == ["decide"]
        await show(screen, direct(BEN, "decided", only_edit=True))
    assert await inbox(screen, BEN) == ["decided"]
    assert [one["why"] for one in await screen.people.notifications(user=BEN)] == ["direct"]
    assert await inbox(screen, CHIKA) == []


async def test_a_crash_after_a_direct_message_and_before_its_record_makes_no_second_one(screen: Screen):
    dying = CrashingBoard(screen.board, at_ts=True)
    await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(direct(BEN),)))
    async with screen.presenter(board=dying, shift=SHORT_LEASE):
        await dying.stuck.wait()
    async with screen.presenter():
        await screen.settled()
    assert await inbox(screen, BEN) == ["decide"]


async def test_an_answer_that_is_lost_after_a_direct_message_makes_no_second_one(screen: Screen):
    await screen.people.faults(drop_after={"chat.postMessage": 3})
    async with screen.presenter():
        await show(screen, direct(BEN), direct(CHIKA))
    assert (await inbox(screen, BEN), await inbox(screen, CHIKA)) == (["decide"], ["decide"])


@pytest.mark.parametrize("method", ["conversations.open", "chat.postMessage"])
async def test_a_person_who_cannot_be_written_to_holds_up_nothing_and_nobody_else_reads_it(
    screen: Screen, caplog, method: str
):
    async with screen.presenter():
        await show(screen)
        async with screen.people.faulty(fail={method: "missing_scope"}):
            await show(screen, direct(BEN))
        await show(screen, direct(BEN, only_edit=True), message("phase:1", "next"))
    assert await inbox(screen, BEN) == []
    assert [seen.text for seen in await screen.people.messages(CHANNEL)] == ["root"]
    assert (await screen.people.messages("incidents")) == []
    assert "direct_message_refused" in caplog.text
    (root,) = await screen.roots()
    assert await screen.replies(root.ts) == ["next"]


async def test_what_a_channel_shows_already_is_not_posted_there_and_elsewhere_it_is(screen: Screen):
    for channel, not_in, count in (("deploys", "C0DEPLOYS1", 0), ("deploys", CHANNEL, 1)):
        topic = Topic(kind="emergency", id=f"r{count}")
        async with screen.presenter():
            await screen.show(topic, RenderedTopic(channel=channel, messages=(ROOT,), not_in=not_in))
            await screen.settled()
        assert len(await screen.roots("deploys")) == count


async def test_presenters_that_die_and_others_send_each_request_and_direct_message_once(store: RedisStore):
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        screen = Screen(slack=slack, people=people, board=RedisMessageBoard(store), budget=RedisBudget(store))
        wanted = (ROOT, asked(), direct(BEN), direct(CHIKA))
        await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=wanted))
        for at_ts in (True, False, True, False):  # each presenter stops where it hurts most, and is replaced
            dying = CrashingBoard(screen.board, at_ts=at_ts)
            async with screen.presenter(board=dying, shift=SHORT_LEASE):
                await dying.stuck.wait()
        async with screen.presenter(), screen.presenter():
            await until(lambda: inbox(screen, CHIKA), what="the last direct message")
            await screen.board.mark(RUN)
            await until(lambda: _is_shown(screen, 4), what="all four messages")
        assert [seen.text for seen in await people.messages(CHANNEL)] == ["root", "decide"]
        assert (await inbox(screen, BEN), await inbox(screen, CHIKA)) == (["decide"], ["decide"])
        assert (await people.stats())["posts"] == 4


async def _is_shown(screen: Screen, count: int) -> bool:
    posted = await screen.board.posted(RUN)
    return sum(bool(one.ts) for one in posted.values()) == count
