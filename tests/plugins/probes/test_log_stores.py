"""The logs that Loki and Elasticsearch keep: the same findings as from files, and honest words where lines are missing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes import elastic, loki
from bot.probes.logs import probes as logs
from bot.probes.logs.counts import moments
from tests.plugins.probes.logstores import Elastic, Loki
from tests.support.servers import answering, free_port, hanging, http_server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
END_S = NOW.timestamp()
SELECTOR = '{app="shop"}'
RANGE = "/loki/api/v1/query_range"
SEARCH = "/logs-*/_search"

Told = tuple[float, str, str]
"""How many seconds ago, level, message."""


class Stopped:
    def now(self) -> datetime:
        return NOW


def ordinary(count: int = 300) -> list[Told]:
    return [(count - n, "info", f"order {n} placed for {n * 7} EUR") for n in range(count)]


FAILING: list[Told] = [(20.5 - n, "error", f"order {n}: pay answered 502") for n in range(20)]


def as_json(told: Told) -> str:
    return json.dumps({"level": told[1], "msg": told[2], "version": "1.4.2"})


def as_pairs(told: Told) -> str:
    return f'ts=x level={told[1]} msg="{told[2]}" version=1.4.2'


def as_words(told: Told) -> str:
    return f"2026-03-01 12:00:00 {told[1].upper()} shop: {told[2]}"


def kept(told: list[Told], write: Callable[[Told], str] = as_json) -> Loki:
    return Loki(selector=SELECTOR, lines=[(END_S - each[0], write(each)) for each in told])


def documents(told: list[Told]) -> Elastic:
    return Elastic(
        documents=[
            {
                "@timestamp": round((END_S - ago_s) * 1000),
                "log": {"level": level},
                "message": message,
                "service": {"version": "1.4.2"},
                **({"error": {"type": "PayError", "message": "declined"}} if level == "error" else {}),
            }
            for ago_s, level, message in told
        ]
    )


def shop(kind: str, url: str, **source: str) -> dict[str, Any]:
    where = {"selector": SELECTOR} if kind == "loki" else {"index": "logs-*"}
    return {"name": "shop", "sources": {kind: {"url": url, **where, **source}}}


@pytest.mark.parametrize("write", [as_json, as_pairs, as_words])
async def test_new_errors_in_loki_are_found_however_lines_are_written(context, write):
    async with http_server({RANGE: kept([*ordinary(), *FAILING], write).query_range}) as url:
        found = await loki.errors(context(shop("loki", url), clock=Stopped()), service="shop")
    assert [f.kind for f in found.items] == [FindingKind.LOG_ERRORS, FindingKind.LOG_TEMPLATE_NEW]
    total = found.items[0]
    assert total.began_at is not None
    assert abs(total.began_at - (NOW - timedelta(seconds=20.5))) < timedelta(seconds=1)
    assert (total.source, total.data["count"], total.evidence[0].query) == ("logs", 20, SELECTOR)
    assert found.looked_at == "320 log lines of shop over 30 min"


async def test_errors_in_elasticsearch_carry_the_exception_and_the_version(context):
    store = documents([*ordinary(), *FAILING])
    async with http_server({SEARCH: store.search}) as url:
        ctx = context(shop("elastic", url, api_key="hunter2", query="service.name:shop"), clock=Stopped())
        found = await elastic.errors(ctx, service="shop")
    total = found.items[0]
    assert (total.kind, total.data["exceptions"]) == (FindingKind.LOG_ERRORS, ["PayError"])
    assert list(total.data["versions"]) == ["1.4.2"]
    request, body = store.asked[0]
    assert request.headers["Authorization"] == "ApiKey hunter2"
    assert {"query_string": {"query": "service.name:shop"}} in body["query"]["bool"]["filter"]


async def test_a_quiet_log_gives_no_finding_and_a_log_without_lines_is_quiet(context):
    for store in (kept(ordinary()), kept([])):
        async with http_server({RANGE: store.query_range}) as url:
            found = await loki.errors(context(shop("loki", url), clock=Stopped()), service="shop")
        assert (found.items, found.gaps) == ((), ())
        assert len(found.normal) == 1


FLOOD: list[Told] = [(600 - n / 10, "error", f"order {n}: pay answered 502") for n in range(5995)]


async def test_where_all_lines_that_are_read_are_errors_their_number_tells_when_they_began(context):
    """A flood: 3000 lines reach back 5 of the 10 minutes, and hold nothing of before."""
    told = [*[(1800 - n, "info", f"order {n} placed, no error") for n in range(1200)], *FLOOD]
    stores = {RANGE: kept(told).query_range, SEARCH: documents(told).search}
    async with http_server(stores) as url:
        seen = [
            await loki.errors(context(shop("loki", url), clock=Stopped()), service="shop"),
            await elastic.errors(context(shop("elastic", url), clock=Stopped()), service="shop"),
        ]
    for found in seen:
        total = found.items[0]
        assert total.kind is FindingKind.LOG_ERRORS
        assert total.began_at is not None
        assert abs(total.began_at - (NOW - timedelta(seconds=600))) <= timedelta(seconds=30)
        assert "more than 3000 lines, so only" in found.gaps[0]
        assert "older ones were only counted" in found.gaps[0]


async def test_of_many_ordinary_lines_the_errors_are_read_and_all_of_them(context):
    store = kept([*[(1700 - n / 4, "info", f"order {n} placed") for n in range(6000)], *FAILING])
    async with http_server({RANGE: store.query_range}) as url:
        found = await loki.errors(context(shop("loki", url, tenant="acme"), clock=Stopped()), service="shop")
    assert found.items[0].data["count"] == 20
    assert found.gaps == (
        "shop: there are more than 3000 lines, so only those that mention errors were read",
    )
    assert {request.headers["X-Scope-OrgID"] for request in store.asked} == {"acme"}


async def test_the_errors_of_the_logs_are_read_wherever_the_catalogue_says(context, tmp_path):
    line = {"ts": (NOW - timedelta(seconds=9)).isoformat(), "level": "INFO", "message": "paid"}
    (tmp_path / "pay.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    routes = {RANGE: kept([*ordinary(), *FAILING]).query_range, SEARCH: answering({}, status=503)}
    async with http_server(routes) as url:
        services = [
            {**shop("loki", url), "depends_on": ["pay", "post"]},
            {"name": "pay", "sources": {"logs": {"path": f"{tmp_path}/pay.jsonl"}}},
            {"name": "post", "sources": {"elastic": {"url": url, "index": "logs-*"}}},
        ]
        found = await logs.errors(context(*services, clock=Stopped()), service="shop")
    assert {f.service for f in found.items} == {"shop"}
    assert found.normal == ("pay: no more errors than usual in 1 lines",)
    assert found.gaps == ("post: Elasticsearch answered 503.",)


async def test_a_part_of_an_index_that_does_not_answer_is_a_gap(context):
    store = documents(ordinary())
    store.failed_shards = 1
    async with http_server({SEARCH: store.search}) as url:
        found = await elastic.errors(context(shop("elastic", url), clock=Stopped()), service="shop")
    assert found.gaps == (
        "shop: only a part of the data was read (1 of 2 shards of the index did not answer in full)",
    )


@pytest.mark.parametrize(("probe", "kind"), [(loki.errors, "loki"), (elastic.errors, "elastic")])
async def test_a_store_that_is_away_silent_or_locked_is_unavailable_and_no_secret_is_told(
    context, probe, kind
):
    path = RANGE if kind == "loki" else SEARCH
    routes = {f"/hangs{path}": hanging, f"/locked{path}": answering({}, status=403)}
    async with http_server(routes) as url:
        for address, said in (
            (f"http://bot:hunter2@127.0.0.1:{free_port()}", "the connection is refused"),
            (f"{url}/hangs", "did not answer within 80 ms"),
            (f"{url}/locked", "denied the bot access"),
        ):
            ctx = context(shop(kind, address, token="hunter3"), timeout_s=0.2 if "within" in said else 30)
            with pytest.raises(ProbeUnavailableError, match=said) as failed:
                await probe(ctx, service="shop")
            assert "hunter" not in str(failed.value)


@pytest.mark.parametrize(
    "said",
    [
        "<html>",
        "[]",
        '{"status": "success", "data": {"resultType": "streams", "result": [{"stream": {}, "values": [["x", "y"]]}]}}',
        '{"timed_out": false, "_shards": {}, "hits": {"hits": [{"_source": {"a": 1}}]}}',
    ],
)
async def test_what_is_no_log_store_is_garbage(context, said):
    async with http_server({RANGE: answering(said), SEARCH: answering(said)}) as url:
        for probe, kind in ((loki.errors, "loki"), (elastic.errors, "elastic")):
            with pytest.raises(ProbeGarbageError):
                await probe(context(shop(kind, url), clock=Stopped()), service="shop")


async def test_without_a_source_or_what_to_look_for_it_is_not_configured(context):
    plain = {
        "name": "shop",
        "sources": {"loki": {"url": "http://127.0.0.1:9"}, "elastic": {"url": "http://127.0.0.1:9"}},
    }
    for probe in (loki.errors, elastic.errors):
        for entry in ({"name": "shop"}, plain):
            with pytest.raises(ProbeNotConfiguredError):
                await probe(context(entry), service="shop")


def test_moments_lie_within_their_bins_and_their_number_is_that_of_real_errors():
    found = moments([(10, 100), (20, 0), (30, 40)], width_s=10, share=0.5)
    assert (sum(0 < at <= 10 for at in found), sum(20 < at <= 30 for at in found)) == (50, 20)
    assert list(found) == sorted(found)
    assert len(moments([(10, 10**9)], width_s=10, share=1)) == 200_000


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"timed_out": True}, "its search ran out of time"),
        ({"terminated_early": True}, "its search ended early"),
        (
            {"_shards": {"total": 4, "failed": 1, "failures": [{"reason": {"reason": "disk"}}]}},
            "1 of 4 shards .*: disk",
        ),
        ({"_clusters": {"total": 2, "successful": 1, "skipped": 1}}, "1 of 2 clusters"),
    ],
)
async def test_a_partial_answer_of_elasticsearch_is_no_quiet_log(context, more, why):
    whole = {"timed_out": False, "_shards": {"total": 4, "skipped": 3, "failed": 0}, "hits": {"hits": []}}
    async with http_server({SEARCH: answering({**whole, **more})}) as url:
        found = await elastic.errors(context(shop("elastic", url), clock=Stopped()), service="shop")
    [partial] = found.partial
    assert re.search(why, partial)
    assert (found.gaps, found.normal) == ((partial,), ())
    async with http_server({SEARCH: answering(whole)}) as url:
        found = await elastic.errors(context(shop("elastic", url), clock=Stopped()), service="shop")
    assert (found.partial, found.gaps, len(found.normal)) == ((), (), 1)


async def test_a_partial_answer_of_loki_is_no_quiet_log(context):
    answer = {
        "status": "success",
        "warnings": ["ingester-2 is away"],
        "data": {"resultType": "streams", "result": []},
    }
    async with http_server({RANGE: answering(answer)}) as url:
        found = await loki.errors(context(shop("loki", url), clock=Stopped()), service="shop")
    assert found.partial == ("shop: only a part of the data was read (ingester-2 is away)",)
    assert (found.gaps, found.normal) == (found.partial, ())
