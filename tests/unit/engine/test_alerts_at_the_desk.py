"""Acknowledging and silencing: who may, what it changes, and what is told where it is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.board import Topic
from bot.domain.intent import AcknowledgeAlert, CloseAlert, ReportAlert, SilenceAlert
from bot.domain.monitoring.alert import Alert
from tests.support.worlds import ANA, BEN, START

ALERT = Alert(fingerprint="f1", name="HighErrorRate", service="checkout", status="firing", starts_at=START)
OVER = ALERT.model_copy(update={"status": "resolved", "ends_at": START + timedelta(minutes=1)})
TOPIC = Topic(kind="alert", id=ALERT.id)
PLACE = {"alert_id": ALERT.id, "channel": "C1", "thread": "1.0"}


def acknowledge(by=ANA, key="k1"):
    return AcknowledgeAlert(key=key, at=START, by=by, **PLACE)


def silence(by=ANA, key="k1", *, seconds=3600):
    return SilenceAlert(key=key, at=START, by=by, seconds=seconds, **PLACE)


async def looked_at(world):
    """Take what wants another look, and give it back."""
    holds = await world.store.board.claim(limit=5, lease_s=5)
    for hold in holds:
        await world.store.board.release(hold)
    return tuple(hold.topic for hold in holds)


async def test_the_first_to_acknowledge_is_kept_and_the_message_looks_again(world):
    await world.stores.alerts.report(ALERT)
    await world.desk.handle(acknowledge())
    kept = await world.stores.alerts.get(ALERT.id)
    assert (kept.acknowledged_by, kept.acknowledged_at) == (ANA, START)
    assert await looked_at(world) == (TOPIC,)
    assert world.told.notices == []


async def test_the_second_is_told_who_was_first(world):
    await world.stores.alerts.report(ALERT)
    await world.desk.handle(acknowledge())
    await world.desk.handle(acknowledge(BEN, "k2"))
    (notice,) = world.told.notices
    assert (notice.user, notice.channel, notice.thread) == (BEN.id, "C1", "1.0")
    assert f"<@{ANA.id}> has already acknowledged this" in notice.text
    assert (await world.stores.alerts.get(ALERT.id)).acknowledged_by == ANA


async def test_the_same_click_after_a_crash_shows_what_it_had_written(world):
    await world.stores.alerts.report(ALERT)
    await world.stores.alerts.acknowledge(ALERT.id, by=ANA, at=START)  # and then its worker died
    await world.desk.handle(acknowledge())
    assert await looked_at(world) == (TOPIC,)
    assert world.told.notices == []


async def test_what_is_over_is_not_acknowledged(world):
    await world.stores.alerts.report(OVER)
    await world.desk.handle(acknowledge())
    assert "already resolved" in world.told.notices[0].text
    assert (await world.stores.alerts.get(ALERT.id)).acknowledged_by is None


@pytest.mark.parametrize("make", [acknowledge, silence])
async def test_a_guest_may_do_neither_and_is_told_so(world, make):
    await world.stores.alerts.report(ALERT)
    world.people.outsiders.add(ANA.id)
    await world.desk.handle(make())
    assert "you are a guest" in world.told.notices[0].text
    assert await world.stores.alerts.get(ALERT.id) == ALERT
    assert await looked_at(world) == ()


@pytest.mark.parametrize("make", [acknowledge, silence])
async def test_an_alert_that_is_not_kept_any_more_is_said_to_be_unknown(world, make):
    await world.desk.handle(make())
    assert "no longer know this alert" in world.told.notices[0].text


async def test_a_silence_lasts_from_the_click_however_late_it_is_carried_out(world):
    await world.stores.alerts.report(ALERT)
    world.clock.forward(60)
    for _ in range(2):
        await world.desk.handle(silence(seconds=600))
    assert await world.stores.alerts.silence_of("f1") == (ANA, START + timedelta(seconds=600))
    assert await looked_at(world) == (TOPIC,)
    world.clock.forward(540)
    assert await world.stores.alerts.silence_of("f1") is None


async def test_a_report_in_a_silence_is_recorded_all_the_same(world):
    await world.stores.alerts.silence("f1", by=ANA, until=START + timedelta(hours=1))
    await world.desk.handle(ReportAlert(key="k1", at=START, alert=ALERT))
    (kept,) = await world.stores.alerts.firing()
    assert kept.silenced_by == ANA
    assert await looked_at(world) == (TOPIC,)


def close(by=ANA, key="k1"):
    return CloseAlert(key=key, at=START + timedelta(minutes=3), by=by, **PLACE)


async def test_an_alert_that_is_marked_as_over_ends_with_who_did_it_and_comes_back_if_it_is_reported_again(
    world,
):
    await world.stores.alerts.report(ALERT)
    for _ in range(2):  # the same click after a crash changes nothing
        await world.desk.handle(close())
    over = await world.stores.alerts.get(ALERT.id)
    assert (over.status, over.closed_by, over.ends_at) == ("resolved", ANA, START + timedelta(minutes=3))
    assert await looked_at(world) == (TOPIC,)
    assert await world.stores.alerts.report(ALERT)
    back = await world.stores.alerts.get(ALERT.id)
    assert (back.status, back.closed_by, back.times) == ("firing", None, 2)


async def test_only_members_mark_an_alert_as_over(world):
    await world.stores.alerts.report(ALERT)
    world.people.outsiders.add(BEN.id)
    await world.desk.handle(close(BEN))
    assert (await world.stores.alerts.get(ALERT.id)).status == "firing"
    assert world.told.notices
