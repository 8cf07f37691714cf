"""What is kept beside runs is kept alike by the memory twins, a real Valkey and a cluster."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.domain.clock import SystemClock
from bot.domain.diagnoses.change import Change
from bot.domain.errors import NotFoundError
from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.monitor import MonitorState, Pause
from bot.domain.monitoring.watching import MonitorHistory
from tests.support.waiting import until
from tests.support.worlds import ANA, BEN, START


async def test_places_are_given_in_the_order_of_asking(ports):
    async def ask(run_id):
        return await ports.locks.acquire("change:checkout", run_id=run_id, most=1)

    assert await ask("a") == ()
    assert await ask("b") == ("a",)
    assert await ask("c") == ("a", "b")
    assert await ask("b") == ("a",)  # asking again changes nothing
    assert await ports.locks.release("a") == ("b",)
    assert await ask("b") == ()
    assert await ask("a") == ("b", "c")  # whoever gave a place back waits behind the others
    assert await ports.locks.release("c") == ()
    assert await ports.locks.release("b") == ("a",)


async def test_several_may_hold_what_has_several_places_and_names_are_apart(ports):
    for run_id in ("a", "b"):
        assert await ports.locks.acquire("read:checkout", run_id=run_id, most=2) == ()
    assert set(await ports.locks.acquire("read:checkout", run_id="c", most=2)) == {"a", "b"}
    assert await ports.locks.acquire("change:checkout", run_id="c", most=1) == ()
    assert await ports.locks.release("b") == ("c",)
    assert await ports.locks.release("b") == ()


async def test_a_slot_is_fired_once_and_none_before_it_later(ports):
    assert await ports.monitors.last_slot(("s/a",)) == {}
    fired = await asyncio.gather(*(ports.monitors.fire("s/a", [60.5, 120.5]) for _ in range(4)))
    assert sorted(fired) == [0, 0, 0, 2]
    assert await ports.monitors.fire("s/a", [60.5, 120.5, 180.5]) == 1
    assert await ports.monitors.fire("s/b", [60.5]) == 1
    assert await ports.monitors.last_slot(("s/a", "s/b", "s/c")) == {"s/a": 180.5, "s/b": 60.5}


async def test_what_a_look_has_shown_is_kept_unless_a_newer_one_was(ports):
    newer = MonitorState(watched=MonitorHistory(slot_s=120), value="2")
    older = MonitorState(watched=MonitorHistory(slot_s=60), value="1")
    assert await ports.monitors.keep("s/a", newer)
    assert not await ports.monitors.keep("s/a", older)
    assert await ports.monitors.states(("s/a", "s/b")) == {"s/a": newer, "s/b": MonitorState()}


async def test_a_pause_is_kept_apart_from_what_looks_show(ports):
    pause = Pause(by=ANA, at=START, until=START + timedelta(hours=1))
    await ports.monitors.pause("s/a", pause)
    await ports.monitors.keep("s/a", MonitorState(watched=MonitorHistory(slot_s=60)))
    state = (await ports.monitors.states(("s/a",)))["s/a"]
    assert (state.pause, state.watched.slot_s) == (pause, 60)
    await ports.monitors.pause("s/a", None)
    assert (await ports.monitors.states(("s/a",)))["s/a"].pause is None


async def test_a_budget_grants_its_burst_and_then_says_how_long_to_wait(ports):
    granted = [await ports.budget.take("post:C1", burst=2, per_s=1) for _ in range(3)]
    assert granted[:2] == [0, 0]
    assert 0 < granted[2] <= 1
    assert await ports.budget.take("post:C2", burst=2, per_s=1) == 0


ALERT = Alert(fingerprint="f1", name="HighErrorRate", service="checkout", status="firing", starts_at=START)


async def test_an_alert_is_news_once_and_so_is_its_end(ports):
    resolved = over(ALERT)
    assert await ports.alerts.report(ALERT)
    assert not await ports.alerts.report(ALERT)
    assert await ports.alerts.report(resolved)
    assert not await ports.alerts.report(resolved)
    assert await ports.alerts.get(ALERT.id) == resolved
    with pytest.raises(NotFoundError):
        await ports.alerts.get("nobody")


async def test_an_episode_that_was_over_and_fires_again_is_news_and_goes_on(ports):
    for alert in (ALERT, over(ALERT)):
        await ports.alerts.report(alert)
    assert await ports.alerts.report(ALERT)
    back = await ports.alerts.get(ALERT.id)
    assert (back.status, back.times, back.ended_before) == ("firing", 2, over(ALERT).ends_at)
    assert await ports.alerts.firing() == (back,)
    assert not await ports.alerts.report(ALERT)  # what is sent again is not news
    assert not await ports.alerts.report(over(ALERT))  # nor is the end that was reported before
    assert await ports.alerts.firing() == (back,)
    later = over(ALERT).model_copy(update={"ends_at": START + timedelta(hours=1)})
    assert await ports.alerts.report(later)
    assert await ports.alerts.firing() == ()
    assert (await ports.alerts.get(ALERT.id)).ends_at == later.ends_at


async def test_an_end_without_a_moment_ends_an_episode_each_time(ports):
    ended = ALERT.model_copy(update={"status": "resolved"})
    for alert in (ALERT, ended, ALERT):
        assert await ports.alerts.report(alert)
    assert await ports.alerts.report(ended)
    assert await ports.alerts.firing() == ()


@pytest.mark.parametrize("is_over", [False, True])
async def test_the_newest_report_about_a_fingerprint_closes_older_episodes(ports, is_over):
    newer = over(episode(5)) if is_over else episode(5)
    for alert in (ALERT, episode(1, fingerprint="f2"), newer):
        await ports.alerts.report(alert)
    closed = await ports.alerts.get(ALERT.id)
    assert (closed.status, closed.ends_at) == ("resolved", newer.starts_at)
    assert closed.closed_because
    others = (episode(1, fingerprint="f2"),)
    assert await ports.alerts.firing() == (others if is_over else (newer, *others))
    assert await ports.alerts.newest("f1") == newer


async def test_a_late_report_of_an_older_episode_does_not_fire(ports):
    await ports.alerts.report(over(episode(5)))
    assert not await ports.alerts.report(ALERT)
    assert await ports.alerts.firing() == ()
    assert await ports.alerts.report(over(ALERT))  # its end is part of the record
    assert (await ports.alerts.newest("f1")).id == episode(5).id


async def test_reports_of_one_episode_at_once_lose_nothing(ports):
    ends = [over(ALERT).model_copy(update={"ends_at": START + timedelta(minutes=n)}) for n in range(1, 5)]
    new = await asyncio.gather(*(ports.alerts.report(alert) for alert in (ALERT, *ends, ALERT)))
    assert any(new)
    kept = await ports.alerts.get(ALERT.id)
    assert [alert.id for alert in await ports.alerts.firing()] == (
        [kept.id] if kept.status == "firing" else []
    )


def episode(number: int, *, fingerprint: str = "f1") -> Alert:
    """Make the alert of an episode that began so many minutes later."""
    return ALERT.model_copy(
        update={"fingerprint": fingerprint, "starts_at": START + timedelta(minutes=number)}
    )


def over(alert: Alert) -> Alert:
    return alert.model_copy(update={"status": "resolved", "ends_at": alert.starts_at + timedelta(minutes=1)})


async def test_what_fires_is_listed_newest_first_until_it_is_over(ports):
    first, second, third = (episode(number, fingerprint=f"f{number}") for number in range(3))
    for alert in (second, third, first):
        await ports.alerts.report(alert)
    assert await ports.alerts.firing() == (third, second, first)
    assert await ports.alerts.firing(limit=2) == (third, second)
    await ports.alerts.report(over(second))
    assert await ports.alerts.firing() == (third, first)


async def test_what_fired_lately_is_what_fires_and_what_has_not_ended_before(ports):
    past, gone, late, on = (episode(number, fingerprint=f"f{number}") for number in (0, 9, 20, 30))
    for alert in (late, on, gone, past):
        await ports.alerts.report(alert)
    for alert in (past, late, gone):
        await ports.alerts.report(over(alert))
    await ports.alerts.acknowledge(on.id, by=ANA, at=START)
    since = START + timedelta(minutes=10)  # the very moment at which one of them ended
    assert await ports.alerts.fired(since=since) == (on, over(late), over(gone))
    assert await ports.alerts.fired(since=since, limit=2) == (on, over(late))
    assert await ports.alerts.fired(since=START + timedelta(hours=1)) == (on,)


async def test_the_last_triage_that_an_alert_is_attached_to_is_its_triage(ports):
    assert await ports.alerts.run_of(ALERT.id) == ""
    await ports.alerts.attach(ALERT.id, "r1")
    await ports.alerts.attach(ALERT.id, "r2")
    await ports.alerts.report(ALERT)
    assert await ports.alerts.run_of(ALERT.id) == "r2"
    assert await ports.alerts.run_of("another-1") == ""


async def test_the_first_acknowledgement_wins_and_outlives_every_report(ports):
    await ports.alerts.report(ALERT)
    assert await ports.alerts.acknowledge(ALERT.id, by=ANA, at=START)
    assert not await ports.alerts.acknowledge(ALERT.id, by=BEN, at=START)
    kept = await ports.alerts.get(ALERT.id)
    assert (kept.acknowledged_by, kept.acknowledged_at) == (ANA, START)
    assert not await ports.alerts.report(ALERT)
    assert not await ports.alerts.report(
        kept
    )  # what people decided is no news, nor does it become part of it
    assert await ports.alerts.report(over(ALERT))
    assert (await ports.alerts.get(ALERT.id)).acknowledged_by == ANA
    assert (await ports.alerts.get(ALERT.id)).as_reported() == over(ALERT)
    await ports.alerts.report(episode(5))
    assert (await ports.alerts.get(episode(5).id)).acknowledged_by is None


async def test_a_silence_is_of_a_fingerprint_with_all_its_episodes_and_can_be_ended(ports):
    until = SystemClock().now().replace(microsecond=0) + timedelta(hours=1)
    await ports.alerts.report(ALERT)
    await ports.alerts.silence("f1", by=ANA, until=until + timedelta(hours=1))
    await ports.alerts.silence("f1", by=BEN, until=until)
    assert await ports.alerts.silence_of("f1") == (BEN, until)
    assert await ports.alerts.silence_of("f2") is None
    await ports.alerts.report(episode(1))
    episodes = [await ports.alerts.get(alert.id) for alert in (ALERT, episode(1))]
    assert [(kept.silenced_by, kept.silenced_until) for kept in episodes] == [(BEN, until)] * 2
    await ports.alerts.unsilence("f1")
    assert await ports.alerts.silence_of("f1") is None
    assert await ports.alerts.get(episode(1).id) == episode(1)


async def test_a_silence_ends_by_itself_and_leaves_what_ended_within_it_marked(ports):
    quiet, loud = episode(0), episode(1)
    await ports.alerts.report(quiet)
    await ports.alerts.silence("f1", by=ANA, until=SystemClock().now() + timedelta(seconds=0.5))
    await ports.alerts.report(over(quiet))

    async def over_now() -> bool:
        return await ports.alerts.silence_of("f1") is None

    await until(over_now, what="the end of a silence")
    for alert in (loud, over(loud)):
        await ports.alerts.report(alert)
    assert (await ports.alerts.get(quiet.id)).ended_silenced
    assert not (await ports.alerts.get(loud.id)).ended_silenced


async def test_the_ledger_keeps_a_change_once_and_tells_the_recent_ones(ports):
    change = Change(id="c1", at=START, kind="deploy", service="checkout", summary="1.4.2")
    old = change.model_copy(update={"id": "c0", "at": START - timedelta(hours=3)})
    for kept in (change, old, change):
        await ports.ledger.record(kept)
    assert await ports.ledger.since(service="checkout", seconds=3600) == (change,)
    assert await ports.ledger.since(service="payments", seconds=3600) == ()
