"""Instances are replaced one by one on a real HAProxy without losing a request."""

from __future__ import annotations

import pytest

from bot.actions import deploy as actions
from bot.domain.errors import ActionFailedError
from bot.probes import deploy as probes
from tests.plugins.targets.haproxy_steps import broken, goes_on, observed
from tests.support.waiting import until

pytestmark = pytest.mark.server


async def test_a_rolling_replacement_loses_no_request_and_one_is_missing_at_a_time(rolling):
    async with rolling.load() as seen:
        done = await actions.replace(
            rolling.ctx(timeout_s=50), service="shop", version="1.4.2", instances=["a", "b", "c"]
        )
        await goes_on(seen)
    assert broken(seen) == {}
    assert done.before == {"versions": dict.fromkeys("abc", "1.4.1")}
    assert done.change.data["serves"] == "1.4.2"
    assert await rolling.served(30) == {"1.4.2": 30}


async def test_a_half_done_replacement_is_restored_to_what_each_instance_had(rolling):
    done = await actions.replace(rolling.ctx(), service="shop", version="1.4.2", instances=["a"])
    assert "serves" not in done.change.data
    assert "different versions" in (await observed(rolling))["warnings"][0]
    back = await actions.restore(rolling.ctx(), service="shop", versions=done.before["versions"])
    assert (back.change.kind, back.change.data["serves"]) == ("rollback", "1.4.1")
    assert await rolling.served(30) == {"1.4.1": 30}


async def test_an_instance_whose_version_is_refused_serves_on(rolling):
    rolling.launcher.refuse = "9.9.9"
    with pytest.raises(ActionFailedError):
        await actions.replace(rolling.ctx(), service="shop", version="9.9.9", instances=["a", "b"])
    assert (await rolling.served(30))["1.4.1"] == 30

    async def healthy() -> bool:
        rows = (await probes.observe(rolling.ctx(), service="shop")).data["instances"]
        return all(row["healthy"] for row in rows if row["role"] == "stable")

    await until(healthy, what="every instance to be found healthy again", within_s=20)


async def test_an_instance_that_does_not_come_up_is_put_back_with_those_of_its_batch(rolling):
    async with rolling.load() as seen:
        await actions.replace(rolling.ctx(timeout_s=30), service="shop", version="1.4.2", instances=["a"])
        with pytest.raises(ActionFailedError) as caught:
            await actions.replace(
                rolling.ctx(timeout_s=12), service="shop", version="1.5-dead", instances=["a", "b"]
            )
    assert caught.value.code == "did_not_come_up"
    assert "1.4.2 on a serves again" in str(caught.value)
    assert broken(seen) == {}
    assert {(slot, version) for slot, (version, _) in rolling.launcher.running.items()} == {
        ("a", "1.4.2"), ("b", "1.4.1"), ("c", "1.4.1"),
    }  # fmt: skip
