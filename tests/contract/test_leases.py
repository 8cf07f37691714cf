"""Leases lapse, are taken over and given back alike in the memory twin and in a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.adapters.redis.stores.leases import RedisLeases
from bot.testing.records import MemoryLeases
from tests.support.valkeys import fresh_store
from tests.support.waiting import until

_TTL_MS = 1500
"""Longer than in production: a busy machine is to be able to ask within it."""
_LAPSED_S = _TTL_MS / 1000 + 0.1


@pytest.fixture(params=["memory", "redis"])
async def leases(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[MemoryLeases | RedisLeases]:
    monkeypatch.setattr("bot.adapters.leasing.TTL_MS", _TTL_MS)
    monkeypatch.setattr("bot.adapters.redis.stores.leases.TTL_MS", _TTL_MS)
    if request.param == "memory":
        yield MemoryLeases()
        return
    async with fresh_store() as store:
        yield RedisLeases(store)


async def test_a_lease_is_held_for_longer_than_it_lasts_by_itself_and_given_back_at_once(leases):
    assert not await leases.is_held("shop")
    async with leases.hold("shop"):
        await asyncio.sleep(_LAPSED_S)  # real time: a lease that is not renewed has lapsed by then
        assert await until(lambda: leases.is_held("shop"), what="a lease that is renewed")
        assert not await leases.is_held("shop@staging")
    assert not await leases.is_held("shop")


async def test_a_lease_that_nobody_keeps_lapses(leases):
    await leases.take("shop", "ana")
    assert await leases.is_held("shop")

    async def lapsed() -> bool:
        return not await leases.is_held("shop")

    await until(lapsed, what="a lease that has lapsed")


async def test_who_takes_a_lease_last_has_it_and_the_one_before_neither_keeps_nor_drops_it(leases):
    await leases.take("shop", "ana")
    await leases.take("shop", "ben")
    assert not await leases.keep("shop", "ana")
    await leases.drop("shop", "ana")
    assert await leases.is_held("shop")
    assert await leases.keep("shop", "ben")
    await leases.drop("shop", "ben")
    assert not await leases.is_held("shop")


async def test_who_was_stopped_for_a_while_has_the_lease_again_if_nobody_else_took_it(leases):
    await leases.take("shop", "ana")
    await asyncio.sleep(_LAPSED_S)  # real time: it has lapsed by then
    assert await leases.keep("shop", "ana")
    assert await leases.is_held("shop")


async def test_an_error_in_the_rollout_gives_the_lease_back(leases):
    with pytest.raises(ZeroDivisionError):
        async with leases.hold("shop"):
            raise ZeroDivisionError
    assert not await leases.is_held("shop")
