"""A request for approval is a message of its own, which mentions those who may decide."""

from __future__ import annotations

from bot.domain.board import DesiredMessage
from bot.domain.runs.event import ApprovalReminded, VoteCast
from bot.domain.runs.runbook import ApprovalPolicy
from bot.views import ids
from bot.views.home import HomeFacts, home_view
from bot.views.rejection import reason_of, rejection_modal
from bot.views.thread.review import review_modal
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.views.oracle import assert_valid_view
from tests.unit.views.story import Story

ASK = "ask:r-7f3a.opaque"


def slot(story: Story, name: str) -> DesiredMessage:
    [message] = [message for message in story.messages if message.slot == name]
    return message


def actions(message: DesiredMessage) -> list[str]:
    rows = [block for block in message.blocks if block["type"] == "actions"]
    return [element["action_id"] for row in rows for element in row["elements"]]


def test_the_request_is_a_new_message_in_the_channel_that_mentions_the_group_for_real():
    asked = slot(Story().diagnoses().proposes().finds_approvers(), ASK)
    assert asked.broadcast
    assert "<!subteam^S0ONCALL01>: please approve or reject by" in str(asked.blocks)
    assert actions(asked) == [ids.APPROVE, ids.REJECT_WHY]


def test_people_who_are_listed_in_the_catalogue_are_mentioned_one_by_one():
    asked = slot(Story().diagnoses().proposes().finds_approvers(groups={}, people=(BEN, CHI)), ASK)
    assert f"<@{BEN.id}> or <@{CHI.id}>: please approve or reject by" in str(asked.blocks)


def test_a_group_that_cannot_be_mentioned_is_named():
    for groups in ({}, {"<!channel>": "oncall"}):
        read = str(slot(Story().diagnoses().proposes().finds_approvers(groups=groups), ASK).blocks)
        assert "*@oncall*: please approve or reject by" in read
        assert "<!" not in read.replace("<!date", "")


def test_while_the_approvers_are_looked_up_nothing_is_posted_that_the_request_would_repeat():
    story = Story().diagnoses().proposes()
    asked = next(n for n, event in enumerate(story.events) if event.type == "approval_requested")
    del story.events[asked:]
    assert story.run.phases["fix"].started_at is not None
    assert [one.slot for one in story.messages if one.slot == "phase:fix" and not one.only_edit] == []


def test_until_the_approvers_are_known_the_fix_has_the_buttons():
    story = Story().diagnoses().proposes()
    assert ASK not in story.slots()
    assert not slot(story, "phase:fix").only_edit
    assert actions(slot(story, "phase:fix")) == [ids.APPROVE, ids.REJECT_WHY]


def test_a_fix_that_was_shown_before_the_approvers_were_known_stays_up_to_date_and_is_not_shown_anew():
    story = Story().diagnoses().proposes().finds_approvers()
    assert slot(story, "phase:fix").only_edit
    assert actions(slot(story, "phase:fix")) == []
    assert "waiting for the approval requested below" in str(slot(story, "phase:fix").blocks)
    story.votes("reject", decision="rejected")
    assert slot(story, "phase:fix").only_edit
    assert actions(slot(story, "phase:fix")) == []


def test_once_approved_the_fix_shows_its_progress_below_the_request():
    story = Story().diagnoses().proposes().finds_approvers().wait(8).votes()
    assert "✅ Roll checkout back to 2.3.0\nApproved by Ben at 03:00 UTC." in story.read(ASK)
    assert actions(slot(story, ASK)) == []
    assert not slot(story, "phase:fix").only_edit
    assert story.slots().index(ASK) < story.slots().index("phase:fix")


def test_a_click_is_seen_at_once_on_the_message_that_was_clicked():
    policy = ApprovalPolicy(groups=("oncall",), quorum=2)
    story = Story().diagnoses().proposes(policy=policy).finds_approvers().wait(3).votes(by=BEN, decision=None)
    assert "✅ Ben: approved. Waiting for 1 more approval." in story.read(ASK)
    assert slot(story, ASK).urgent
    assert actions(slot(story, ASK)) == [ids.APPROVE, ids.REJECT_WHY]


