"""A restart happens once, and it is known whether it happened."""

from __future__ import annotations

import pytest

from bot.actions import supervisor
from bot.domain.errors import ActionFailedError, ActionInDoubtError, StaleEpochError
from bot.engine.plugins import scan


async def test_a_service_is_restarted(make_ctx, shop):
    done = await supervisor.restart(make_ctx(target=shop.target()), service="shop")
    assert (shop.restarts, done.changed, done.summary) == (1, True, "shop was restarted")
    assert done.change is not None
    assert (done.change.id, done.change.kind) == ("run1:fix:step1", "restart")
    assert shop.headers[0]["X-Actor"] == "pilothouse"


async def test_the_same_restart_twice_happens_once(make_ctx, shop):
    for epoch in (1, 2):
        await supervisor.restart(make_ctx(target=shop.target(), epoch=epoch), service="shop")
    assert shop.restarts == 1


async def test_a_stale_worker_restarts_nothing(make_ctx, shop):
    shop.tokens["run1:fix:step1"] = 5
    with pytest.raises(StaleEpochError):
        await supervisor.restart(make_ctx(target=shop.target(), epoch=4), service="shop")
    assert shop.restarts == 0


@pytest.mark.parametrize("trouble", ["hang", "break"])
async def test_no_clear_answer_leaves_doubt_and_repeating_it_restarts_no_second_time(make_ctx, shop, trouble):
    shop.trouble = trouble
    with pytest.raises(ActionInDoubtError):
        await supervisor.restart(make_ctx(target=shop.target(), timeout_s=0.5), service="shop")
    shop.trouble = ""
    done = await supervisor.restart(make_ctx(target=shop.target(), epoch=2), service="shop")
    assert (done.changed, shop.restarts) == (True, 1)


async def test_a_supervisor_that_knows_no_such_service_refuses(make_ctx, shop):
    elsewhere = {"supervisor": {"url": f"{shop.url}/nowhere"}}
    with pytest.raises(ActionFailedError) as caught:
        await supervisor.restart(make_ctx(target=elsewhere), service="shop")
    assert caught.value.code == "target_refused"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not-a-url", "ftp://127.0.0.1"])
async def test_a_supervisor_that_cannot_be_reached_has_restarted_nothing(make_ctx, url):
    with pytest.raises(ActionFailedError) as caught:
        await supervisor.restart(make_ctx(target={"supervisor": {"url": url}}), service="shop")
    assert caught.value.code == "target_unavailable"


@pytest.mark.parametrize("target", [{}, {"supervisor": {"address": "x"}}])
async def test_a_service_without_a_supervisor_is_refused(make_ctx, target):
    with pytest.raises(ActionFailedError) as caught:
        await supervisor.restart(make_ctx(target=target), service="shop")
    assert caught.value.code == "target_not_configured"


def test_an_interrupted_restart_may_be_repeated():
    assert scan("bot.actions", third_parties=False).get("supervisor.restart").in_doubt == "retry"
