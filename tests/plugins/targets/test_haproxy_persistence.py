"""People whom a cookie or a stick table holds on a server are moved with the others, and lose no request.

From haproxytech/dataplaneapi#1, rancher/rancher#8627, haproxy/haproxy#2729 and fluxcd/flagger#1532: a weight of 0 still
accepts persistent connections.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter

import httpx
import pytest

from bench.rollouts.floor import floor_with
from bot.actions import deploy as actions
from bot.domain.errors import ActionInDoubtError
from bot.probes import deploy as probes

pytestmark = pytest.mark.server

COOKIE = ("cookie SRV insert indirect nocache",)
TABLE = ("stick-table type string len 32 size 1k expire 30m", "stick on req.hdr(x-user)")
NOTHING = ()
PERSISTENT = pytest.mark.parametrize("persistence", [COOKIE, TABLE, NOTHING], ids=["cookie", "stick", "none"])


class Browsers:
    """People who keep their cookies, and their name; each on a connection that stays open."""

    def __init__(self, floor, count=12):
        self._floor = floor
        self._clients = [httpx.AsyncClient(headers={"x-user": f"u{n}"}, timeout=30) for n in range(count)]
        self.broken = Counter()

    async def ask(self) -> Counter[str]:
        """Each asks once; returns who answered."""
        return Counter(await asyncio.gather(*(self._one(client) for client in self._clients)))

    async def _one(self, client) -> str:
        try:
            answer = await client.get(f"http://127.0.0.1:{self._floor.port}/")
        except httpx.HTTPError as error:
            self.broken[type(error).__name__] += 1
            return "broken"
        if not answer.is_success:
            self.broken[str(answer.status_code)] += 1
        return answer.text

    @contextlib.asynccontextmanager
    async def asking(self):
        """Ask all the time."""

        async def on():
            while True:
                await self.ask()
                await asyncio.sleep(0.005)  # real time: the pause of a person between two requests

        task = asyncio.create_task(on())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def __aenter__(self):
        await self.ask()
        return self

    async def __aexit__(self, *_exc):
        for client in self._clients:
            await client.aclose()


@pytest.fixture
async def sticky(persistence):
    async with floor_with(persistence=persistence) as floor, Browsers(floor) as browsers:
        assert await browsers.ask() == {"1.4.1": 12}
        yield floor, browsers


async def staged(floor, version="1.5.0"):
    await actions.stage(floor.ctx(), service="shop", version=version)


async def shifted(floor, percent, version="1.5.0"):
    return await actions.shift(floor.ctx(), service="shop", version=version, percent=percent)


@PERSISTENT
async def test_after_blue_green_everybody_gets_the_new_version_and_what_is_kept_warm_nothing(sticky):
    floor, browsers = sticky
    await staged(floor)
    async with browsers.asking():
        done = await actions.promote(floor.ctx(), service="shop", version="1.5.0", keep_warm=True)
    await floor.ledger.record(done.change)
    assert "1.4.1 is kept warm" in done.summary
    for _ in range(3):
        assert await browsers.ask() == {"1.5.0": 12}
    assert browsers.broken == {}
    candidate = (await probes.observe(floor.ctx(), service="shop")).data["candidate"]
    assert (candidate["version"], candidate["healthy"], candidate["weight_percent"]) == ("1.4.1", True, 0)

    async with browsers.asking():
        await actions.rollback(floor.ctx(), service="shop", to_version="1.4.1")
    assert await browsers.ask() == {"1.4.1": 12}
    assert browsers.broken == {}


@PERSISTENT
@pytest.mark.parametrize("back", ["shift", "rollback"])
async def test_a_canary_that_is_taken_back_keeps_nobody(sticky, back):
    floor, browsers = sticky
    await staged(floor)
    await shifted(floor, 100)

    async with Browsers(floor) as newcomers, newcomers.asking(), browsers.asking():
        if back == "shift":
            await shifted(floor, 0)
        else:
            await actions.rollback(floor.ctx(), service="shop")
        for people in (newcomers, browsers):
            assert await people.ask() == {"1.4.1": 12}
            assert people.broken == {}


@PERSISTENT
async def test_a_canary_that_was_taken_to_nothing_can_have_traffic_again(sticky):
    floor, _ = sticky
    await staged(floor)
    await shifted(floor, 50)
    await shifted(floor, 0)
    done = await shifted(floor, 50)
    assert done.before["percent"] == 0
    async with Browsers(floor, count=20) as newcomers:
        assert (await newcomers.ask()).keys() == {"1.4.1", "1.5.0"}
        assert newcomers.broken == {}


@pytest.mark.parametrize("persistence", [COOKIE, TABLE], ids=["cookie", "stick"])
async def test_instances_that_are_replaced_one_by_one_break_no_persistent_request(persistence):
    async with floor_with(("a", "b"), persistence=persistence) as floor, Browsers(floor) as browsers:
        async with browsers.asking():
            await actions.replace(floor.ctx(), service="shop", version="1.5.0", instances=["a", "b"])
        assert await browsers.ask() == {"1.5.0": 12}
        assert browsers.broken == {}


@pytest.mark.parametrize("persistence", [(*COOKIE, "force-persist if TRUE")], ids=["force-persist"])
async def test_a_configuration_that_holds_people_all_the_same_is_in_doubt_and_not_a_success(sticky):
    floor, _ = sticky
    await staged(floor)
    await shifted(floor, 100)
    async with Browsers(floor) as newcomers, newcomers.asking():
        with pytest.raises(ActionInDoubtError, match="still answers requests") as caught:
            await shifted(floor, 0)
    assert caught.value.code == "still_serving"
    assert "force-persist" in caught.value.hint
