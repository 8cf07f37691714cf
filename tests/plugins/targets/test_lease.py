"""A canary has traffic only while the bot lives; what is promoted hangs on nobody."""

from __future__ import annotations

import asyncio
import signal

import pytest

from bench.rollouts.deadman import CANARY, bot_beside, leased_floor, play
from bench.rollouts.launcher import ended
from bot.actions import deploy as actions
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.probes import deploy as probes
from tests.support.waiting import until

pytestmark = pytest.mark.server

PATIENCE = "2s"
"""More than in production, where a bot that answers late is not waited for: here the machine may be busy."""


@pytest.mark.parametrize(
    ("how", "apart"), [(signal.SIGKILL, False), (signal.SIGSTOP, False), (signal.SIGSTOP, True)]
)
async def test_a_bot_that_is_gone_takes_its_canary_out_of_the_traffic_and_breaks_no_request(how, apart):
    outcome = await play(how, apart=apart, patience=PATIENCE)
    assert outcome.canary_before > 0
    assert outcome.broken == 0
    assert outcome.is_over, "the candidate went on answering"


async def test_without_a_lease_a_candidate_is_staged_but_gets_no_traffic():
    async with leased_floor(patience=PATIENCE) as (floor, _):
        await actions.stage(floor.ctx(), service="shop", version=CANARY)
        with pytest.raises(ActionInDoubtError):
            await actions.shift(floor.ctx(timeout_s=1), service="shop", version=CANARY, percent=50)
        assert await floor.served(20) == {"1.4.1": 20}


async def test_what_is_promoted_serves_on_when_the_bot_is_gone_even_when_haproxy_restarts():
    async with leased_floor(patience=PATIENCE) as (floor, url):
        async with bot_beside(floor, url) as process:
            await actions.stage(floor.ctx(), service="shop", version=CANARY)
            await actions.shift(floor.ctx(), service="shop", version=CANARY, percent=50)
            await actions.promote(floor.ctx(), service="shop", version=CANARY)
            await ended(process)
        await asyncio.sleep(1)  # real time: a lease that counted would have lapsed
        assert await floor.served(50) == {CANARY: 50}
        await floor.up()
        assert await floor.served(50) == {CANARY: 50}
        await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")  # and no lease is held
        assert await floor.served(50) == {"1.4.1": 50}


async def test_a_candidate_that_serves_alone_does_not_hang_on_the_lease_until_it_shares_again():
    async with leased_floor(patience=PATIENCE) as (floor, url):
        async with bot_beside(floor, url) as process:
            await actions.stage(floor.ctx(), service="shop", version=CANARY)
            await actions.shift(floor.ctx(), service="shop", version=CANARY, percent=100)
            await ended(process)
        await asyncio.sleep(1)  # real time: a lease that counted would have lapsed
        assert await floor.served(50) == {CANARY: 50}
        await actions.shift(floor.ctx(), service="shop", version=CANARY, percent=50)

        async def stable_alone():
            return await floor.served(50) == {"1.4.1": 50}

        await until(stable_alone, what="a candidate without traffic")


async def test_a_candidate_that_is_not_well_is_not_promoted():
    async with leased_floor(patience=PATIENCE) as (floor, url), bot_beside(floor, url):
        await actions.stage(floor.ctx(), service="shop", version=CANARY)
        await ended(floor.launcher.running["canary"][1])
        with pytest.raises(ActionFailedError) as caught:
            await actions.promote(floor.ctx(), service="shop", version=CANARY)
        assert caught.value.code == "no_healthy_server"
        assert await floor.served(20) == {"1.4.1": 20}
        assert (await probes.observe(floor.ctx(), service="shop")).data["can"]["lease"]
