"""A chart is a picture in its thread: once, after its words, and as new as its figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.adapters.charts.painter import Painter
from bot.adapters.slack.pace import SlackRateLimits
from bot.adapters.slack.presenter import PresenterConfig, RenderedTopic
from bot.domain.chart import Chart, ChartLine, ChartPanel
from bot.views.thread.charts import chart_message
from localslack import LocalSlack, LocalSlackClient
from tests.contract.slack_screens import CHANNEL, QUICK, RUN, SHIFT, CrashingBoard, Screen, message

SHORT_LEASE = PresenterConfig(poll_s=0.02, settle_s=0.2, lease_s=2, hold_s=1.8)
PACE = SlackRateLimits(edit_gap_s=0.1, first_edit_s=0.1, picture_gap_s=0.2)


@pytest.fixture
async def screen() -> AsyncIterator[Screen]:
    async with LocalSlack() as slack, LocalSlackClient(slack.url) as people:
        yield Screen(slack=slack, people=people)


def chart_of(*values: float) -> Chart:
    points = tuple((1_764_000_000.0 + at, value) for at, value in enumerate(values))
    panel = ChartPanel(unit="errors (%)", lines=(ChartLine(name="canary", points=points),))
    return Chart(title="Errors of checkout", alt=f"The canary fails {values[-1]} %.", panels=(panel,))


def run_with(chart: Chart, *, urgent: bool = False) -> RenderedTopic:
    charted = chart_message("canary", chart, names={}, urgent=urgent)
    return RenderedTopic(
        channel=CHANNEL, messages=(message("root", "root"), charted, message("phase:1", "after"))
    )


async def _picture(screen: Screen) -> tuple[str, list[str]]:
    """Give the file that the thread's one chart shows, and the texts of the thread."""
    (root,) = await screen.roots()
    replies = [m for m in await screen.people.messages(CHANNEL, thread_ts=root.ts) if m.ts != root.ts]
    images = [block for reply in replies for block in _blocks(screen, reply.ts) if block["type"] == "image"]
    assert len(images) <= 1
    return (images[0]["slack_file"]["id"] if images else ""), [reply.text for reply in replies]


def _blocks(screen: Screen, ts: str) -> list[dict[str, Any]]:
    found = screen.slack.core.store.message(CHANNEL, ts)
    assert found is not None
    return list(found.blocks)


def _files(screen: Screen) -> list[str]:
    return [file.id for file in screen.slack.core.store.files.values() if file.is_complete]


async def test_a_chart_is_a_picture_among_the_replies(screen: Screen):
    async with screen.presenter():
        await screen.show(RUN, run_with(chart_of(1, 4)))
        await screen.settled()
    file, texts = await _picture(screen)
    assert ("The canary fails 4 %." in texts[0], texts[1]) == (True, "after")
    kept = screen.slack.core.store.files[file]
    assert kept.content == await screen.painter.paint(chart_of(1, 4))
    assert (kept.alt_text, kept.shares) == ("The canary fails 4 %.", [])


async def test_new_figures_are_a_new_picture_in_the_same_message(screen: Screen):
    async with screen.presenter(pace=PACE):
        await screen.show(RUN, run_with(chart_of(1)))
        await screen.settled()
        before, _ = await _picture(screen)
        await screen.show(RUN, run_with(chart_of(1, 9)))
        await screen.settled()
    after, texts = await _picture(screen)
    assert (len(texts), len(_files(screen))) == (2, 2)
    assert before != after


async def test_figures_that_change_all_the_time_are_drawn_now_and_then(screen: Screen):
    async with screen.presenter(pace=SlackRateLimits(edit_gap_s=0.05, first_edit_s=0.05, picture_gap_s=3600)):
        await screen.show(RUN, run_with(chart_of(1)))
        await screen.people.wait("after", channel=CHANNEL, thread_ts=(await _root(screen)))
        for value in range(2, 8):
            await screen.show(RUN, run_with(chart_of(1, value)))
        assert len(_files(screen)) == 1
        await screen.show(RUN, run_with(chart_of(1, 9), urgent=True))  # the last word does not wait
        await screen.people.wait("fails 9 ", channel=CHANNEL, thread_ts=(await _root(screen)))
    assert len(_files(screen)) == 2


async def _root(screen: Screen) -> str:
    return (await screen.people.wait("root", channel=CHANNEL)).ts


