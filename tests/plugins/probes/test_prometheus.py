"""The metrics probe against a real Prometheus that scrapes a service whose figures the test sets."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiohttp import web

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.prometheus.probes import alerts, anomalies, decisive, error_ratio, query, sides, tallies
from tests.support.servers import answering, free_port, hanging, http_server, prometheus
from tests.support.waiting import until


class Exporter:
    """A service's metrics: so many requests and failures a second, by version."""

    def __init__(self) -> None:
        self.failing_share = {"1.4.1": 0.0}
        self._requests: dict[str, float] = {}
        self._failures: dict[str, float] = {}
        self._last = time.monotonic()

    async def metrics(self, _: web.Request) -> web.Response:
        now = time.monotonic()
        gone_s, self._last = now - self._last, now
        lines = ["# TYPE http_requests_total counter"]
        for version, share in self.failing_share.items():
            self._requests[version] = self._requests.get(version, 0) + 50 * gone_s * (1 - share)
            self._failures[version] = self._failures.get(version, 0) + 50 * gone_s * share
            for status, counted in (("200", self._requests), ("500", self._failures)):
                lines.append(
                    f'http_requests_total{{version="{version}",status="{status}"}} {counted[version]}'
                )
        return web.Response(text="\n".join(lines) + "\n")


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[Exporter, str]]:
    exporter = Exporter()
    async with (
        http_server({"/metrics": exporter.metrics}) as url,
        prometheus({"shop": urlsplit(url).netloc, "gone": f"127.0.0.1:{free_port()}"}) as base,
    ):
        yield exporter, base


def service(name: str, url: str = "", **more: Any) -> dict[str, Any]:
    source = {"prometheus": {"url": url, "selector": f'service="{name}"'}} if url else {}
    return {"name": name, "sources": source, **more}


async def samples(base: str, expr: str) -> int:
    async with httpx.AsyncClient(timeout=60) as client:
        answer = (await client.get(f"{base}/api/v1/query", params={"query": expr})).json()
    return int(float(answer["data"]["result"][0]["value"][1])) if answer["data"]["result"] else 0


async def scraped(base: str, times: int) -> None:
    async def enough() -> bool:
        return await samples(base, 'count_over_time(up{service="shop"}[5m])') >= times

    await until(enough, what=f"{times} scrapes", within_s=60)


