"""What the state says is what Slack shows: everything, in order, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.board import RedisMessageBoard
from bot.adapters.redis.stores.records import RedisBudget
from bot.adapters.slack.pace import SlackRateLimits
from bot.adapters.slack.presenter import PresenterConfig, RenderedTopic
from bot.domain.board import DesiredMessage, Topic
from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import CHANNEL, RUN, SHIFT, CrashingBoard, Screen, message, run_of
from tests.support.waiting import until

SHORT_LEASE = PresenterConfig(poll_s=0.02, settle_s=0.2, lease_s=0.5, hold_s=0.4)


@pytest.fixture
async def screen() -> AsyncIterator[Screen]:
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        yield Screen(slack=slack, people=people)


async def _one_root(screen: Screen, channel: str = CHANNEL) -> str:
    (root,) = await screen.roots(channel)
    return root.ts


def _leave(screen: Screen, channel: str) -> None:
    """Take the bot out of a channel."""
    screen.slack.core.store.channel(channel).members.pop(screen.slack.app.spec.bot_user)


async def test_a_run_is_a_root_with_its_replies_in_order(screen: Screen):
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", "two", "three"))
        await screen.settled()
    assert await screen.replies(await _one_root(screen)) == ["one", "two", "three"]


async def test_a_run_that_was_asked_for_in_a_thread_is_told_there(screen: Screen):
    asked = await screen.people.post("checkout is slow", user="ana", channel="checkout-oncall")
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", thread=asked.ts))
        await screen.settled()
    assert await screen.replies(asked.ts) == ["root", "one"]
    assert await _one_root(screen) == asked.ts


async def test_an_alert_goes_to_the_channel_of_that_name(screen: Screen):
    alert = Topic(kind="alert", id="a1")
    async with screen.presenter():
        await screen.show(alert, RenderedTopic(channel="#deploys", messages=(message("alert", "It burns"),)))
        await screen.settled()
    assert [seen.text for seen in await screen.roots("deploys")] == ["It burns"]


@pytest.mark.parametrize("channel", ["", "no-such-channel", "C0NOWHERE1"])
async def test_what_has_no_place_goes_to_the_default_channel(screen: Screen, channel: str):
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", channel=channel, thread="1.0" if channel else ""))
        await screen.settled()
    assert await screen.replies(await _one_root(screen, "incidents"), "incidents") == ["one"]


async def test_the_bot_joins_a_public_channel_by_itself(screen: Screen):
    _leave(screen, "deploys")
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", channel="deploys"))
        await screen.settled()
    assert await screen.replies(await _one_root(screen, "deploys"), "deploys") == ["one"]


async def test_a_channel_that_cannot_be_joined_is_left_for_the_default_one(screen: Screen, caplog):
    _leave(screen, "deploys")
    await screen.people.faults(fail={"conversations.join": "restricted_action"})
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", channel="deploys"))
        await screen.settled()
    assert await screen.replies(await _one_root(screen, "incidents"), "incidents") == ["one"]
    assert "channel_closed" in caplog.text


async def test_a_change_is_an_edit_and_no_new_message(screen: Screen):
    async with screen.presenter():
        await screen.show(RUN, run_of("looking", "one"))
        await screen.settled()
        await screen.show(RUN, run_of("found", "one", "two"))
        await screen.settled()
    root = await _one_root(screen)
    assert (await screen.people.message(CHANNEL, root)).text == "found"
    assert await screen.replies(root) == ["one", "two"]
    assert (await screen.people.stats())["edits"] == 1


async def test_what_did_not_change_costs_nothing(screen: Screen):
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one"))
        await screen.settled()
        calls = (await screen.people.stats())["calls"]
        for _ in range(5):
            await screen.show(RUN, run_of("root", "one"))
            await screen.settled()
    assert (await screen.people.stats())["calls"] == calls


async def test_many_changes_become_few_edits_and_the_last_one_is_shown(screen: Screen):
    began_s = asyncio.get_running_loop().time()
    async with screen.presenter(pace=SlackRateLimits(edit_gap_s=0.5, first_edit_s=0.1)):
        await screen.show(RUN, run_of("0"))
        for number in range(1, 101):
            await screen.show(RUN, run_of(str(number)))
            await asyncio.sleep(0.01)  # real time: a hundred changes in quick succession
        await screen.settled()
    took_s = asyncio.get_running_loop().time() - began_s
    stats = await screen.people.stats()
    assert (await screen.people.message(CHANNEL, await _one_root(screen))).text == "100"
    assert stats["edits"] <= 2 + took_s / 0.5  # however long it took, they are half a second apart
    assert stats["rate_limited"] == 0


async def test_an_urgent_change_does_not_wait_its_turn(screen: Screen):
    async with screen.presenter(pace=SlackRateLimits(edit_gap_s=3600, first_edit_s=3600)):
        await screen.show(RUN, run_of("looking"))
        await screen.people.wait("looking", channel=CHANNEL)
        urgent = RenderedTopic(channel=CHANNEL, messages=(message("root", "approve?", urgent=True),))
        await screen.show(RUN, urgent)
        await screen.people.wait("approve", channel=CHANNEL)
    assert (await screen.people.stats())["posts"] == 1


async def test_replies_wait_for_what_comes_before_them(screen: Screen):
    async with screen.presenter(pace=SlackRateLimits(posts_burst=2, posts_per_s=4)):
        await screen.show(RUN, run_of("root", "one", "two", "three", "four"))
        await screen.settled()
    assert await screen.replies(await _one_root(screen)) == ["one", "two", "three", "four"]
    assert (await screen.people.stats())["rate_limited"] == 0


async def test_too_many_calls_lose_nothing_and_keep_the_order(screen: Screen):
    await screen.people.faults(rate_limit={"chat.postMessage": 2, "chat.update": 1}, retry_after_s=1)
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", "two"))
        await screen.settled()
        await screen.show(RUN, run_of("changed", "one", "two"))
        await screen.settled()
    root = await _one_root(screen)
    assert (await screen.people.message(CHANNEL, root)).text == "changed"
    assert await screen.replies(root) == ["one", "two"]
    assert (await screen.people.stats())["rate_limited"] == 3


async def test_an_answer_that_is_lost_after_the_post_makes_no_second_message(screen: Screen):
    await screen.people.faults(drop_after={"chat.postMessage": 3})
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", "two"))
        await screen.settled()
    assert await screen.replies(await _one_root(screen)) == ["one", "two"]
    assert (await screen.people.stats())["posts"] == 3


async def test_what_was_found_again_is_still_edited(screen: Screen):
    await screen.people.faults(drop_after={"chat.postMessage": 1, "chat.update": 1})
    async with screen.presenter():
        await screen.show(RUN, run_of("looking"))
        await screen.settled()
        await screen.show(RUN, run_of("found"))
        await screen.settled()
    assert (await screen.people.message(CHANNEL, await _one_root(screen))).text == "found"


async def test_a_crash_after_a_post_and_before_its_record_makes_no_second_message(screen: Screen):
    dying = CrashingBoard(screen.board, at_ts=True)
    await screen.show(RUN, run_of("root", "one"))
    async with screen.presenter(board=dying, shift=SHORT_LEASE):
        await dying.stuck.wait()
    assert len(await screen.roots()) == 1
    async with screen.presenter():
        await screen.settled()
    assert await screen.replies(await _one_root(screen)) == ["one"]
    assert (await screen.people.stats())["posts"] == 2


async def test_a_crash_before_a_post_loses_nothing(screen: Screen):
    dying = CrashingBoard(screen.board, at_ts=False)
    await screen.show(RUN, run_of("root", "one"))
    async with screen.presenter(board=dying, shift=SHORT_LEASE):
        await dying.stuck.wait()
    assert await screen.roots() == []
    async with screen.presenter():
        await screen.settled()
    assert await screen.replies(await _one_root(screen)) == ["one"]


async def test_a_presenter_that_is_stopped_gives_its_topic_back_at_once(screen: Screen):
    await screen.people.faults(slow_api_s=30)
    await screen.show(RUN, run_of("root"))
    async with screen.presenter():
        await until(lambda: screen.board.posted(RUN), what="an intent to post")
    await screen.people.clear_faults()
    async with screen.presenter():
        await screen.settled()
    assert len(await screen.roots()) == 1


@pytest.mark.parametrize("presenters", [2, 3])
async def test_several_presenters_on_one_board_say_nothing_twice(store: RedisStore, presenters: int):
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        screen = Screen(slack=slack, people=people, board=RedisMessageBoard(store), budget=RedisBudget(store))
        topics = [Topic(kind="run", id=f"r{number}") for number in range(4)]
        channels = ["general", "incidents", "checkout-oncall", "deploys"]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_present(screen)) for _ in range(presenters)]
            for step in range(3):
                for topic, channel in zip(topics, channels, strict=True):
                    texts = [f"{topic.id} at {step}", *(f"reply {n}" for n in range(step + 1))]
                    await screen.show(topic, run_of(*texts, channel=channel))
                await people.wait(f"{topics[0].id} at {step}", channel=channels[0])
            for topic, channel in zip(topics, channels, strict=True):
                await people.wait(f"{topic.id} at 2", channel=channel)
                root = await _one_root(screen, channel)
                await people.wait("reply 2", channel=channel, thread_ts=root)
                assert await screen.replies(root, channel) == ["reply 0", "reply 1", "reply 2"]
            for task in tasks:
                task.cancel()
        stats = await people.stats()
        assert stats["posts"] == 16
        assert stats["rate_limited"] == 0


async def _present(screen: Screen) -> None:
    async with screen.presenter() as task:
        await asyncio.wait([task])


async def test_more_topics_than_hands_are_all_shown(screen: Screen):
    channels = ["general", "incidents", "checkout-oncall", "deploys"]
    async with screen.presenter(shift=PresenterConfig(at_once=2, poll_s=0.02)):
        for number in range(12):
            await screen.show(
                Topic(kind="run", id=f"r{number}"), run_of(f"run {number}", channel=channels[number % 4])
            )
        await screen.settled()
    shown = [seen.text for channel in channels for seen in await screen.roots(channel)]
    assert sorted(shown) == sorted(f"run {number}" for number in range(12))


async def test_nothing_is_lost_while_slack_is_down(screen: Screen, caplog):
    await screen.people.faults(api_down=True)
    async with screen.presenter():
        for number in range(5):
            await screen.show(RUN, run_of(f"state {number}", "one"))
            await until(lambda: "slack_unreachable" in caplog.text, what="a try")
        await screen.people.clear_faults()
        await screen.settled()
    assert (await screen.people.message(CHANNEL, await _one_root(screen))).text == "state 4"
    assert await screen.replies(await _one_root(screen)) == ["one"]
    assert [record.message for record in caplog.records].count("slack_unreachable") == 1


async def test_blocks_that_a_workspace_lacks_are_replaced_by_classic_ones_for_good(screen: Screen):
    fancy = DesiredMessage(slot="root", text="plan", blocks=({"type": "no_such_block"},))
    screen.classic[RUN] = run_of("classic", "one")
    async with screen.presenter():
        await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(fancy,)))
        await screen.settled()
        await screen.board.mark(RUN)
        await screen.settled()
    root = await _one_root(screen)
    assert (await screen.people.message(CHANNEL, root)).text == "classic"
    assert await screen.replies(root) == ["one"]
    assert (await screen.people.stats())["errors"] == {"chat.postMessage invalid_blocks": 1}


async def test_classic_blocks_that_are_refused_leave_the_text_and_a_loud_line(screen: Screen, caplog):
    broken = DesiredMessage(slot="root", text="the text at least", blocks=({"type": "no_such_block"},))
    async with screen.presenter():
        await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(broken,)))
        await screen.settled()
    assert (await screen.people.message(CHANNEL, await _one_root(screen))).text == "the text at least"
    assert "classic_blocks_refused" in caplog.text


async def test_a_deleted_message_is_left_alone_and_the_rest_goes_on(screen: Screen):
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", "two"))
        await screen.settled()
        root = await _one_root(screen)
        store = screen.slack.core.store
        gone = next(
            seen for seen in await screen.people.messages(CHANNEL, thread_ts=root) if seen.text == "one"
        )
        found = store.message(CHANNEL, gone.ts)
        assert found is not None
        screen.slack.core.messenger.delete(found)
        for text in ("uno", "eins"):
            await screen.show(RUN, run_of("root", text, "changed", "three"))
            await screen.settled()
    assert await screen.replies(root) == ["changed", "three"]
    assert (await screen.people.stats())["errors"] == {"chat.update message_not_found": 1}


async def test_a_thread_without_a_parent_is_noticed(screen: Screen, caplog):
    async with screen.presenter():
        await screen.show(RUN, run_of("root", "one", thread="1700000000.000100"))
        await screen.settled()
    assert await screen.replies(await _one_root(screen)) == ["one"]
    assert "thread_missing" in caplog.text


async def test_an_unknown_topic_is_forgotten(screen: Screen, caplog):
    async with screen.presenter():
        await screen.board.mark(RUN)
        await screen.settled()
    assert await screen.roots() == []
    assert "topic_unknown" in caplog.text


async def test_a_view_that_breaks_is_logged_and_holds_up_no_other_topic(screen: Screen, caplog):
    other = Topic(kind="run", id="r2")
    screen.state[RUN] = None  # type: ignore[assignment]  # a renderer that is broken
    async with screen.presenter(shift=SHIFT):
        await screen.board.mark(RUN)
        await screen.show(other, run_of("root"))
        await screen.people.wait("root", channel=CHANNEL)
    assert "topic_crashed" in caplog.text
