"""The whole loop, as people on call live it: real shop, real servers, three real processes of the bot."""

from __future__ import annotations

import pytest
import pytest_asyncio

from demo.scenarios.deploying import roll_out
from demo.scenarios.play import play, settle, warm_up
from demo.scenarios.rollouts import RolloutScenario
from demo.scenarios.scenarios import SCENARIOS, IncidentScenario, scenario
from demo.scenarios.stage import DemoStage, stage
from demo.scenarios.striking import STRUCK_S
from demo.scenarios.world import running
from tests.support.patience import patient_runbooks
from tests.support.waiting import until

pytestmark = [
    pytest.mark.demo,
    pytest.mark.server,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]

HURT = [one for one in SCENARIOS if one.cause is not None and not one.also]
"""Of two faults one remedy mends one: what is said of both is tested beside the probes, which is quicker."""
HARMLESS = [one for one in SCENARIOS if one.cause is None]
MOST_MESSAGES = 8
"""One root, one reply for each of the six phases of `triage`, and the final line."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(tmp_path_factory):
    runbooks = patient_runbooks(tmp_path_factory.mktemp("patient"))
    async with running(watch_s=5, runbooks=runbooks) as world, stage(world) as opened:
        await warm_up(opened)
        yield opened


async def told_to(on: DemoStage, person: str, channel: str, *, after: float) -> str:
    """What one person alone was told in a channel since ``after``."""

    async def heard() -> str:
        messages = reversed(await on.slack.messages(channel, user=person))
        return next((one.text for one in messages if one.is_ephemeral and float(one.ts) > after), "")

    return await until(heard, what=f"a message to {person} alone")


@pytest.mark.parametrize("one", HURT, ids=lambda one: one.name)
async def test_the_true_cause_is_named_mended_after_an_approval_and_verified(on, one: IncidentScenario):
    await settle(on)
    report = await play(on, one)
    assert report.right, report.thread
    assert report.approved_by == ("ben",)
    assert report.self_approval_refused
    assert report.verified
    assert report.outcome == "recovered"
    assert report.writes == 1
    assert (report.record is not None) is one.rolled_back
    assert report.record is None or report.record.right, report.record
    assert report.writes_without_approval == 0
    assert report.slack_messages <= MOST_MESSAGES
    assert report.slack_rate_limited == 0


@pytest.mark.parametrize("one", HARMLESS, ids=lambda one: one.name)
async def test_where_nothing_is_wrong_nobody_is_blamed_and_nothing_is_touched(on, one: IncidentScenario):
    await settle(on)
    report = await play(on, one)
    assert report.right, report.thread
    assert (report.outcome, report.remedy, report.writes, report.writes_without_approval) == (
        "no_fault_found",
        "",
        0,
        0,
    )
    if one.innocent:
        assert any(one.innocent.split()[1] in line for line in report.ruled_out)


@pytest.mark.parametrize("start", ["command", "mention"])
async def test_a_triage_may_be_asked_for_by_command_or_in_a_thread(on, start):
    await settle(on)
    report = await play(on, scenario("false-alarm"), start=start)
    assert report.outcome == "no_fault_found"


async def test_what_cannot_be_understood_is_answered_to_that_person_alone_and_starts_nothing(on):
    before = await on.journal.recent()
    for words, answer in (
        ("", "/triage"),
        ("chekout", "checkout"),
        ("checkout since yesterday", "30m"),
    ):
        told = await on.slack.slash("/triage", words, user="ana", channel="checkout-oncall")
        assert any(answer in str(message) for message in told.ephemerals), (words, told.ephemerals)
    assert await on.journal.recent() == before


async def test_a_guest_is_told_why_not_and_starts_nothing(on):
    before = await on.journal.recent()
    at = on.clock.now().timestamp()
    await on.slack.slash("/triage", "checkout", user="gil", channel="checkout-oncall")
    assert "guest" in await told_to(on, "gil", "checkout-oncall", after=at - 1)
    assert await on.journal.recent() == before


async def test_a_canary_is_silent_while_its_bot_hangs_and_a_fresh_worker_carries_it_on(on):
    await settle(on)
    one = scenario("canary-stopped")
    assert isinstance(one, RolloutScenario)
    report = await roll_out(on, one.but(words="weights 40 pause 1s patience 20s", per_s=20.0))
    assert report.ended in {"asked", "promoted"}, "a person is asked where too little traffic came meanwhile"
    assert report.silent_s is not None
    assert report.silent_s < STRUCK_S, "the canary went on until the fresh bot came"
    assert (report.failed_requests, report.writes_without_approval) == (0, 0)
