"""Each approver is asked in a direct message, whose buttons go with the vote or the decision."""

from __future__ import annotations

from bot.domain.board import DesiredMessage
from bot.domain.runs.runbook import ApprovalPolicy
from bot.views import ids
from bot.views.exports.transcript import thread_text
from bot.views.thread.run import run_messages
from tests.support.worlds import BEN, CHI
from tests.unit.views.oracle import assert_valid_message
from tests.unit.views.story import Story

LINK = "https://local.slack.com/archives/C0INCIDENT/p1700000000000100"


def asked(**policy: object) -> Story:
    given = ApprovalPolicy.model_validate({"groups": ("oncall",), **policy})
    return Story().diagnoses().proposes(policy=given).finds_approvers(direct=(BEN, CHI))


def direct(story: Story, *, link: str = LINK) -> dict[str, DesiredMessage]:
    found = {one.to: one for one in run_messages(story.run, now=story.at, link=link) if one.to}
    for message in found.values():
        assert_valid_message(message)
    return found


def buttons(message: DesiredMessage) -> list[str]:
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    return [item["action_id"] for row in rows for item in row]


def test_each_approver_reads_what_why_and_where_and_may_decide():
    found = direct(asked())
    assert set(found) == {BEN.id, CHI.id}
    read = found[BEN.id].text
    assert read.startswith("🟡 Approval needed: Roll checkout back to 2.3.0\nPlease approve or reject by")
    assert "It will: Send all traffic to 2.3.0; Record the rollback." in read
    assert "Cause: Release 2.3.1 of checkout fails 12 % of its requests. Very likely (92 %)." in read
    assert "Triage checkout in <#C0INCIDENT>" in read
    assert buttons(found[BEN.id]) == [ids.APPROVE, ids.REJECT_WHY, ids.OPEN_THREAD]
    assert LINK in str(found[BEN.id].blocks)
    assert "<!subteam" not in str(found[BEN.id].blocks)


def test_without_an_address_there_is_no_link():
    assert buttons(direct(asked(), link="")[BEN.id]) == [ids.APPROVE, ids.REJECT_WHY]


def test_the_decision_takes_the_buttons_away_and_names_who_decided():
    found = direct(asked().wait(8).votes())
    for message in found.values():
        assert buttons(message) == [ids.OPEN_THREAD]
        assert "✅ Roll checkout back to 2.3.0\nApproved by Ben at 03:00 UTC." in message.text
        assert message.only_edit
    assert found[BEN.id].urgent
    assert not found[CHI.id].urgent


def test_who_has_approved_has_no_buttons_while_others_must():
    found = direct(asked(quorum=2).wait(8).votes(decision=None))
    assert buttons(found[BEN.id]) == [ids.OPEN_THREAD]
    assert "Ben: approved. Waiting for 1 more approval." in found[BEN.id].text
    assert buttons(found[CHI.id]) == [ids.APPROVE, ids.REJECT_WHY, ids.OPEN_THREAD]


def test_the_buttons_go_when_the_time_is_over():
    assert buttons(direct(asked().wait(1800))[BEN.id]) == [ids.OPEN_THREAD]


def test_direct_messages_come_after_the_whole_thread_and_are_no_part_of_it():
    story = asked()
    slots = story.slots()
    assert slots[-2:] == [f"direct:r-7f3a.opaque:{person.id}" for person in (BEN, CHI)]
    assert thread_text(story.run, story.at).count("Approval needed") == 1