@pytest.mark.server
async def test_a_new_version_that_fails_is_found_with_its_onset_and_its_split(context):
    async with watched() as (exporter, base):
        ctx = context(service("shop", base, depends_on=["gone"]), service("gone", base), timeout_s=60)
        await scraped(base, 14)
        calm = await anomalies(ctx, service="shop")
        ratio = await error_ratio(ctx, service="shop", window_s=5)
        counted = await query(ctx, service="shop", expr='count(up{service="shop"})', unit="targets")
        nothing = await query(ctx, service="shop", expr='sum(nothing{service="shop"})', empty="zero")
        with pytest.raises(ProbeUnavailableError, match="no data"):
            await query(ctx, service="shop", expr='sum(nothing{service="shop"})')
        with pytest.raises(ProbeGarbageError, match="2 series"):
            await query(ctx, service="shop", expr="up")
        scalar = await query(ctx, service="shop", expr='scalar(count(up{service="shop"}))')
        age = await query(ctx, service="shop", expr="time() - 1")
        with pytest.raises(ProbeUnavailableError, match=r"400: .*parse error"):
            await query(ctx, service="shop", expr="sum((")
        with pytest.raises(ProbeUnavailableError, match=r"422: .*duplicate series"):
            await query(ctx, service="shop", expr="up * on() up")
        with pytest.raises(ProbeGarbageError, match="'words' instead of a number"):
            await query(ctx, service="shop", expr="'words'")
        assert scalar.value == counted.value
        assert age.value > 0
        with pytest.raises(ProbeUnavailableError, match="no data"):
            await error_ratio(ctx, service="gone")
        firing = await alerts(ctx, service="gone")
        quiet = await alerts(ctx, service="shop")

        exporter.failing_share = {"1.4.1": 0.0, "1.4.2": 0.5}
        broke_at = ctx.clock.now()
        await scraped(base, 24)
        found = await anomalies(ctx, service="shop")
        picture = await decisive(ctx, service="shop", findings=list(found.items), onset=broke_at)
        by_version = {
            "by_version.errors": 'sum(rate(http_requests_total{version="$version",status="500"}[5s]))'
            ' / sum(rate(http_requests_total{version="$version"}[5s]))',
            "by_version.requests": 'sum(http_requests_total{version="$version"})',
            "by_version.failures": 'sum(http_requests_total{version="$version",status="500"})',
        }
        split = context(
            {"name": "shop", "sources": {"prometheus": {"url": base, **by_version}}}, timeout_s=10
        )
        both = await sides(split, service="shop", metric="errors", canary="1.4.2", stable="1.4.1")
        with pytest.raises(ProbeNotConfiguredError, match=r"by_version\.latency"):
            await sides(split, service="shop", metric="latency", canary="1.4.2", stable="1.4.1")
        counted_sides = await tallies(split, service="shop", canary="1.4.2", stable="1.4.1")
        with pytest.raises(ProbeUnavailableError, match="no requests of the canary"):
            await tallies(split, service="shop", canary="9.9.9", stable="1.4.1")
        uncounted = context(
            {
                "name": "shop",
                "sources": {
                    "prometheus": {"url": base, **by_version, "by_version.failures": "nothing_like_it"}
                },
            },
            timeout_s=60,
        )
        with pytest.raises(ProbeUnavailableError, match="no failures of the canary"):
            await tallies(uncounted, service="shop", canary="1.4.2", stable="1.4.1")
        unseen = await sides(split, service="shop", metric="errors", canary="9.9.9", stable="1.4.1")

    assert both.data["canary"] == pytest.approx(0.5, abs=0.05)
    assert both.data["stable"] == 0
    bad, good = counted_sides.data["canary"], counted_sides.data["stable"]
    assert bad["errors"] == pytest.approx(bad["requests"] / 2, rel=0.1)
    assert (good["errors"], good["requests"] > bad["requests"]) == (0, True)
    assert unseen.data["canary"] is None
    (panel,) = picture.data["chart"]["panels"]
    assert panel["unit"].endswith("%")
    assert max(value for _, value in panel["lines"][0]["points"] if value is not None) > 20
    assert [mark["text"] for mark in panel["marks"]] == ["problem started"]

    assert [f.kind for f in calm.items if f.service == "shop"] == []
    assert "shop: errors as usual" in calm.normal
    assert ratio.value == 0
    assert ratio.unit == "ratio"
    assert 'status=~"5.."' in ratio.query
    assert counted.value == 1
    assert counted.url.startswith(f"{base}/graph?g0.expr=count")
    assert nothing.value == 0
    assert firing.value == 1
    assert firing.text == "gone: NoAnswer firing"
    assert quiet.value == 0

    down = next(f for f in found.items if f.kind is FindingKind.SERVICE_DOWN)
    assert (down.service, down.data["all"]) == ("gone", True)
    rates = {f.component: f for f in found.items if f.kind is FindingKind.ERROR_RATE_UP}
    assert set(rates) == {"", "1.4.2"}
    assert rates["1.4.2"].evidence[0].value == pytest.approx(0.5, abs=0.05)
    assert rates[""].evidence[0].baseline == 0
    assert rates[""].evidence[0].unit == "ratio"
    assert rates["1.4.2"].data["versions"]["1.4.1"]["error_ratio"] == 0
    late_s = (rates[""].began_at - broke_at).total_seconds()
    assert -2 <= late_s <= 6


async def test_a_prometheus_that_hangs_is_unavailable_in_time(context):
    async with http_server({"/api/v1/query": hanging, "/api/v1/query_range": hanging}) as url:
        with pytest.raises(ProbeUnavailableError, match="did not answer within"):
            await anomalies(context(service("shop", url), timeout_s=0.5), service="shop")


