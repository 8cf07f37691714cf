"""Traces of Jaeger and Tempo, against a server that answers in the documented shapes.

Jaeger: https://www.jaegertracing.io/docs/latest/architecture/apis/ (``/api/traces``, as its own UI reads it).
Tempo: https://grafana.com/docs/tempo/latest/api_docs/ (``/api/search``, ``/api/traces``: OTLP as JSON).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from bot.domain.diagnoses.finding import FindingKind
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.probes.traces.probes import spans
from tests.support.servers import answering, free_port, hanging, http_server

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
END_S = NOW.timestamp()
TOOK_S = {number: 0.9 if number < 60 else 0.02 for number in range(0, 1800, 6)}
"""How long pay works on a request, by how many seconds ago it was."""


class Stopped:
    def now(self) -> datetime:
        return NOW


def jaeger_trace(ago_s: int) -> dict[str, Any]:
    start_us, took_us = round((END_S - ago_s - 1) * 1e6), round(TOOK_S[ago_s] * 1e6)
    plain = {"traceID": f"a{ago_s}", "startTime": start_us, "logs": []}
    return {
        "traceID": f"a{ago_s}",
        "spans": [
            {
                **plain,
                "spanID": "1",
                "operationName": "POST /buy",
                "duration": took_us,
                "processID": "p1",
                "tags": [],
            },
            {
                **plain,
                "spanID": "2",
                "operationName": "POST /pay",
                "references": [{"refType": "CHILD_OF", "traceID": f"a{ago_s}", "spanID": "1"}],
                "duration": took_us,
                "processID": "p2",
                "tags": [{"key": "error", "type": "bool", "value": ago_s < 60}],
            },
        ],
        "processes": {"p1": {"serviceName": "shop-web"}, "p2": {"serviceName": "pay"}},
    }


class Jaeger:
    def __init__(self) -> None:
        self.asked: list[web.Request] = []

    async def traces(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        start_s, end_s = (int(request.query[key]) / 1e6 for key in ("start", "end"))
        found = [ago for ago in TOOK_S if start_s <= END_S - ago - 1 < end_s]
        data = [jaeger_trace(ago) for ago in found[: int(request.query["limit"])]]
        mine = request.query["service"] == "shop-web"
        return web.json_response({"data": data if mine else [], "total": 0, "errors": None})


async def search(request: web.Request) -> web.Response:
    assert request.query["q"] == '{resource.service.name="shop-web"}'
    start_s, end_s = int(request.query["start"]), int(request.query["end"])
    found = [ago for ago in TOOK_S if start_s <= END_S - ago - 1 < end_s][: int(request.query["limit"])]
    return web.json_response(
        {"traces": [{"traceID": f"b{ago}", "rootServiceName": "shop-web"} for ago in found]}
    )


async def trace(request: web.Request) -> web.Response:
    ago_s = int(request.match_info["trace"][1:])
    start_ns = round((END_S - ago_s - 1) * 1e9)
    end_ns = start_ns + round(TOOK_S[ago_s] * 1e9)
    times = {"traceId": "x" + str(ago_s), "startTimeUnixNano": str(start_ns), "endTimeUnixNano": str(end_ns)}

    def batch(service: str, **span: Any) -> dict[str, Any]:
        named = [{"key": "service.name", "value": {"stringValue": service}}]
        return {
            "resource": {"attributes": named},
            "scopeSpans": [{"scope": {}, "spans": [{**times, **span}]}],
        }

    failed = {"code": "STATUS_CODE_ERROR"} if ago_s < 60 else {}
    batches = [
        batch("shop-web", spanId="MQ==", name="POST /buy", kind="SPAN_KIND_SERVER"),
        batch(
            "pay",
            spanId="Mg==",
            parentSpanId="MQ==",
            name="POST /pay",
            kind="SPAN_KIND_SERVER",
            status=failed,
        ),
    ]
    return web.json_response({"batches": batches})


def shop(**source: str) -> list[dict[str, Any]]:
    return [
        {"name": "shop", "depends_on": ["pay"], "sources": {"traces": {"service": "shop-web", **source}}},
        {"name": "pay"},
    ]


async def test_jaeger_is_asked_in_slices_and_the_one_to_blame_is_named_as_in_the_catalogue(context):
    server = Jaeger()
    async with http_server({"/api/traces": server.traces}) as url:
        ctx = context(*shop(jaeger=f"{url}/", token="hunter2"), clock=Stopped())
        found = await spans(ctx, service="shop")
    assert [(f.kind, f.service) for f in found.items] == [
        (FindingKind.ERROR_RATE_UP, "pay"),
        (FindingKind.LATENCY_UP, "pay"),
    ]
    assert found.normal == ("shop: no operation fails or has a longer self time than before",)
    assert found.looked_at == "600 spans in 300 traces of shop over 30 min"
    assert len(server.asked) == 8
    assert server.asked[0].headers["Authorization"] == "Bearer hunter2"


async def test_tempo_is_searched_in_slices_and_its_traces_are_read(context):
    async with http_server({"/api/search": search, "/api/traces/{trace}": trace}) as url:
        found = await spans(context(*shop(tempo=url), clock=Stopped()), service="shop", since_s=480)
    assert [(f.kind, f.service) for f in found.items] == [
        (FindingKind.ERROR_RATE_UP, "pay"),
        (FindingKind.LATENCY_UP, "pay"),
    ]
    assert found.looked_at == "80 spans in 40 traces of shop over 8 min"


async def test_no_trace_at_all_is_a_gap_and_not_calm(context):
    empty = {"/j/api/traces": answering({"data": []}), "/t/api/search": answering({"traces": None})}
    async with http_server(empty) as url:
        for source in ({"jaeger": f"{url}/j"}, {"tempo": f"{url}/t"}):
            found = await spans(context(*shop(**source), clock=Stopped()), service="shop")
            assert (found.items, found.normal, found.gaps) == ((), (), ("shop: no trace was found",))


async def test_a_store_that_is_away_silent_or_locked_is_unavailable_and_no_secret_is_told(context):
    routes = {f"/hangs{path}": hanging for path in ("/api/traces", "/api/search")}
    routes |= {f"/locked{path}": answering({}, status=401) for path in ("/api/traces", "/api/search")}
    async with http_server(routes) as url:
        for address, said in (
            (f"http://bot:hunter2@127.0.0.1:{free_port()}", "the connection is refused"),
            (f"{url}/hangs", "did not answer within"),
            (f"{url}/locked", "denied the bot access"),
        ):
            for make in ("jaeger", "tempo"):
                ctx = context(*shop(**{make: address}), timeout_s=0.2 if "within" in said else 30)
                with pytest.raises(ProbeUnavailableError, match=said) as failed:
                    await spans(ctx, service="shop")
                assert "hunter" not in str(failed.value)


@pytest.mark.parametrize("said", ["<html>", "[]", '{"data": [{}]}', '{"traces": 3}'])
async def test_what_is_no_trace_store_is_garbage(context, said):
    async with http_server({"/api/traces": answering(said), "/api/search": answering(said)}) as url:
        for make in ("jaeger", "tempo"):
            with pytest.raises(ProbeGarbageError):
                await spans(context(*shop(**{make: url})), service="shop")


@pytest.mark.parametrize("service", [{"name": "shop"}, shop()[0] | {"depends_on": []}])
async def test_without_an_address_it_is_not_configured(context, service):
    with pytest.raises(ProbeNotConfiguredError):
        await spans(context(service), service="shop")
