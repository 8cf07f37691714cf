"""Settings are put once, only where they stand as expected, and what stood there is known."""

from __future__ import annotations

import pytest

from bot.actions import settings
from bot.domain.errors import ActionFailedError, ActionInDoubtError, StaleEpochError
from bot.engine.plugins import scan

NOBODY_LISTENS = {"settings": {"url": "http://127.0.0.1:9"}}


async def test_a_setting_is_put_and_what_stood_there_is_kept_for_the_undo(make_ctx, shop):
    done = await settings.put(make_ctx(sources=shop.sources()), service="shop", key="timeout_ms", value=2000)
    assert shop.values["timeout_ms"] == 2000
    assert (done.changed, done.before, done.after) == (True, {"value": 5}, {"value": 2000})
    assert done.summary == "shop/timeout_ms set to `2000` (was `5`)"


async def test_the_ledgers_entry_is_named_after_the_effect(make_ctx, shop):
    done = await settings.put(
        make_ctx(sources=shop.sources(), key="r7:fix:s"), service="shop", key="bank", value="b"
    )
    assert done.change is not None
    assert (done.change.id, done.change.kind, done.change.service) == ("r7:fix:s", "config", "shop")
    assert done.change.data == {"key": "bank", "before": "primary", "after": "b"}


async def test_a_truth_value_is_recorded_as_a_flag(make_ctx, shop):
    done = await settings.put(make_ctx(sources=shop.sources()), service="shop", key="screening", value=False)
    assert done.change is not None
    assert done.change.kind == "flag"
    assert shop.values["screening"] is False


async def test_the_store_is_told_the_key_the_token_and_who(make_ctx, shop):
    ctx = make_ctx(sources=shop.sources(), key="r1:fix:s", epoch=4)
    await settings.put(ctx, service="shop", key="timeout_ms", value=2000)
    (sent,) = shop.headers
    assert (sent["Idempotency-Key"], sent["X-Fencing-Token"], sent["X-Actor"]) == (
        "r1:fix:s",
        "4",
        "pilothouse",
    )


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [("timeout_ms", "2000", 2000), ("screening", "false", False), ("bank", "2000", "2000")],
)
async def test_a_text_is_put_as_the_type_that_stands_there(make_ctx, shop, key, text, value):
    await settings.put(make_ctx(sources=shop.sources()), service="shop", key=key, value=text)
    assert shop.values[key] == value
    assert type(shop.values[key]) is type(value)


async def test_a_setting_that_is_as_asked_is_left_alone(make_ctx, shop):
    done = await settings.put(make_ctx(sources=shop.sources()), service="shop", key="timeout_ms", value="5")
    assert (done.changed, done.change, shop.puts) == (False, None, 0)


async def test_one_is_not_true(make_ctx, shop):
    shop.values["timeout_ms"] = 1
    with pytest.raises(ActionFailedError) as caught:
        await settings.put(make_ctx(sources=shop.sources()), service="shop", key="timeout_ms", value=True)
    assert caught.value.code == "wrong_type"


async def test_another_value_than_expected_is_refused_and_told(make_ctx, shop):
    with pytest.raises(ActionFailedError, match="shop/timeout_ms is `5`, not `7`") as caught:
        await settings.put(
            make_ctx(sources=shop.sources()), service="shop", key="timeout_ms", value=2000, expect="7"
        )
    assert caught.value.code == "not_as_expected"
    assert (shop.values["timeout_ms"], shop.puts) == (5, 0)


async def test_a_change_between_look_and_put_is_refused_by_the_store(make_ctx, shop):
    shop.trouble = "hang-before"

    def meanwhile() -> None:
        shop.values["timeout_ms"] = 9

    ctx = make_ctx(sources=shop.sources())
    shop.wake.wait = _after(meanwhile)
    with pytest.raises(ActionFailedError, match="timeout_ms is 9") as caught:
        await settings.put(ctx, service="shop", key="timeout_ms", value=2000)
    assert caught.value.code == "not_as_expected"
    assert shop.values["timeout_ms"] == 9


