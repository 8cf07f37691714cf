"""Of any number that claim a name at the same instant one has it, in memory, in Redis and in a cluster."""

from __future__ import annotations

import asyncio

import pytest

from bot.adapters.redis.stores.claims import RedisRunClaims
from bot.ports.claims import Claim
from tests.contract.conftest import Ports
from tests.support.valkeys import fresh_valkey, opened
from tests.support.waiting import until


async def test_the_first_has_it_and_the_others_are_told_who(ports: Ports):
    first = await ports.claims.claim("triage:checkout", holder="r1")
    assert first == Claim(holder="r1", settled=True)
    assert await ports.claims.claim("triage:checkout", holder="r2") == first
    assert await ports.claims.claim("triage:checkout", holder="r1") == first
    assert (await ports.claims.claim("triage:payments", holder="r2")).holder == "r2"


async def test_of_many_at_once_exactly_one_is_first(ports: Ports):
    asked = (ports.claims.claim("n", holder=f"r{number}") for number in range(50))
    assert len({claim.holder for claim in await asyncio.gather(*asked)}) == 1


async def test_of_many_that_found_the_same_one_ended_exactly_one_takes_over(ports: Ports):
    await ports.claims.claim("n", holder="old")
    asked = (ports.claims.claim("n", holder=f"r{number}", instead_of="old") for number in range(50))
    holders = {claim.holder for claim in await asyncio.gather(*asked)}
    assert len(holders) == 1
    assert holders != {"old"}


async def test_nobody_takes_over_from_another_than_the_one_found_ended(ports: Ports):
    await ports.claims.claim("n", holder="new")
    assert (await ports.claims.claim("n", holder="r1", instead_of="old")).holder == "new"
    assert (await ports.claims.claim("n", holder="new", instead_of="new")).holder == "new"


async def test_a_claim_that_is_not_settled_says_so_until_it_is(ports: Ports):
    began = await ports.claims.claim("n", holder="r1", lasts_s=60)
    assert began == Claim(holder="r1", settled=False)
    assert (await ports.claims.claim("n", holder="r2", lasts_s=60)).settled is False
    assert await ports.claims.settle("n", holder="r1")
    assert await ports.claims.claim("n", holder="r2") == Claim(holder="r1", settled=True)
    assert not await ports.claims.settle("n", holder="r2")
    assert not await ports.claims.settle("unclaimed", holder="r1")


@pytest.mark.server
async def test_two_processes_that_ask_at_once_agree_who_was_first_and_a_lapsed_claim_is_free():
    async with fresh_valkey() as url, opened(url) as one, opened(url) as two:
        claims = (RedisRunClaims(one), RedisRunClaims(two))
        for number in range(50):
            name = f"n{number}"
            asked = (each.claim(name, holder=f"r{place}") for place, each in enumerate(claims))
            assert len({claim.holder for claim in await asyncio.gather(*asked)}) == 1
        await claims[0].claim("short", holder="r1", lasts_s=0.05)

        async def lapsed() -> bool:
            return (await claims[1].claim("short", holder="r2")).holder == "r2"

        await until(lapsed, what="the end of a claim that was never settled")
