"""Reads a service's lines from Elasticsearch or OpenSearch; if there are too many, only its errors."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from bot.diagnosis.signals.loglines import ParsedLine, of_document
from bot.diagnosis.signals.logs import LogRead
from bot.domain.catalogue import Service
from bot.domain.errors import ProbeGarbageError
from bot.domain.model import JsonObject, JsonValue
from bot.domain.wording import clock_time, moment
from bot.engine.plugins import Context
from bot.probes._shared.json_api import Source, fetch, field
from bot.probes._shared.partial_answer import in_words, missing_of
from bot.probes.logs.counts import FIRST_SHARE, MOST_LINES, Bin, bin_s, moments
from bot.probes.logs.files import is_partial, refuse_garbage, unread_of

_TIME = "@timestamp"
_LEVELS = "error OR ERROR OR Error OR fatal OR FATAL OR critical OR CRITICAL OR panic OR SEVERE"
ERRORS = f"log.level:({_LEVELS}) OR level:({_LEVELS}) OR severity:({_LEVELS})"
"""The default query for documents of errors, if the catalogue has none."""

_FIELDS = (
    *(_TIME, "timestamp", "ts", "time", "log*", "level*", "severity*", "lvl", "PRIORITY", "message*"),
    *(
        "MESSAGE",
        "msg",
        "event",
        "event.message",
        "short_message",
        "textPayload",
        "jsonPayload.*",
        "fields.*",
    ),
    *("body*", "line", "stream", "error*", "exception*", "exc_info", "err*", "stack_trace", "version"),
    *("service.version", "app_version", "dependency", "peer", "upstream", "target"),
)
_MILLI = 1000


class _Hit(BaseModel):
    source: dict[str, Any] = Field(validation_alias="_source")


class _Hits(BaseModel):
    hits: list[_Hit]


class _Bucket(BaseModel):
    key: float
    doc_count: int


class _Buckets(BaseModel):
    buckets: list[_Bucket] = Field(default_factory=list)


class _Aggregations(BaseModel):
    over_time: _Buckets = Field(default_factory=_Buckets)


class _Answer(BaseModel):
    timed_out: bool
    shards: dict[str, Any] = Field(validation_alias="_shards")
    hits: _Hits
    aggregations: _Aggregations = Field(default_factory=_Aggregations)
    missing: tuple[str, ...] = ()
    """Why the answer is only a part of the data."""


async def read(ctx: Context, entry: Service, *, start_s: float, end_s: float) -> tuple[LogRead, list[str]]:
    """Return a service's documents between two times (seconds since the epoch), and what was not read.

    Raises:
        ProbeNotConfiguredError: the ``elastic`` source has no ``index``.
        ProbeUnavailableError: the server cannot be read.
        ProbeGarbageError: the server is not Elasticsearch, or most documents have no time.
    """
    source = entry.sources["elastic"]
    field(source, "index", kind="elastic", service=entry.name)
    query = source.get("query", "*")
    answer = await _search(ctx, source, query, start_s=start_s, end_s=end_s)
    lines, gaps, partial = _lines(answer)
    if len(answer.hits.hits) < MOST_LINES:
        return LogRead(
            service=entry.name, lines=lines, start_s=start_s, end_s=end_s, path=query, partial=partial
        ), gaps
    query = f"({query}) AND ({source.get('errors', ERRORS)})"
    answer = await _search(ctx, source, query, start_s=start_s, end_s=end_s, count=True)
    lines, gaps, partial = _lines(answer)
    cut = len(answer.hits.hits) >= MOST_LINES
    covered_s = lines[0].at_s if cut and lines else start_s
    limit = f"there are more than {MOST_LINES} lines, so only errors were read"
    since = f", since {clock_time(moment(covered_s))}; older ones were only counted" if cut else ""
    width_s = bin_s(start_s, end_s)
    share = sum(line.is_error for line in lines) / max(1, len(lines))
    return LogRead(
        service=entry.name,
        lines=lines,
        start_s=covered_s,
        end_s=end_s,
        path=query,
        error_times_s=moments(_bins(answer, width_s=width_s), width_s=width_s, share=share) if cut else (),
        counted_from_s=start_s,
        partial=partial,
    ), [*gaps, f"{limit}{since}"]


def _bins(answer: _Answer, *, width_s: float) -> list[Bin]:
    return [(each.key / _MILLI + width_s, each.doc_count) for each in answer.aggregations.over_time.buckets]


def _lines(answer: _Answer) -> tuple[list[ParsedLine], list[str], str]:
    """Return the lines, what was not read, and why that cannot prove a quiet log (empty if it can)."""
    read = [of_document(hit.source) for hit in answer.hits.hits]
    lines = sorted((line for line in read if line is not None), key=lambda line: line.at_s)
    unread = len(read) - len(lines)
    refuse_garbage(good=len(lines), unread=unread)
    gaps = [unread_of(good=len(lines), unread=unread)] if unread else []
    partial = gaps[0] if is_partial(good=len(lines), unread=unread) else ""
    if answer.missing:
        gaps.append(in_words(answer.missing))
        partial = gaps[-1]
    return lines, gaps, partial


async def _search(
    ctx: Context, source: Source, query: str, *, start_s: float, end_s: float, count: bool = False
) -> _Answer:
    window: JsonObject = {
        "gte": round(start_s * _MILLI),
        "lte": round(end_s * _MILLI),
        "format": "epoch_millis",
    }
    body: JsonObject = {
        "size": MOST_LINES,
        "track_total_hits": False,
        "sort": [{_TIME: {"order": "desc", "unmapped_type": "date"}}],
        "_source": list[JsonValue](_FIELDS),
        "query": {"bool": {"filter": [{"range": {_TIME: window}}, {"query_string": {"query": query}}]}},
    }
    if count:
        interval = f"{bin_s(start_s, end_s)}s"
        body["aggs"] = {"over_time": {"date_histogram": {"field": _TIME, "fixed_interval": interval}}}
    headers = {"Authorization": f"ApiKey {source['api_key']}"} if source.get("api_key") else None
    index = quote(source["index"], safe="*,-.")
    answer = await fetch(
        ctx,
        f"{source['url'].rstrip('/')}/{index}/_search",
        name="Elasticsearch",
        source=source,
        headers=headers,
        body=body,
        share=FIRST_SHARE,
    )
    try:
        return _Answer.model_validate(answer).model_copy(update={"missing": missing_of(answer)})
    except ValidationError as error:
        raise ProbeGarbageError("The server did not answer as Elasticsearch does.") from error
