"""An approver who was not looking at Slack is told, decides where they are, and all see it at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.domain.board import Topic
from bot.domain.runs.runbook import Runbook
from bot.views import ids
from tests.handlers.fronts import ONCALL
from tests.handlers.office import Office, open_office, posts_settled
from tests.support.waiting import until
from tests.unit.engine.small_world import UNDO, act, book, fix

TITLE = "Fix it"


def fixing(**approval: object) -> Runbook:
    return book(fix(act("a", undo=UNDO), title=TITLE, approval=approval))


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office() as made:
        yield made


def buttons(message) -> list[str]:
    rows = [block for block in message.json["blocks"] if block["type"] == "actions"]
    return [item["action_id"] for row in rows for item in row["elements"]]


async def test_an_approver_is_told_by_mention_and_by_direct_message_and_the_requester_is_not_asked(
    office: Office,
):
    await office.start(fixing())
    await office.said_to("ben", "Approval needed")
    await office.said_to("chika", "Approval needed")
    asked = await office.said("Approval needed")
    assert asked.json["is_broadcast"]
    for person in ("ben", "chika"):
        assert sorted(await office.notified(person)) == ["direct", "group"]
    assert "direct" not in await office.notified("ana")
    assert await office.notified("dev") == []


async def test_a_vote_from_a_direct_message_counts_and_every_copy_shows_it(office: Office):
    await office.start(fixing())
    mine = await office.said_to("ben", "Approval needed")
    assert buttons(mine)[:2] == [ids.APPROVE, ids.REJECT]
    done = await office.people.click(user="ben", channel=mine.channel, ts=mine.ts, action_id=ids.APPROVE)
    assert done.ok
    await office.said_to("ben", "Approved by @ben")
    await office.said("Approved by @ben")
    run = await until(lambda: _finished(office), what="the end of the run")
    assert run.phases["fix"].outcome == "ok"
    mine = await office.people.message(mine.channel, mine.ts)
    assert not {ids.APPROVE, ids.REJECT} & {*buttons(mine)}


async def test_the_clicked_message_changes_at_once_while_more_must_approve(office: Office):
    await office.start(fixing(quorum=2))
    asked = await office.said("Approval needed")
    await office.people.click(user="ben", channel=ONCALL, ts=asked.ts, action_id=ids.APPROVE)
    seen = await office.said(
        r"ben: approved\.\*? Waiting for 1 more approval"
    )  # no edit that is not urgent comes
    assert seen.ts == asked.ts
    await office.said_to("ben", r"ben: approved\.\*? Waiting for 1 more approval")


async def test_a_vote_from_a_direct_message_is_checked_like_one_from_the_thread(office: Office):
    await office.start(fixing())
    mine = await office.said_to("ben", "Approval needed")
    await office.people.change_group("oncall", remove=("ben",))
    await office.people.click(user="ben", channel=mine.channel, ts=mine.ts, action_id=ids.APPROVE)
    refused = await office.people.wait(
        "Only members of @oncall can decide this", channel=mine.channel, user="ben", thread_ts=mine.ts
    )
    assert refused.is_ephemeral
    assert (await office.run()).waiting_for is not None


async def test_nobody_is_told_twice(office: Office):
    await office.people.faults(drop_after={"chat.postMessage": 5})
    await office.start(fixing())
    await office.said_to("chika", "Approval needed")
    posted = await posts_settled(office)
    assert sorted(await office.notified("ben")) == ["direct", "group"]
    for _ in range(3):
        await office.stores.board.mark(Topic(kind="run", id="r1"))
        assert await posts_settled(office) == posted


async def _finished(office: Office):
    run = await office.run()
    return run if run.outcome is not None else None
