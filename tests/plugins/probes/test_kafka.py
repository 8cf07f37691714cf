"""Burrow's HTTP interface, against a server that answers as Burrow 1.2.1 did when it was recorded.

https://github.com/linkedin/Burrow/wiki/HTTP-Endpoint; the groups were ``mailer``, of which more came than it
did; ``stuck``, which committed one offset again and again; ``gone``, which committed nothing any more;
``back``, which went back; ``slow``; and ``fine``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.kafka import ConsumerGroup, behind, lag, problems_of
from tests.support.servers import Handler, answering, free_port, hanging, http_server

RECORDED = json.loads((Path(__file__).parents[2] / "data" / "burrow.json").read_text("utf-8"))
LIST, EACH = "/v3/kafka/{cluster}/consumer", "/v3/kafka/{cluster}/consumer/{group}/lag"


async def recorded(request: web.Request) -> web.Response:
    status, body = RECORDED[request.path]
    # Burrow names no type of content, so that Go guesses one.
    return web.Response(text=json.dumps(body), status=status, content_type="text/plain")


BURROW: dict[str, Handler] = {LIST: recorded, EACH: recorded}


def shop(url: str, **source: str) -> dict[str, Any]:
    return {"name": "shop", "sources": {"kafka": {"url": url, "cluster": "local", **source}}}


def group(*partitions: dict[str, Any]) -> ConsumerGroup:
    lags = sum(each["current_lag"] for each in partitions)
    found = {"group": "mailer", "status": "WARN", "totallag": lags, "partitions": list(partitions)}
    return ConsumerGroup.model_validate(found)


def partition(*, number: int = 0, status: str = "OK", lags: tuple[int, int] = (0, 0), done: int = 0) -> Any:
    ends = [
        {"offset": o, "timestamp": t, "lag": n} for o, t, n in zip((0, done), (0, 10_000), lags, strict=True)
    ]
    place = {"topic": "orders", "partition": number, "status": status, "current_lag": lags[1]}
    return {**place, "start": ends[0], "end": ends[1]}


async def test_the_group_that_lags_most_counts_and_those_of_others_do_not(context):
    async with http_server(BURROW) as url:
        seen = await lag(context(shop(f"{url}/", groups="[fm]*")), service="shop")
    assert [each["name"] for each in seen.data["groups"]] == ["mailer", "fine"]
    first = seen.data["groups"][0]
    assert (seen.value, seen.unit, seen.data["total"]) == (first["lag"], "messages", first["lag"])
    assert first["worst"] == "orders/0"
    assert first["fetched_per_s"] == pytest.approx(12.5, abs=1)
    assert first["grows_per_s"] == pytest.approx(16.7, abs=1)
    assert seen.data["problems"] == []
    assert seen.text.startswith(f"shop: mailer is {first['lag']} messages behind, growing by 16.")


async def test_what_burrow_finds_wrong_is_told_with_its_partition(context):
    async with http_server(BURROW) as url:
        seen = await lag(context(shop(url)), service="shop")
    assert sorted(seen.data["problems"]) == [
        "back went back to an earlier offset in mails/0",
        "gone has stopped committing in mails/0",
        "stuck is stuck in orders/0",
    ]
    assert "gone has stopped committing in mails/0" in seen.text
    by_name = {each["name"]: each for each in seen.data["groups"]}
    assert by_name["stuck"]["fetched_per_s"] == 0
    assert by_name["gone"]["fetched_per_s"] is None  # what it did before it stopped is past


@pytest.mark.parametrize(
    ("partitions", "said"),
    [
        ([partition(lags=(900, 600), done=1000)], "mailer is 600 messages behind and catches up in 20 s"),
        ([partition(lags=(0, 12_000))], "mailer is 12,000 messages behind, growing by 1.2e+03 a second"),
        ([partition(lags=(5, 5), done=9)], "mailer is 5 messages behind"),
        ([partition(lags=(5, 0), done=9)], "mailer is 0 messages behind"),
        ([partition(status="STOP", lags=(1, 7))], "mailer is 7 messages behind"),
        ([], "mailer is 0 messages behind"),
    ],
)
def test_it_is_told_whether_a_group_catches_up(partitions, said):
    assert behind(group(*partitions)) == said


def test_partitions_in_the_same_trouble_are_told_together():
    slow = [partition(number=number, status="WARN", lags=(1, 2)) for number in range(6)]
    assert problems_of([group(*slow)]) == [
        "mailer is falling behind in orders/0, orders/1, orders/2, orders/3 and 2 more"
    ]


async def test_a_group_or_a_cluster_that_is_not_there_is_unavailable_and_not_well(context):
    async with http_server(BURROW) as url:
        with pytest.raises(ProbeUnavailableError, match="no consumer group called `nobody`"):
            await lag(context(shop(url, groups="nobody")), service="shop")
        with pytest.raises(ProbeUnavailableError, match="404"):
            await lag(context(shop(url, cluster="none")), service="shop")


async def test_a_burrow_that_is_away_or_silent_is_unavailable(context):
    async with http_server({LIST: answering({"consumers": ["a"]}), EACH: hanging}) as url:
        for address, said in (
            (f"http://bot:hunter2@127.0.0.1:{free_port()}", "the connection is refused"),
            (url, "did not answer within"),
        ):
            with pytest.raises(ProbeUnavailableError, match=said) as failed:
                await lag(context(shop(address), timeout_s=0.3 if "within" in said else 30), service="shop")
            assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize("said", ["<html>", "[]", '{"status": {"group": "a"}}'])
async def test_what_is_no_burrow_is_garbage(context, said):
    async with http_server({LIST: answering({"consumers": ["a"]}), EACH: answering(said)}) as url:
        with pytest.raises(ProbeGarbageError):
            await lag(context(shop(url)), service="shop")
    async with http_server({LIST: answering(said)}) as url:
        with pytest.raises(ProbeGarbageError):
            await lag(context(shop(url)), service="shop")


async def test_without_a_url_and_a_cluster_it_is_not_configured(context):
    for entry in ({"name": "shop"}, shop(""), shop("http://127.0.0.1", cluster="")):
        with pytest.raises(ProbeNotConfiguredError):
            await lag(context(entry), service="shop")
