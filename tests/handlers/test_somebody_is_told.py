"""An approver who was not looking at Slack is told, decides where they are, and all see it at once."""

from __future__ import annotations

import json
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
    assert buttons(mine)[:2] == [ids.APPROVE, ids.REJECT_WHY]
    done = await office.people.click(user="ben", channel=mine.channel, ts=mine.ts, action_id=ids.APPROVE)
    assert done.ok
    await office.said_to("ben", "Approved by @ben")
    await office.said("Approved by @ben")
    run = await until(lambda: _finished(office), what="the end of the run")
    assert run.phases["fix"].outcome == "ok"
    mine = await office.people.message(mine.channel, mine.ts)
    assert not {ids.APPROVE, ids.REJECT_WHY} & {*buttons(mine)}


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
        "Only members of @oncall can decide this", channel=mine.channel, user="ben"
    )
    assert (refused.is_ephemeral, refused.thread_ts) == (True, None)
    assert (await office.run()).waiting_for is not None


async def test_a_refusal_is_seen_in_the_thread_and_in_the_channel_where_the_request_is_shown(office: Office):
    await office.start(fixing())
    asked = await office.said("Approval needed")
    await office.people.click(user="ana", channel=ONCALL, ts=asked.ts, action_id=ids.APPROVE)
    for place in (asked.thread_ts, None):
        seen = await until(lambda place=place: _refusal(office, place), what="a refusal")
        assert seen.is_ephemeral


async def _refusal(office: Office, thread_ts: str | None):
    seen = await office.people.messages(ONCALL, user="ana", thread_ts=thread_ts)
    found = [one for one in seen if "you cannot approve it" in one.text and one.is_ephemeral]
    return next((one for one in found if one.thread_ts == thread_ts), None)


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


async def home_of(office: Office, user: str, *, has: str) -> str:
    """Open the Home tab; return its blocks once they have this text."""
    await office.people.open_home(user=user)
    return await published(office, user, has=has)


async def published(office: Office, user: str, *, has: str, without: str = "\0") -> str:
    """Return the Home tab as published, without opening it, once it has one text and not the other."""

    async def shown() -> str:
        view = await office.people.home(user=user)
        text = json.dumps(view["blocks"], ensure_ascii=False) if view is not None else ""
        return text if has in text and without not in text else ""

    return await until(shown, what=f"a Home tab with {has}")


async def test_home_has_the_request_with_its_buttons_and_opens_its_thread(office: Office):
    await office.start(fixing())
    asked = await office.said("Approval needed")
    shown = await home_of(office, "ben", has="Waiting for you")
    assert all(name in shown for name in (ids.APPROVE, ids.REJECT_WHY, ids.OPEN_THREAD))
    assert f"{office.slack.url}/client/{ONCALL}/{asked.thread_ts}" in shown
    assert "Waiting for you" not in await home_of(office, "ana", has="Running")


async def test_an_approval_in_home_counts_and_home_shows_it_without_being_opened_again(office: Office):
    await office.start(fixing(quorum=2))
    await office.said("Approval needed")
    await home_of(office, "ben", has="Waiting for you")
    assert (await office.people.click(user="ben", home_of="pilothouse", action_id=ids.APPROVE)).ok
    shown = await published(office, "ben", has="approved.* Waiting for 1 more approval")
    assert ids.APPROVE not in shown
    await office.said(r"ben: approved\.\*? Waiting for 1 more approval")


async def test_a_rejection_in_home_asks_for_the_reason_which_the_thread_and_the_copies_show(office: Office):
    await office.start(fixing())
    asked = await office.said("Approval needed")
    await office.said_to("chika", "Approval needed")
    await home_of(office, "ben", has="Waiting for you")
    assert (await office.people.click(user="ben", home_of="pilothouse", action_id=ids.REJECT_WHY)).ok
    assert (await office.people.submit({ids.TEXT_INPUT: "not during the fair"}, user="ben")).ok
    seen = await office.said("Rejected by @?ben at .* UTC: not during the fair. Nothing was changed.")
    assert seen.ts == asked.ts
    await published(office, "ben", has="", without="Waiting for you")
    run = await until(lambda: _finished(office), what="the end of the run")
    assert (run.outcome, run.approvals[next(iter(run.approvals))].decided_why) == (
        "rejected",
        "not during the fair",
    )


async def test_a_vote_from_home_is_checked_like_one_from_the_thread(office: Office):
    await office.start(fixing())
    await office.said("Approval needed")
    await home_of(office, "ben", has="Waiting for you")
    await office.people.change_group("oncall", remove=("ben",))
    await office.people.click(user="ben", home_of="pilothouse", action_id=ids.APPROVE)
    await office.said_to("ben", "Only members of @oncall can decide this")
    assert (await office.run()).waiting_for is not None


async def test_a_vote_in_the_review_is_shown_there_and_a_reason_is_asked_on_top_of_it(office: Office):
    await office.start(fixing(quorum=2))
    root = await office.said("waiting for approval")
    for user in ("ben", "chika"):
        await office.people.click(user=user, channel=ONCALL, ts=root.ts, action_id=ids.REVIEW)
        await until(lambda user=user: office.people.views(user=user), what="the review")
    await office.people.click(user="ben", action_id=ids.APPROVE)

    async def own_vote():
        (view,) = await office.people.views(user="ben")
        text = json.dumps(view["blocks"])
        return "Waiting for 1 more approval" in text and ids.APPROVE not in text

    await until(own_vote, what="the vote in the modal")
    await office.people.click(user="chika", action_id=ids.REJECT_WHY)
    await until(lambda: _stacked(office, "chika"), what="a second modal")
    await office.people.submit({}, user="chika")
    assert await office.people.views(user="chika") == []
    await office.said("Rejected by @?chika")


async def _stacked(office: Office, user: str) -> bool:
    return len(await office.people.views(user=user)) == 2


async def test_an_emergency_is_told_in_the_channel_of_its_service_when_it_was_declared_elsewhere(
    office: Office,
):
    await office.start(fixing(), channel="C0DEPLOYS1", emergency="orders are lost")
    told = await office.people.wait("EMERGENCY", channel="checkout-oncall", timeout_s=30)
    assert "declared by @ana: “orders are lost”" in told.text
    asked = await office.people.wait("Approval needed", channel="deploys", timeout_s=30)
    assert asked.text.startswith("🔴 *EMERGENCY*, declared by @ana")
    await office.people.wait("waiting for approval", channel="checkout-oncall", timeout_s=30)
    await office.people.click(user="ben", channel="deploys", ts=asked.ts, action_id=ids.APPROVE)
    await until(lambda: _finished(office), what="the end of the run")
    await office.people.wait("done", channel="checkout-oncall", timeout_s=30)
    assert len(await office.people.messages("checkout-oncall")) == 1


async def test_an_emergency_that_was_declared_in_the_services_channel_is_told_there_once(office: Office):
    await office.start(fixing(), emergency="orders are lost")
    await office.said("Approval needed")
    await posts_settled(office)
    shown = [seen.text for seen in await office.people.messages("checkout-oncall")]
    assert len(shown) == 2  # the run, and its request