def test_a_rejection_shows_who_and_why():
    story = Story().diagnoses().proposes().finds_approvers()
    gate = story.run.waiting_for
    no = {"verdict": "reject", "decision": "rejected", "why": "The <!here> is *on*"}
    story.tell(VoteCast(at=story.at, approval_id=gate.id, by=BEN, **no))
    read = story.read(ASK)
    assert "Rejected by Ben at 03:00 UTC: The <!here> is on. Nothing was changed." in read
    assert "&lt;!here&gt;" in str(slot(story, ASK).blocks)


def test_a_request_that_is_decided_is_not_posted_any_more():
    story = Story().diagnoses().proposes().finds_approvers()
    assert not slot(story, ASK).only_edit
    assert slot(story.votes(), ASK).only_edit


def test_the_reminder_mentions_those_who_may_decide():
    story = Story().diagnoses().proposes().finds_approvers()
    gate = story.run.waiting_for
    story.tell(ApprovalReminded(at=story.at, approval_id=gate.id))
    assert "Still waiting* for <!subteam^S0ONCALL01> to decide" in str(
        slot(story, f"remind:{gate.id}").blocks
    )


def test_the_review_has_the_same_request_with_its_buttons():
    story = Story().diagnoses().proposes().finds_approvers()
    view = review_modal(story.run, now=story.at)
    assert_valid_view(view)
    assert ids.APPROVE in str(view)
    assert "Send all traffic to 2.3.0" in str(view)


def test_only_the_request_mentions_anybody():
    story = Story().diagnoses().proposes().finds_approvers(people=(BEN,))
    others = [message for message in story.messages if message.slot not in (ASK, "phase:fix")]
    assert "<!subteam" not in str([message.blocks for message in others])
    assert BEN.id not in str([message.blocks for message in others])
    assert ANA.id in str([message.blocks for message in others])


def test_the_modal_that_asks_for_the_reason_is_valid_and_the_reason_may_be_left_out():
    view = rejection_modal(private_metadata="{}")
    assert_valid_view(view)
    assert view["blocks"][1]["optional"]
    for given, reason in ((None, ""), ("  not now ", "not now"), ("x" * 999, "x" * 300)):
        assert reason_of({ids.TEXT_BLOCK: {ids.TEXT_INPUT: {"value": given}}}) == reason


def test_the_reason_of_a_rejection_is_in_the_root():
    story = Story().diagnoses().proposes().finds_approvers()
    no = {"verdict": "reject", "decision": "rejected", "why": "not during the fair"}
    story.tell(VoteCast(at=story.at, approval_id=story.run.waiting_for.id, by=BEN, **no))
    story.end("fix", "rejected", why="Ben rejected it").finishes("rejected", "Nothing was changed.")
    assert "Ben rejected the plan: not during the fair. Nothing was changed." in story.read("root")


def test_home_links_to_the_thread_and_shows_an_emergency_first():
    story = Story()
    params = {"service": "checkout", "emergency": "orders are lost"}
    story.events[0] = story.events[0].model_copy(update={"params": params})
    run = story.diagnoses().proposes().finds_approvers().run
    link = "https://local.slack.com/archives/C0INCIDENT/p1"
    view = home_view(
        HomeFacts(now=story.at, services=["checkout"], waiting=[run], viewer=BEN.id, links={run.id: link})
    )
    assert_valid_view(view)
    assert "🔴 *EMERGENCY*" in view["blocks"][1]["text"]["text"].split("\n")[0]
    row = view["blocks"][2]["elements"]
    assert [item["action_id"] for item in row] == [ids.APPROVE, ids.REJECT_WHY, ids.OPEN_THREAD]
    assert row[2]["url"] == link