async def test_a_neighbour_whose_prometheus_is_gone_is_a_gap(context):
    matrix = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    routes = {"/api/v1/query": answering(matrix), "/api/v1/query_range": answering(matrix)}
    async with http_server(routes) as url:
        ctx = context(
            service("shop", url, depends_on=["pay"]), service("pay", f"http://127.0.0.1:{free_port()}")
        )
        found = await anomalies(ctx, service="shop")
    assert found.items == ()
    assert found.gaps[0] == "shop: Prometheus has no series for it"
    assert found.gaps[1].startswith("pay: ")


async def test_one_question_that_cannot_be_answered_is_a_gap(context):
    async def answer(request: web.Request) -> web.Response:
        if "pool" in request.query["query"]:
            return web.json_response({"status": "error", "error": "many-to-many matching"}, status=422)
        return web.json_response({"status": "success", "data": {"result": []}})

    async with http_server({"/api/v1/query": answer, "/api/v1/query_range": answer}) as url:
        found = await anomalies(context(service("shop", url)), service="shop")
    assert "shop: pool could not be read" in found.gaps


@pytest.mark.parametrize(
    "garbage",
    [
        "<html>",
        "{}",
        '{"status": "success", "data": {"result": [{"values": [[1, "many"], [2, "x"]]}]}}',
        "[]",
    ],
)
async def test_an_answer_of_another_shape_is_garbage(context, garbage):
    routes = {
        "/api/v1/query": answering(garbage),
        "/api/v1/query_range": answering(garbage),
        "/api/v1/alerts": answering(garbage),
    }
    async with http_server(routes) as url:
        ctx = context(service("shop", url))
        with pytest.raises(ProbeGarbageError):
            await anomalies(ctx, service="shop")
        with pytest.raises(ProbeGarbageError):
            await alerts(ctx, service="shop")


async def test_a_500_is_unavailable(context):
    broken = answering({}, status=500)
    async with http_server({"/api/v1/query": broken, "/api/v1/alerts": broken}) as url:
        ctx = context(service("shop", url))
        for probe in (anomalies, alerts, error_ratio):
            with pytest.raises(ProbeUnavailableError, match="500"):
                await probe(ctx, service="shop")


@pytest.mark.parametrize("source", [{}, {"url": "http://127.0.0.1:1"}, {"selector": 'service="shop"'}])
async def test_without_url_and_selector_the_probe_is_not_configured(context, source):
    ctx = context({"name": "shop", "sources": {"prometheus": source}})
    with pytest.raises(ProbeNotConfiguredError):
        await anomalies(ctx, service="shop")


async def test_all_questions_go_out_at_once(context):
    waiting, all_there = 0, asyncio.Event()

    async def slow(_: web.Request) -> web.Response:
        nonlocal waiting
        waiting += 1
        if waiting > 10:
            all_there.set()
        if waiting > 1:  # the first alone tells how often Prometheus looks
            await all_there.wait()
        return web.json_response({"status": "success", "data": {"result": []}})

    async with http_server({"/api/v1/query": slow, "/api/v1/query_range": slow}) as url:
        await anomalies(context(service("shop", url), timeout_s=30), service="shop")
    assert waiting > 10


@pytest.mark.parametrize(
    ("login", "sent"),
    [
        ({"token": "t0k"}, "Bearer t0k"),
        ({"user": "ana", "password": "pw"}, "Basic YW5hOnB3"),
        ({}, None),
    ],
)
async def test_a_prometheus_that_wants_a_login_gets_the_catalogues(context, login, sent):
    seen = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("authorization"))
        return web.json_response({"status": "success", "data": {"result": [{"value": [0, "7"]}]}})

    async with http_server({"/api/v1/query": answer}) as url:
        entry = {"name": "shop", "sources": {"prometheus": {"url": url, **login}}}
        measured = await query(context(entry), service="shop", expr="up")
    assert (measured.value, seen) == (7.0, [sent])


