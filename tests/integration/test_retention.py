"""Runs that have ended are packed small, read as before, and are forgotten in time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.adapters.redis.stores.alerts import RedisAlertStore
from bot.adapters.redis.stores.archive import RunArchive
from bot.adapters.redis.stores.journal import RedisJournal
from bot.domain.clock import SystemClock
from bot.domain.errors import NotFoundError
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.event import PhaseStarted, RunFinished, WatchSampled
from tests.integration.test_takeover import BOOK
from tests.support.worlds import START, started

pytestmark = pytest.mark.server

LOOKS = [WatchSampled(at=START, phase="ground", ok=True, text=f"look {n}:\nall is well") for n in range(40)]
END = RunFinished(at=START, outcome="done", summary="Done.")


def now():
    """The server's time, for it runs here."""
    return SystemClock().now()


async def finished(journal, run_id="r1"):
    await journal.start(run_id, started(BOOK))
    taken = await journal.take(run_id)
    await journal.append(run_id, (PhaseStarted(at=START, phase="ground"), *LOOKS), epoch=taken.epoch)
    await journal.append(run_id, LOOKS, epoch=taken.epoch)
    await journal.finish(run_id, (END,), epoch=taken.epoch)
    return await journal.load(run_id)


async def test_a_packed_run_reads_as_before_and_is_much_smaller(store):
    journal, archive = RedisJournal(store), RunArchive(store, retention_s=3600, pack_after_s=60)
    told = await finished(journal)
    key = store.keys.shared.run("r1")
    before = await store.client.memory_usage(key)
    assert await archive.pack(now=now()) == 0  # somebody may still be looking at it
    assert await archive.pack(now=now() + timedelta(minutes=5)) == 1
    assert await archive.pack(now=now() + timedelta(minutes=5)) == 0
    assert await RedisJournal(store).load("r1") == told
    assert await store.client.memory_usage(key) * 4 < before
    assert 0 < await store.client.ttl(key) <= 30 * 86_400


async def test_a_run_that_is_under_way_is_never_packed(store):
    journal, archive = RedisJournal(store), RunArchive(store, retention_s=3600, pack_after_s=0)
    await journal.start("r1", started(BOOK))
    await store.client.zadd(store.keys.shared.idle, {"r1": 0})
    assert await archive.pack(now=now()) == 0
    assert await journal.load("r1") == (started(BOOK),)


async def test_a_parked_run_is_packed_and_goes_on_from_there_and_is_packed_again(store):
    journal, archive = RedisJournal(store), RunArchive(store, retention_s=3600, pack_after_s=0)
    later = now() + timedelta(minutes=1)
    await journal.start("r1", started(BOOK))
    for count in (1, 2):
        taken = await journal.take("r1")
        length = await journal.append("r1", LOOKS, epoch=taken.epoch)
        await journal.park("r1", epoch=taken.epoch, length=length, until=None)
        assert await archive.pack(now=later) == 1
        assert await journal.load("r1") == (started(BOOK), *LOOKS * count)
    assert await journal.interject("r1", (END,), length=length, wake=True)
    taken = await journal.take("r1")
    assert taken.events == (started(BOOK), *LOOKS, *LOOKS, END)


async def test_the_index_forgets_what_is_gone_and_nothing_else(store):
    journal, archive = RedisJournal(store, retention_s=3600), RunArchive(store, retention_s=3600)
    await finished(journal, "kept")
    await finished(journal, "gone")
    await store.client.delete(store.keys.shared.run("gone"))
    assert await archive.forget(now=now()) == 0
    assert await archive.forget(now=now() + timedelta(hours=2)) == 1
    assert await journal.recent() == ("kept",)
    with pytest.raises(NotFoundError):
        await journal.load("gone")


async def test_a_runbook_is_kept_once_and_pinned_for_runs_in_flight(store):
    journal = RedisJournal(store)
    for number in range(20):
        await journal.start(f"r{number}", started(BOOK))
    edited = BOOK.model_copy(update={"summary": "Look twice."})
    await journal.start("later", started(edited))
    assert await store.client.hlen(store.keys.shared.books) == 2
    fresh = RedisJournal(store)  # another worker, which has read nothing yet
    assert (await fresh.load("r7"))[0].runbook == BOOK
    assert (await fresh.load("later"))[0].runbook == edited


async def test_the_list_of_what_fired_forgets_what_ended_before_anything_is_kept_from(store):
    book, hour = RedisAlertStore(store, retention_s=3600), timedelta(hours=1)

    def alert(number, *, began, ended=None):
        status = "resolved" if ended else "firing"
        return Alert(
            fingerprint=f"f{number}", name="A", service="pay", status=status, starts_at=began, ends_at=ended
        )

    past = alert(1, began=START, ended=START + hour)
    later = alert(2, began=START + 1.5 * hour, ended=START + 1.6 * hour)
    now_on = alert(3, began=START + 2.1 * hour)
    await book.report(past)
    await book.report(later)
    assert await book.fired(since=START) == (later, past)
    await book.report(now_on)
    assert await book.fired(since=START) == (now_on, later)
    assert await store.client.zcard(store.keys.shared.fired) == 2