def _after(act):
    async def wait() -> bool:
        act()
        return True

    return wait


async def test_the_same_effect_twice_happens_once(make_ctx, shop):
    ctx = make_ctx(sources=shop.sources())
    await settings.put(ctx, service="shop", key="timeout_ms", value=2000)
    again = await settings.put(ctx, service="shop", key="timeout_ms", value=2000)
    assert (again.changed, shop.puts) == (False, 1)


async def test_an_unknown_setting_is_refused(make_ctx, shop):
    with pytest.raises(ActionFailedError, match="No setting nope") as caught:
        await settings.put(make_ctx(sources=shop.sources()), service="shop", key="nope", value=1)
    assert caught.value.code == "unknown_setting"


async def test_a_key_cannot_leave_its_service(make_ctx, shop):
    with pytest.raises(ActionFailedError):
        await settings.put(make_ctx(sources=shop.sources()), service="shop", key="../../services/x", value=1)
    assert shop.puts == 0


async def test_a_store_that_nobody_runs_is_a_failure_that_changed_nothing(make_ctx):
    with pytest.raises(ActionFailedError) as caught:
        await settings.put(make_ctx(sources=NOBODY_LISTENS), service="shop", key="bank", value="b")
    assert caught.value.code == "target_unavailable"
    assert caught.value.hint


async def test_a_store_that_answers_garbage_is_left_alone(make_ctx, shop):
    shop.trouble = "garbage"
    with pytest.raises(ActionFailedError) as caught:
        await settings.put(make_ctx(sources=shop.sources()), service="shop", key="bank", value="b")
    assert (caught.value.code, shop.puts) == ("target_garbage", 0)


@pytest.mark.parametrize("trouble", ["hang", "break"])
async def test_no_clear_answer_leaves_doubt_and_a_look_settles_it(make_ctx, shop, trouble):
    shop.trouble = trouble
    ctx = make_ctx(sources=shop.sources(), timeout_s=0.5)
    with pytest.raises(ActionInDoubtError):
        await settings.put(ctx, service="shop", key="timeout_ms", value="2000", expect="5")
    found = await settings.is_put(ctx, service="shop", key="timeout_ms", value="2000", expect="5")
    assert found is not None
    assert (found.changed, found.before, shop.puts) == (True, {"value": 5}, 1)
    assert found.change is not None
    assert found.change.id == "run1:fix:step1"


async def test_a_look_tells_that_it_has_not_happened(make_ctx, shop):
    shop.trouble = "hang-before"
    ctx = make_ctx(sources=shop.sources(), timeout_s=0.5)
    with pytest.raises(ActionInDoubtError):
        await settings.put(ctx, service="shop", key="timeout_ms", value=2000)
    assert await settings.is_put(ctx, service="shop", key="timeout_ms", value=2000) is None


async def test_a_stale_worker_is_told_so(make_ctx, shop):
    await settings.put(make_ctx(sources=shop.sources(), epoch=3), service="shop", key="timeout_ms", value=7)
    with pytest.raises(StaleEpochError):
        await settings.put(
            make_ctx(sources=shop.sources(), epoch=2), service="shop", key="timeout_ms", value=8
        )
    assert shop.values["timeout_ms"] == 7


async def test_somebody_elses_service_is_not_changed(make_ctx, shop):
    ctx = make_ctx(sources=shop.sources(), external=True)
    with pytest.raises(ActionFailedError) as caught:
        await settings.put(ctx, service="shop", key="bank", value="b")
    assert (caught.value.code, shop.values["bank"]) == ("external_service", "primary")


async def test_a_service_without_a_store_is_refused_with_what_to_add(make_ctx):
    with pytest.raises(ActionFailedError) as caught:
        await settings.put(make_ctx(), service="shop", key="bank", value="b")
    assert caught.value.code == "target_not_configured"
    assert "sources: {settings" in caught.value.hint


def test_an_interrupted_put_may_be_repeated():
    plugin = scan("bot.actions", third_parties=False).get("settings.put")
    assert (plugin.kind, plugin.in_doubt, plugin.look) == ("action", "retry", settings.is_put)