async def test_a_login_in_the_address_is_sent_and_told_to_nobody(context):
    async with http_server({"/api/v1/query": answering("no", status=500)}) as url:
        with_login = url.replace("http://", "http://ana:secret@")
        with pytest.raises(ProbeUnavailableError) as failed:
            await query(context(service("shop", with_login)), service="shop", expr="up")
    assert "secret" not in f"{failed.value} {failed.value.hint}"
    one = answering({"status": "success", "data": {"result": [{"value": [0, "7"]}]}})
    async with http_server({"/api/v1/query": one}) as url:
        with_login = url.replace("http://", "http://ana:secret@")
        measured = await query(context(service("shop", with_login)), service="shop", expr="up")
    assert measured.url.startswith(f"{url}/graph?")


CASES = Path(__file__).parents[2] / "data" / "cases"
PARTS = [
    json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((CASES / "10-prometheus-warnings").glob("*.json"))
]
"""Answers of Thanos and VictoriaMetrics that report themselves as partial (see the README beside them)."""


@pytest.mark.parametrize("answer", PARTS, ids=["Thanos", "VictoriaMetrics"])
async def test_a_partial_answer_is_no_figure(context, answer):
    routes = {
        "/api/v1/query": answering(answer),
        "/api/v1/alerts": answering({**answer, "data": {"alerts": []}}),
    }
    queries = {"by_version.requests": "x", "by_version.failures": "y", "by_version.p99": "z"}
    async with http_server(routes) as url:
        entry = service("shop", url)
        entry["sources"]["prometheus"] |= queries
        ctx = context(entry)
        versions = {"canary": "2", "stable": "1"}
        for asked in (
            query(ctx, service="shop", expr="x"),
            query(ctx, service="shop", expr="x", empty="zero"),
            error_ratio(ctx, service="shop"),
            tallies(ctx, service="shop", **versions),
            sides(ctx, service="shop", metric="p99", **versions),
            alerts(ctx, service="shop"),
        ):
            with pytest.raises(ProbeUnavailableError, match="its answer is partial: "):
                await asked


@pytest.mark.parametrize("answer", PARTS, ids=["Thanos", "VictoriaMetrics"])
async def test_what_was_found_in_a_partial_answer_is_reported_as_partial(context, answer):
    matrix = {**answer, "data": {"resultType": "matrix", "result": []}}
    routes = {"/api/v1/query": answering(matrix), "/api/v1/query_range": answering(matrix)}
    async with http_server(routes) as url:
        found = await anomalies(context(service("shop", url)), service="shop")
    [partial] = found.partial
    assert partial.startswith("shop: only a part of the data was read (")
    assert partial in found.gaps
    assert found.normal == ()


async def test_a_remark_on_the_query_makes_no_answer_partial(context):
    remark = 'PromQL info: metric might not be a counter, name does not end in _total: "x"'
    whole = {"status": "success", "infos": [remark], "data": {"result": [{"value": [0, "7"]}]}}
    async with http_server({"/api/v1/query": answering(whole)}) as url:
        measured = await query(context(service("shop", url)), service="shop", expr="up")
    assert measured.value == 7


async def test_a_native_histogram_is_no_missing_data(context):
    histogram = {"count": "60", "sum": "6", "buckets": [[0, "0.1", "0.2", "60"]]}
    data = {"resultType": "vector", "result": [{"metric": {}, "histogram": [0, histogram]}]}
    async with http_server({"/api/v1/query": answering({"status": "success", "data": data})}) as url:
        with pytest.raises(ProbeUnavailableError, match="native histogram") as failed:
            await query(context(service("shop", url)), service="shop", expr="x")
    assert "histogram_quantile" in failed.value.hint


async def test_a_result_of_null_is_no_data(context):
    data = {"resultType": "vector", "result": None}
    async with http_server({"/api/v1/query": answering({"status": "success", "data": data})}) as url:
        with pytest.raises(ProbeUnavailableError, match="no data"):
            await query(context(service("shop", url)), service="shop", expr="x")
