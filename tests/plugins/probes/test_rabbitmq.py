"""RabbitMQ's management interface, against a server that answers as RabbitMQ 3.10 did when it was recorded.

https://www.rabbitmq.com/docs/management#http-api, with ``columns`` and ``pagination``.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.rabbitmq import queues
from tests.support.servers import Handler, answering, free_port, hanging, http_server

NODE = {"partitions": [], "mem_alarm": False, "disk_free_alarm": False, "name": "rabbit@one", "running": True}


def queue(name: str, waiting: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "consumers": 1,
        "messages": waiting,
        "messages_ready": waiting,
        "messages_unacknowledged": 0,
        "name": name,
        "state": "running",
        **more,
    }


def broker(listed: Sequence[dict[str, Any]], nodes: Sequence[dict[str, Any]] = (NODE,)) -> dict[str, Handler]:
    async def answer(request: web.Request) -> web.Response:
        login = base64.b64encode(b"bot:hunter2").decode()
        if request.headers.get("Authorization") != f"Basic {login}":
            return web.json_response({"error": "not_authorized", "reason": "Login failed"}, status=401)
        assert request.match_info["vhost"] == "/"
        wanted = re.compile(request.query["name"])
        items = [each for each in listed if wanted.search(each["name"])][: int(request.query["page_size"])]
        counts = {"filtered_count": len(items), "item_count": len(items), "total_count": len(listed)}
        return web.json_response({**counts, "items": items, "page": 1, "page_count": 1, "page_size": 500})

    return {"/api/queues/{vhost}": answer, "/api/nodes": answering(list(nodes))}


def shop(url: str, **source: str) -> dict[str, Any]:
    login = {"user": "bot", "password": "hunter2"}
    return {"name": "shop", "sources": {"rabbitmq": {"url": url, **login, **source}}}


async def test_the_longest_queue_of_the_service_counts_and_those_of_others_do_not(context):
    rates = {"publish_details": {"rate": 4.0}, "deliver_get_details": {"rate": 1.5}}
    listed = [
        queue("shop.mail", 3),
        queue("shop.orders", 70, message_stats=rates),
        queue("other.orders", 900),
    ]
    async with http_server(broker(listed)) as url:
        seen = await queues(context(shop(f"{url}/", queues="shop.*")), service="shop")
    assert (seen.value, seen.unit, seen.text) == (70, "messages", "shop: 70 messages in shop.orders")
    assert (seen.data["total"], seen.data["problems"]) == (73, [])
    first = seen.data["queues"][0]
    assert (first["name"], first["published_per_s"], first["fetched_per_s"]) == ("shop.orders", 4.0, 1.5)


async def test_what_keeps_messages_from_flowing_is_told(context):
    listed = [
        queue("orders", 5, consumers=0),
        queue("mails", 0, consumers=0),
        queue("bills", state="crashed"),
        queue("news", state="flow"),
    ]
    nodes = [
        {**NODE, "mem_alarm": True},
        {**NODE, "name": "rabbit@two", "disk_free_alarm": True, "partitions": ["rabbit@one"]},
        {"name": "rabbit@three", "running": False},
    ]
    async with http_server(broker(listed, nodes)) as url:
        seen = await queues(context(shop(url)), service="shop")
    assert seen.data["problems"] == [
        "no consumer reads from orders",
        "bills is crashed",
        "rabbit@one is short of memory and blocks publishers",
        "rabbit@two is short of disk space and blocks publishers",
        "rabbit@three is down",
        "rabbit@two is cut off from rabbit@one",
    ]
    assert "no consumer reads from orders" in seen.text


async def test_a_queue_that_is_not_there_is_unavailable_and_not_empty(context):
    async with http_server(broker([queue("ordersXold", 9)])) as url:
        with pytest.raises(ProbeUnavailableError, match=r"no queue called `orders\.old`"):
            await queues(context(shop(url, queues="orders.old")), service="shop")


async def test_a_broker_that_is_away_silent_or_locked_is_unavailable_and_no_secret_is_told(context):
    hangs = {"/hangs/api/queues/{vhost}": hanging, "/hangs/api/nodes": hanging}
    async with http_server({**broker([queue("orders")]), **hangs}) as url:
        for address, password, said in (
            (f"http://bot:hunter3@127.0.0.1:{free_port()}", "hunter2", "the connection is refused"),
            (f"{url}/hangs", "hunter2", "did not answer within"),
            (url, "hunter4", r"denied the bot access \(401\)"),
        ):
            with pytest.raises(ProbeUnavailableError, match=said) as failed:
                await queues(
                    context(shop(address, password=password), timeout_s=0.3 if "within" in said else 30),
                    service="shop",
                )
            assert "hunter" not in str(failed.value)


@pytest.mark.parametrize("said", ["<html>", "[]", '{"items": [{}]}'])
async def test_what_is_no_rabbitmq_is_garbage(context, said):
    routes = {"/api/queues/{vhost}": answering(said), "/api/nodes": answering([NODE])}
    async with http_server(routes) as url:
        with pytest.raises(ProbeGarbageError):
            await queues(context(shop(url)), service="shop")


async def test_without_a_url_it_is_not_configured(context):
    for entry in ({"name": "shop"}, shop("")):
        with pytest.raises(ProbeNotConfiguredError):
            await queues(context(entry), service="shop")
