"""What people said of a checklist is kept alike by the memory twin and by a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.adapters.redis.stores.checklists import RedisChecklists
from bot.domain.deployments.checklist import ItemMark
from bot.domain.people import Person
from bot.ports.gates import ChecklistStore
from bot.testing.gates import MemoryChecklists
from tests.support.valkeys import fresh_store
from tests.support.waiting import until
from tests.support.worlds import ANA, BEN, START

KEPT_S = 4


@pytest.fixture(params=["memory", "redis"])
async def lists(request: pytest.FixtureRequest) -> AsyncIterator[ChecklistStore]:
    if request.param == "memory":
        yield MemoryChecklists(retention_s=KEPT_S)
        return
    async with fresh_store() as store:
        yield RedisChecklists(store, retention_s=KEPT_S)


def mark(item: str = "tests", *, by: Person = ANA, after_s: float = 0, **more: str) -> ItemMark:
    return ItemMark.model_validate(
        {"item": item, "kind": "tick", "by": by, "at": START + timedelta(seconds=after_s), **more}
    )


async def test_the_latest_word_of_each_person_on_each_item_is_kept_in_whatever_order_it_comes(lists):
    assert await lists.marks("checkout", "1.5.0") == ()
    ana, ben, other = mark(after_s=9, kind="waiver", text="späť"), mark(by=BEN, after_s=3), mark("secrets")
    for word in (ana, ben, other):
        assert await lists.mark("checkout", "1.5.0", word)
    assert not await lists.mark("checkout", "1.5.0", mark(after_s=8))  # delivered late
    assert await lists.mark("checkout", "1.5.0", ana)  # delivered again
    assert await lists.marks("checkout", "1.5.0") == (other, ben, ana)


async def test_versions_and_services_are_kept_apart(lists):
    await lists.mark("checkout", "1.5.0", mark())
    for service, version in (("checkout", "1.5"), ("checkout", "1.5.01"), ("checkout@staging", "1.5.0")):
        assert await lists.marks(service, version) == ()


async def test_many_who_speak_at_once_are_all_heard(lists):
    people = [Person(id=f"U{number}") for number in range(30)]
    await asyncio.gather(*(lists.mark("checkout", "1.5.0", mark(by=person)) for person in people))
    assert {word.by.id for word in await lists.marks("checkout", "1.5.0")} == {person.id for person in people}


async def test_all_is_forgotten_a_while_after_the_last_word(lists):
    await lists.mark("checkout", "1.5.0", mark())
    await asyncio.sleep(KEPT_S * 0.5)  # real time: half of it is over
    await lists.mark("checkout", "1.5.0", mark("secrets"))
    await asyncio.sleep(KEPT_S * 0.55)  # real time: the first word alone would be forgotten by now
    assert len(await lists.marks("checkout", "1.5.0")) == 2

    async def forgotten() -> bool:
        return await lists.marks("checkout", "1.5.0") == ()

    await until(forgotten, what="a list without a word")
