"""Small Loki and Elasticsearch that hold lines and answer the questions of their documented interfaces.

Loki: https://grafana.com/docs/loki/latest/reference/loki-http-api/ (``query_range``: streams, matrix, limit, direction).
Elasticsearch: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-search (range, size, date_histogram).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

NANO = 1_000_000_000
_FILTER = re.compile(r'\|~ "((?:[^"\\]|\\.)*)"')
_COUNT = re.compile(r"^sum\(count_over_time\((.*) \[(\d+)s\]\)\)$")


@dataclass(kw_only=True)
class Loki:
    """Holds lines (seconds since the epoch, text) of one stream; other selectors have none."""

    selector: str
    lines: Sequence[tuple[float, str]]
    labels: Mapping[str, str] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)

    async def query_range(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        query, start_s, end_s = (
            request.query["query"],
            *(int(request.query[k]) / NANO for k in ("start", "end")),
        )
        counting = _COUNT.match(query)
        if counting:
            width_s = int(counting[2])
            assert int(request.query["step"]) == width_s
            ends = range(int(start_s), int(end_s) + 1, width_s)
            times = [at_s for at_s, _ in self._matching(counting[1])]
            counts = [(end, sum(end - width_s < at_s <= end for at_s in times)) for end in ends]
            values = [[end, str(count)] for end, count in counts if count]
            return self._answer("matrix", [{"metric": {}, "values": values}] if values else [])
        found = [line for line in self._matching(query) if start_s <= line[0] < end_s]
        assert request.query["direction"] == "backward"
        found = sorted(found, reverse=True)[: int(request.query["limit"])]
        values = [[str(round(at_s * NANO)), text] for at_s, text in found]
        return self._answer("streams", [{"stream": dict(self.labels), "values": values}] if values else [])

    def _matching(self, query: str) -> list[tuple[float, str]]:
        if not query.startswith(self.selector):
            return []
        patterns = [re.compile(found) for found in _FILTER.findall(query)]
        return [line for line in self.lines if all(pattern.search(line[1]) for pattern in patterns)]

    def _answer(self, kind: str, result: list[dict[str, Any]]) -> web.Response:
        return web.json_response(
            {"status": "success", "data": {"resultType": kind, "result": result, "stats": {}}}
        )


@dataclass(kw_only=True)
class Elastic:
    """Holds documents with ``@timestamp`` in milliseconds; a query with ``level`` in it asks for errors alone."""

    documents: Sequence[Mapping[str, Any]]
    failed_shards: int = 0
    asked: list[tuple[web.Request, Any]] = field(default_factory=list)

    async def search(self, request: web.Request) -> web.Response:
        body = json.loads(await request.text())
        self.asked.append((request, body))
        window, words = body["query"]["bool"]["filter"]
        limits = window["range"]["@timestamp"]
        found = [
            d for d in self.documents if limits["gte"] <= d.get("@timestamp", limits["gte"]) <= limits["lte"]
        ]
        if "log.level" in words["query_string"]["query"]:
            found = [d for d in found if d["log"]["level"] == "error"]
        found.sort(key=lambda d: -d.get("@timestamp", 0))
        answer: dict[str, Any] = {
            "took": 1,
            "timed_out": False,
            "_shards": {"total": 2, "successful": 2 - self.failed_shards, "failed": self.failed_shards},
            "hits": {"max_score": None, "hits": [{"_id": "x", "_source": d} for d in found[: body["size"]]]},
        }
        if "aggs" in body:
            width_ms = (
                int(body["aggs"]["over_time"]["date_histogram"]["fixed_interval"].removesuffix("s")) * 1000
            )
            counts = Counter(d["@timestamp"] // width_ms * width_ms for d in found)
            buckets = [{"key": key, "doc_count": count} for key, count in sorted(counts.items())]
            answer["aggregations"] = {"over_time": {"buckets": buckets}}
        return web.json_response(answer)
