"""The deprecated names still shift traffic on a real HAProxy as plans in flight expect, on the one HAProxy stack."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import ValidationError

from bot.actions import haproxy as actions
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.engine.plugins import scan

pytestmark = pytest.mark.server


async def test_weights_are_shifted_and_what_stood_before_is_kept_for_the_undo(make_ctx, haproxy):
    ctx = make_ctx(target=haproxy.target())
    done = await actions.shift(ctx, service="shop", weights={"stable": 95, "candidate": 5})
    assert await haproxy.weights() == {"blue": 95, "green": 5, "canary": 0}
    assert done.before == {"weights": {"blue": 100, "green": 0}}
    assert done.summary == "shop's traffic is at blue 95, green 5 (was blue 100, green 0)"
    assert done.change is not None
    assert (done.change.id, done.change.kind) == ("run1:fix:step1", "deploy")


async def test_what_stood_before_can_be_put_back(make_ctx, haproxy):
    ctx = make_ctx(target=haproxy.target())
    done = await actions.shift(ctx, service="shop", weights={"stable": 0, "candidate": 100})
    await actions.shift(ctx, service="shop", weights=done.before["weights"])
    assert await haproxy.weights() == {"blue": 100, "green": 0, "canary": 0}


async def test_servers_that_are_not_named_keep_their_weight(make_ctx, haproxy):
    await haproxy.say("set server shop/canary weight 3")
    await actions.shift(make_ctx(target=haproxy.target()), service="shop", weights={"green": 7})
    assert await haproxy.weights() == {"blue": 100, "green": 7, "canary": 3}


async def test_a_rollback_gives_everything_back_to_stable(make_ctx, haproxy):
    await haproxy.say("set server shop/green weight 100; set server shop/blue weight 0")
    done = await actions.rollback(
        make_ctx(target=haproxy.target()), service="shop", version="1.4.2", previous_version="1.4.1"
    )
    assert await haproxy.weights() == {"blue": 100, "green": 0, "canary": 0}
    assert done.before["weights"] == {"blue": 0, "green": 100, "canary": 0}
    assert done.before["percent"] == 100
    assert done.change is not None
    assert (done.change.kind, done.change.before, done.change.after) == ("rollback", "1.4.2", "1.4.1")
    assert done.change.data["version"] == "1.4.1"
    assert "back on 1.4.1" in done.summary


async def test_a_repeated_rollback_changes_nothing(make_ctx, haproxy):
    ctx = make_ctx(target=haproxy.target())
    await haproxy.say("set server shop/green weight 100; set server shop/blue weight 0")
    assert (await actions.rollback(ctx, service="shop")).changed
    again = await actions.rollback(ctx, service="shop")
    assert (again.changed, again.change) == (False, None)


async def test_the_new_server_is_let_in_before_the_old_one_is_let_go(make_ctx, haproxy):
    seen: list[int] = []
    done = asyncio.Event()

    async def watch() -> None:
        while not done.is_set():
            seen.append(sum((await haproxy.weights()).values()))

    watching = asyncio.create_task(watch())
    ctx = make_ctx(target=haproxy.target())
    for _ in range(20):
        await actions.shift(ctx, service="shop", weights={"stable": 0, "candidate": 100})
        await actions.shift(ctx, service="shop", weights={"stable": 100, "candidate": 0})
    done.set()
    await watching
    assert min(seen) >= 100


@pytest.mark.parametrize("weights", [{"stable": 257}, {"stable": -1}, {}, {"stable": "all"}])
def test_a_weight_that_haproxy_does_not_know_is_refused_before_anything_is_sent(weights):
    with pytest.raises(ValidationError):
        scan("bot.actions", third_parties=False).get("haproxy.shift").check(
            {"service": "shop", "weights": weights}
        )


async def test_an_unknown_server_is_refused_with_those_there_are(make_ctx, haproxy):
    with pytest.raises(ActionFailedError, match="no red; it has blue, canary, green") as caught:
        await actions.shift(make_ctx(target=haproxy.target()), service="shop", weights={"red": 1, "blue": 0})
    assert caught.value.code == "unknown_server"
    assert (await haproxy.weights())["blue"] == 100


async def test_an_unknown_backend_is_refused(make_ctx, haproxy):
    with pytest.raises(ActionFailedError, match="Can't find backend"):
        await actions.rollback(make_ctx(target=haproxy.target(backend="nope")), service="shop")


async def test_traffic_is_not_given_to_nobody(make_ctx, haproxy):
    with pytest.raises(ActionFailedError) as caught:
        await actions.shift(make_ctx(target=haproxy.target()), service="shop", weights={"blue": 0})
    assert caught.value.code == "no_healthy_server"
    assert (await haproxy.weights())["blue"] == 100


async def test_a_drained_stable_server_is_let_in_again_by_a_rollback(make_ctx, haproxy):
    await haproxy.say("set server shop/green weight 100; set server shop/blue weight 0")
    await haproxy.say("set server shop/blue state drain")
    await actions.rollback(make_ctx(target=haproxy.target()), service="shop")
    assert (await haproxy.weights())["blue"] == 100


async def test_traffic_is_not_given_back_to_a_server_that_cannot_take_it(make_ctx, haproxy):
    await haproxy.say("set server shop/green weight 100; set server shop/blue weight 0")
    await haproxy.say("set server shop/blue state maint")
    with pytest.raises(ActionFailedError) as caught:
        await actions.rollback(make_ctx(target=haproxy.target()), service="shop")
    assert caught.value.code == "no_healthy_server"
    assert (await haproxy.weights())["green"] == 100


async def test_a_balancing_that_allows_no_such_weights_is_refused_with_haproxys_words(make_ctx, haproxy):
    ctx = make_ctx(target=haproxy.target(backend="fixed"))
    with pytest.raises(ActionFailedError, match="static LB algorithm"):
        await actions.shift(ctx, service="shop", weights={"stable": 95})
    assert (await haproxy.weights("fixed"))["blue"] == 100


async def test_a_socket_without_the_right_to_change_is_refused(make_ctx, start_haproxy):
    limited = start_haproxy(level="operator")
    with pytest.raises(ActionFailedError, match=r"(?i)permission denied"):
        await actions.shift(make_ctx(target=limited.target()), service="shop", weights={"stable": 95})


async def test_a_haproxy_that_is_not_there_has_changed_nothing(make_ctx, tmp_path):
    target = {
        "haproxy": {"socket": str(tmp_path / "none"), "backend": "shop", "stable": "a", "candidate": "b"}
    }
    with pytest.raises(ActionFailedError) as caught:
        await actions.rollback(make_ctx(target=target), service="shop")
    assert caught.value.code == "target_unavailable"


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"1\n# srv_name\nx\n"])
async def test_something_else_on_the_socket_is_refused(make_ctx, answer):
    async with _impostor([answer]) as address:
        with pytest.raises(ActionFailedError):
            await actions.rollback(make_ctx(target=_at(address)), service="shop")


STATE = b"1\n# srv_name srv_op_state srv_admin_state srv_uweight\nblue 2 0 %d\ngreen 2 0 %d\n\n"  # what is read of it
BACK = {"stable": 100, "candidate": 0}


async def test_no_answer_after_the_shift_was_sent_leaves_doubt(make_ctx):
    async with _impostor([STATE % (0, 100), None]) as address:
        with pytest.raises(ActionInDoubtError):
            await actions.shift(make_ctx(target=_at(address), timeout_s=1), service="shop", weights=BACK)


async def test_half_a_shift_leaves_doubt_and_shows_what_haproxy_said(make_ctx):
    async with _impostor([STATE % (0, 100), b"No such server.\n", STATE % (100, 100)]) as address:
        with pytest.raises(ActionInDoubtError, match="No such server"):
            await actions.shift(make_ctx(target=_at(address)), service="shop", weights=BACK)


async def test_a_shift_of_which_nothing_was_done_is_refused(make_ctx):
    async with _impostor([STATE % (0, 100), b"No such server.\n", STATE % (0, 100)]) as address:
        with pytest.raises(ActionFailedError, match="No such server"):
            await actions.shift(make_ctx(target=_at(address)), service="shop", weights=BACK)


async def test_a_haproxy_that_vanishes_after_the_shift_leaves_doubt(make_ctx):
    async with _impostor([STATE % (0, 100), b"\n"]) as address:
        with pytest.raises(ActionInDoubtError, match="HAProxy got the commands"):
            await actions.shift(make_ctx(target=_at(address)), service="shop", weights=BACK)


async def test_a_haproxy_that_vanishes_in_a_rollback_leaves_doubt(make_ctx):
    state = STATE % (0, 100)
    sent_ready, looked = [state, b"\n"], [state, state]
    async with _impostor([*sent_ready, *looked, b"\n"]) as address:
        with pytest.raises(ActionInDoubtError, match="HAProxy got the commands"):
            await actions.rollback(make_ctx(target=_at(address)), service="shop")


async def test_the_undo_of_a_plan_in_flight_gives_the_candidate_its_traffic_back(make_ctx, haproxy):
    ctx = make_ctx(target=haproxy.target())
    await haproxy.say("set server shop/green weight 100; set server shop/blue weight 0")
    done = await actions.rollback(ctx, service="shop", version="1.4.2", previous_version="1.4.1")
    await actions.shift(ctx, service="shop", weights=done.before["weights"])
    assert await haproxy.weights() == {"blue": 0, "green": 100, "canary": 0}


def test_the_deprecated_names_say_what_to_use_instead():
    plugins = scan("bot.actions", third_parties=False)
    assert plugins.get("haproxy.rollback").deprecated == "deploy.rollback"
    assert plugins.get("haproxy.shift").deprecated == "deploy.shift"


async def test_a_look_finds_a_rollback_that_happened(make_ctx, haproxy):
    ctx = make_ctx(target=haproxy.target())
    found = await actions.is_rolled_back(ctx, service="shop", version="1.4.2")
    assert found is not None
    assert found.change is not None
    assert (found.change.kind, found.change.before) == ("rollback", "1.4.2")
    await haproxy.say("set server shop/green weight 1")
    assert await actions.is_rolled_back(ctx, service="shop") is None


async def test_a_socket_may_be_reached_over_tcp(make_ctx, haproxy):
    async with _impostor([STATE % (100, 0)]) as address:
        assert not (await actions.shift(make_ctx(target=_at(address)), service="shop", weights=BACK)).changed


def _at(address: str) -> dict[str, dict[str, str]]:
    return {"haproxy": {"socket": address, "backend": "shop", "stable": "blue", "candidate": "green"}}


class _impostor:  # noqa: N801  # reads as a function
    """Answer each connection with the next of these, hang at ``None``, and refuse when there are no more."""

    def __init__(self, answers: list[bytes | None]) -> None:
        self._answers = list(answers)
        self._over = asyncio.Event()

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()
        await self._server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        answer = self._answers.pop(0) if self._answers else b""
        if answer is None:
            await self._over.wait()
        else:
            writer.write(answer)
        writer.close()
        await writer.wait_closed()
