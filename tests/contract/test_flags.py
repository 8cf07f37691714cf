"""Flags are kept and fenced alike in the memory twin and in a real Valkey, and ramped by the real action."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from bot.actions import flags as actions
from bot.adapters.redis.store import connect
from bot.adapters.redis.stores.flags import RedisFlags
from bot.domain.catalogue import Catalogue, Service
from bot.domain.deployments.flag import EvaluationContext, Flag
from bot.domain.errors import (
    ActionFailedError,
    ActionInDoubtError,
    ProbeUnavailableError,
    StaleEpochError,
    UnknownServiceError,
)
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context
from bot.ports.flags import FlagStore
from bot.probes import flags as probes
from bot.services.flag_provider import FlagProvider
from bot.testing.records import MemoryFlags
from bot.testing.stores import memory_context, memory_stores
from tests.support.servers import free_port
from tests.support.valkeys import fresh_store


@pytest.fixture(params=["memory", "redis"])
async def flags(request: pytest.FixtureRequest) -> AsyncIterator[FlagStore]:
    if request.param == "memory":
        yield MemoryFlags()
        return
    async with fresh_store() as store:
        yield RedisFlags(store)


@pytest.fixture
async def context():
    async with httpx.AsyncClient(timeout=60) as http:

        def make(flags: FlagStore, *, epoch: int = 1, run_id: str = "run1") -> Context:
            return memory_context(
                catalogue=Catalogue(services=(Service(name="shop"),)),
                http=http,
                stores=replace(memory_stores(), flags=flags),
                effect=Effect(key=f"{run_id}:ramp", epoch=epoch),
                run_id=run_id,
            )

        yield make


async def test_a_ramp_is_written_told_and_undone_to_what_stood_before(flags, context):
    first = await actions.ramp(
        context(flags), service="shop", flag="new-cart", percent=10, tenants={"acme": True}
    )
    assert first.before == {"percent": 0, "tenants": {}}
    second = await actions.ramp(context(flags), service="shop", flag="new-cart", percent=50)
    assert second.before == {"percent": 10, "tenants": {"acme": True}}
    assert second.summary == "new-cart of shop is on for 50 %, acme on (was on for 10 %, acme on)"
    assert (second.change.kind, second.change.data) == ("flag", {"key": "new-cart"})
    await actions.ramp(context(flags), service="shop", flag="new-cart", **second.before)
    told = await probes.state(context(flags), service="shop", flag="new-cart")
    assert told.data == {"set": True, "percent": 10, "tenants": {"acme": True}}


async def test_the_same_ramp_twice_changes_nothing(flags, context):
    await actions.ramp(context(flags), service="shop", flag="new-cart", percent=10)
    again = await actions.ramp(context(flags), service="shop", flag="new-cart", percent=10)
    assert (again.changed, again.change) == (False, None)
    look = await actions.is_ramped(context(flags), service="shop", flag="new-cart", percent=10)
    assert look.before == {}
    assert await actions.is_ramped(context(flags), service="shop", flag="new-cart", percent=20) is None


async def test_an_older_owner_of_the_run_sets_nothing_even_after_another_run_has(flags, context):
    await actions.ramp(context(flags, epoch=5), service="shop", flag="new-cart", percent=10)
    await actions.ramp(context(flags, run_id="run2"), service="shop", flag="new-cart", percent=0)
    with pytest.raises(StaleEpochError):
        await actions.ramp(context(flags, epoch=4), service="shop", flag="new-cart", percent=99)
    assert (await flags.find("shop", "new-cart")).percent == 0


async def test_flags_of_another_service_are_others(flags):
    await flags.put("shop", Flag(key="x", percent=100), run_id="r", epoch=1)
    assert await flags.find("shop@staging", "x") is None


async def test_an_evaluation_tells_value_variant_and_reason(flags, context):
    await actions.ramp(
        context(flags), service="shop", flag="new-cart", percent=50, tenants={"acme": True, "b": False}
    )
    for tenant, variant in (("acme", "on"), ("b", "off")):
        told = (await probes.evaluate(context(flags), service="shop", flag="new-cart", tenant=tenant)).data
        assert (told["variant"], told["reason"]) == (variant, "TARGETING_MATCH")
    told = (await probes.evaluate(context(flags), service="shop", flag="new-cart", targeting_key="ana")).data
    assert told["reason"] == "SPLIT"
    told = (await probes.evaluate(context(flags), service="shop", flag="new-cart")).data
    assert (told["value"], told["error_code"]) == (False, "TARGETING_KEY_MISSING")
    told = (await probes.evaluate(context(flags), service="shop", flag="other")).data
    assert told["error_code"] == "FLAG_NOT_FOUND"


async def test_a_service_that_the_catalogue_does_not_have_gets_no_flag(flags, context):
    with pytest.raises(UnknownServiceError):
        await actions.ramp(context(flags), service="shopp", flag="new-cart", percent=10)


async def test_flags_that_cannot_be_reached_are_unavailable_and_a_provider_gives_the_default(context):
    store = connect(f"redis://127.0.0.1:{free_port()}")
    flags = RedisFlags(store)
    with pytest.raises(ProbeUnavailableError):
        await probes.evaluate(context(flags), service="shop", flag="new-cart")
    with pytest.raises(ActionFailedError):
        await actions.ramp(context(flags), service="shop", flag="new-cart", percent=10)
    with pytest.raises(ActionInDoubtError):
        await flags.put("shop", Flag(key="x"), run_id="r", epoch=1)
    provider = FlagProvider(flags=flags, service="shop")
    told = await provider.resolve_boolean_details("new-cart", True, EvaluationContext())
    assert (told.value, told.error_code) == (True, "PROVIDER_NOT_READY")
    await store.aclose()
