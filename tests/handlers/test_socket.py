"""Connections open and close without any effect on people."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bot.adapters.slack.app import serve_socket
from tests.handlers.fronts import Front, connected, open_front, workspace_with
from tests.support.waiting import until


async def _commands(front: Front, count: int) -> list[bool]:
    done = [await front.people.slash("/triage checkout", user="ana", channel="general") for _ in range(count)]
    return [outcome.ok for outcome in done]


async def test_commands_arrive_after_slack_has_closed_every_connection(front: Front):
    assert await front.people.refresh_sockets() == 2
    await connected(front.slack)
    assert await _commands(front, 4) == [True] * 4


async def test_a_connection_is_renewed_before_the_old_one_is_let_go_of(front: Front):
    old = front.slack.app.sockets._open[0]
    await old.ws.send_json({"type": "disconnect", "reason": "warning"})
    await connected(front.slack, 3)
    assert await _commands(front, 6) == [True] * 6
    await old.ws.close()
    assert await _commands(front, 4) == [True] * 4
    assert len(front.slack.app.sockets) == 2


async def test_connections_that_break_off_are_opened_again(front: Front):
    for socket in list(front.slack.app.sockets._open):
        transport = socket.ws._req.transport if socket.ws._req is not None else None
        assert transport is not None
        transport.abort()
    await until(lambda: len(front.slack.app.sockets) == 0, what="no connection left")
    await connected(front.slack)
    assert await _commands(front, 4) == [True] * 4


async def test_an_answer_that_is_being_written_is_sent_before_the_end():
    async with workspace_with() as slack, open_front(slack) as (front, identity):
        serving = asyncio.create_task(serve_socket(front.app, app_token=slack.app_token, identity=identity))
        await connected(slack)
        asked, let_go = asyncio.Event(), asyncio.Event()

        async def slowly() -> None:
            asked.set()
            await let_go.wait()

        front.inbox.before = slowly
        typed = asyncio.create_task(front.people.slash("/triage checkout", user="ana", channel="general"))
        await asked.wait()
        serving.cancel()
        await asyncio.sleep(0)  # it has begun to end
        let_go.set()
        with suppress(asyncio.CancelledError):
            await serving
        assert (await typed).ok
        assert len(front.inbox.intents) == 1


async def test_a_slack_that_is_away_at_the_start_is_waited_for(caplog, monkeypatch):
    monkeypatch.setattr("bot.adapters.slack.socket._ASK_AGAIN_S", 0.1)
    async with workspace_with() as slack, open_front(slack) as (front, identity):
        await front.people.faults(api_down=True)
        serving = asyncio.create_task(serve_socket(front.app, app_token=slack.app_token, identity=identity))
        await until(lambda: "slack_unreachable" in caplog.text, what="a line in the log")
        await front.people.clear_faults()
        await connected(slack)
        assert await _commands(front, 1) == [True]
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving
