"""A rollout by flag goes up by percent and tenant, and back to off at once."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from bot.actions import deploy as actions
from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.flags import RedisFlags
from bot.domain.catalogue import Catalogue, Service
from bot.domain.deployments.flag import Flag
from bot.domain.errors import ActionFailedError, ProbeUnavailableError
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.probes import deploy as probes
from bot.probes import flags as flag_probes
from bot.testing.stores import memory_context, memory_stores
from tests.support.servers import free_port
from tests.support.valkeys import fresh_store

pytestmark = pytest.mark.server
ASKED = {"service": "shop", "version": "new-cart"}


@pytest.fixture
async def make():
    async with httpx.AsyncClient(timeout=60) as http, fresh_store() as store:
        kept = RedisFlags(store)

        def made(flags: RedisFlags = kept) -> Context:
            service = Service(name="shop", target={"flags": {"flag": "new-cart"}})
            return memory_context(
                catalogue=Catalogue(services=(service,)),
                http=http,
                stores=replace(memory_stores(), flags=flags),
                effect=Effect(key="run1:shift:1", epoch=1),
            )

        yield made


async def test_a_flag_is_recorded_as_one_with_where_it_can_be_turned_off(make):
    done = await actions.shift(make(), **ASKED, percent=10, routes=["acme"])
    assert done.change is not None
    assert (done.change.kind, done.change.before, done.change.after) == ("flag", "off", "on for 10 %, acme")
    assert done.change.data == {"version": "new-cart", "key": "new-cart", "target": "flags"}
    back = await actions.rollback(make(), service="shop", to_version="off", version="new-cart")
    assert back.change is not None
    assert (back.change.kind, back.change.after) == ("rollback", "off")


async def test_the_undo_of_a_rollback_gives_those_the_feature_who_had_it(make):
    await actions.shift(make(), **ASKED, percent=40, routes=["acme"])
    back = await actions.rollback(make(), service="shop", to_version="off", version="new-cart")
    assert not await answer(make(), tenant="acme")
    await actions.reapply(make(), service="shop", version="new-cart", before=back.before, by="flags")
    assert await answer(make(), tenant="acme")
    seen = (await probes.observe(make(), service="shop")).data
    assert seen["candidate"]["weight_percent"] == 40


async def answer(ctx: Context, **about: str) -> bool:
    return (await flag_probes.evaluate(ctx, service="shop", flag="new-cart", **about)).data["value"]


async def test_a_rollout_by_flag_goes_up_and_back(make):
    await actions.stage(make(), **ASKED)
    done = await actions.shift(make(), **ASKED, percent=10, routes=["acme"])
    assert done.before == {"percent": 0, "routes": []}
    assert await answer(make(), tenant="acme")
    seen = (await probes.observe(make(), service="shop")).data
    assert (seen["stable"]["weight_percent"], seen["candidate"]["weight_percent"]) == (90, 10)
    assert (seen["stable"]["version"], seen["candidate"]["version"]) == ("off", "new-cart")
    await actions.promote(make(), **ASKED)
    assert await answer(make(), targeting_key="anybody")
    back = await actions.rollback(make(), service="shop")
    assert back.before == {"percent": 100, "routes": []}
    assert not await answer(make(), tenant="acme", targeting_key="anybody")
    assert not (await actions.rollback(make(), service="shop")).changed
    assert (await probes.observe(make(), service="shop")).data["candidate"] is None


async def test_another_flag_than_the_one_in_the_catalogue_is_refused_before_anything_is_turned_on(make):
    other = {"service": "shop", "version": "new-basket"}
    way = await probes.rollback_path(make(), **other)
    assert way.data["rollback"]["verdict"] == "impossible"
    assert "the flag of shop is new-cart, not new-basket" in way.summary
    for act, more in ((actions.stage, {}), (actions.shift, {"percent": 10}), (actions.promote, {})):
        with pytest.raises(ActionFailedError) as caught:
            await act(make(), **other, **more)
        assert caught.value.code == "another_flag"
    assert await make().flags.find("shop", "new-cart") is None


async def test_a_tenant_that_people_excluded_stays_excluded_in_a_promotion(make):
    await make().flags.put("shop", Flag(key="new-cart", tenants={"bank": False}), run_id="r", epoch=1)
    await actions.promote(make(), **ASKED)
    assert not await answer(make(), tenant="bank", targeting_key="x")
    assert await answer(make(), tenant="other", targeting_key="x")


async def test_the_way_back_is_unknown_while_the_flags_cannot_be_read(make):
    way = await probes.rollback_path(make(), **ASKED)
    assert way.data["rollback"]["verdict"] == "safe"
    store = connect(f"redis://127.0.0.1:{free_port()}")
    with pytest.raises(ProbeUnavailableError):
        await probes.rollback_path(make(RedisFlags(store)), **ASKED)
    with pytest.raises(ActionFailedError):
        await actions.rollback(make(RedisFlags(store)), service="shop")
    await store.aclose()


async def test_a_flag_counts_no_requests(make):
    with pytest.raises(ProbeUnavailableError) as caught:
        await probes.counts(make(), service="shop")
    assert caught.value.code == "not_supported"