async def test_the_same_figures_are_uploaded_once(screen: Screen):
    async with screen.presenter(pace=PACE):
        for text in ("one", "two", "three"):
            rendered = run_with(chart_of(1, 4))
            first = message("root", text)
            await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=(first, *rendered.messages[1:])))
            await screen.settled()
    assert len(_files(screen)) == 1


@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "files.completeUploadExternal", "chat.postMessage"]
)
async def test_an_answer_that_is_lost_makes_no_second_message(screen: Screen, method: str):
    await screen.people.faults(drop_after={method: 2})
    async with screen.presenter():
        await screen.show(RUN, run_with(chart_of(1, 4)))
        await screen.settled()
    file, texts = await _picture(screen)
    assert file
    assert len(texts) == 2
    assert (await screen.people.stats())["posts"] == 3


@pytest.mark.parametrize("at_ts", [True, False])
async def test_a_crash_at_a_charts_message_makes_neither_a_second_one_nor_none(
    screen: Screen, *, at_ts: bool
):
    rendered = run_with(chart_of(1, 4))
    alone = RenderedTopic(channel=CHANNEL, messages=(rendered.messages[1],))
    dying = CrashingBoard(screen.board, at_ts=at_ts)
    await screen.show(RUN, alone)
    async with screen.presenter(board=dying, shift=SHORT_LEASE):
        await dying.stuck.wait()
    async with screen.presenter():
        await screen.settled()
    (root,) = await screen.roots()
    assert [block["type"] for block in _blocks(screen, root.ts)] == ["section", "image"]
    assert (await screen.people.stats())["posts"] == 1


async def test_a_picture_that_was_uploaded_before_a_crash_is_not_uploaded_again(screen: Screen):
    known = await _uploaded_then_killed(screen)
    async with screen.presenter():
        await screen.settled()
    file, _ = await _picture(screen)
    assert [file] == _files(screen) == [known]


async def _uploaded_then_killed(screen: Screen) -> str:
    await screen.people.faults(rate_limit={"chat.postMessage": -1}, retry_after_s=600)
    await screen.show(RUN, RenderedTopic(channel=CHANNEL, messages=run_with(chart_of(1, 4)).messages[1:2]))
    async with screen.presenter():
        while not (found := await screen.board.posted(RUN)) or not found["chart:canary"].file:
            await screen.board.wait(timeout_s=0.02)
    await screen.people.clear_faults()
    await screen.show(RUN, run_with(chart_of(1, 4)))
    return found["chart:canary"].file


async def test_a_picture_that_slack_still_looks_over_is_waited_for(screen: Screen):
    await screen.people.faults(unready_files=3)
    async with screen.presenter():
        await screen.show(RUN, run_with(chart_of(1, 4)))
        await screen.settled()
    file, texts = await _picture(screen)
    assert [file] == _files(screen)
    assert len(texts) == 2
    assert (await screen.people.stats())["errors"] == {"chat.postMessage invalid_blocks": 3}


async def test_a_workspace_that_allows_no_uploads_reads_the_words(screen: Screen, caplog):
    await screen.people.faults(fail={"files.getUploadURLExternal": "missing_scope"})
    async with screen.presenter(pace=QUICK, shift=SHIFT):
        await screen.show(RUN, run_with(chart_of(1, 4)))
        await screen.settled()
    file, texts = await _picture(screen)
    assert file == ""
    assert "The chart could not be shown as a picture. What it shows: The canary fails 4 %." in texts[0]
    assert texts[1] == "after"
    assert "picture_refused" in caplog.text


async def test_a_chart_that_cannot_be_drawn_keeps_nothing_else_back(screen: Screen, caplog):
    class NoPainter(Painter):
        async def paint(self, chart: Chart) -> bytes:
            raise ZeroDivisionError(chart.title)

    screen.painter = NoPainter()
    async with screen.presenter():
        await screen.show(RUN, run_with(chart_of(1, 4)))
        await screen.settled()
    file, texts = await _picture(screen)
    assert (file, texts[1]) == ("", "after")
    assert "chart_not_drawn" in caplog.text


async def test_no_more_is_uploaded_than_slack_allows(screen: Screen):
    await screen.people.faults(
        rate_limit={"files.getUploadURLExternal": 1, "files.completeUploadExternal": 1}
    )
    async with screen.presenter():
        await screen.show(RUN, run_with(chart_of(1, 4)))
        await screen.settled()
    file, texts = await _picture(screen)
    assert file
    assert len(texts) == 2
