"""Reads the spans of traces spread over a time window from Jaeger or Tempo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import AliasChoices, BaseModel, Field, ValidationError

from bot.diagnosis.signals.trace_span import CallSpan
from bot.domain.errors import ProbeGarbageError
from bot.engine.plugins import Context
from bot.probes._shared.json_api import Source, fetch, together

_SLICES = 8
_JAEGER_TRACES = 40
_TEMPO_TRACES = 5
_SHARE = 0.4
_MICRO = 1_000_000
_NANO = 1_000_000_000
_PEERS = ("peer.service", "db.system", "db.system.name", "server.address", "net.peer.name")
_CALLS = frozenset({"client", "producer", "SPAN_KIND_CLIENT", "SPAN_KIND_PRODUCER", "3", "4"})
_ERRORS = frozenset({"STATUS_CODE_ERROR", "2", "ERROR"})


class _Tag(BaseModel):
    key: str
    value: Any = None


class _Reference(BaseModel):
    span: str = Field(validation_alias="spanID")
    kind: str = Field(default="CHILD_OF", validation_alias="refType")


class _Process(BaseModel):
    name: str = Field(validation_alias="serviceName")


class _JaegerSpan(BaseModel):
    trace: str = Field(validation_alias="traceID")
    id: str = Field(validation_alias="spanID")
    name: str = Field(validation_alias="operationName")
    references: list[_Reference] = Field(default_factory=list)
    start_us: int = Field(validation_alias="startTime")
    took_us: int = Field(validation_alias="duration", ge=0)
    tags: list[_Tag] = Field(default_factory=list)
    process: str = Field(validation_alias="processID")


class _JaegerTrace(BaseModel):
    spans: list[_JaegerSpan]
    processes: dict[str, _Process]


class _Jaeger(BaseModel):
    data: list[_JaegerTrace]


class _Status(BaseModel):
    code: str | int = 0


class _OtlpSpan(BaseModel):
    trace: str = Field(validation_alias="traceId")
    id: str = Field(validation_alias="spanId")
    parent: str = Field(default="", validation_alias="parentSpanId")
    name: str = ""
    kind: str | int = ""
    start_ns: int = Field(validation_alias="startTimeUnixNano")
    end_ns: int = Field(validation_alias="endTimeUnixNano")
    attributes: list[_Tag] = Field(default_factory=list)
    status: _Status = Field(default_factory=_Status)


class _Scope(BaseModel):
    spans: list[_OtlpSpan] = Field(default_factory=list)


class _Resource(BaseModel):
    attributes: list[_Tag] = Field(default_factory=list)


class _Batch(BaseModel):
    resource: _Resource
    scopes: list[_Scope] = Field(
        validation_alias=AliasChoices("scopeSpans", "instrumentationLibrarySpans"), default_factory=list
    )


class _Otlp(BaseModel):
    batches: list[_Batch] = Field(validation_alias=AliasChoices("batches", "resourceSpans"))


class _Hit(BaseModel):
    trace: str = Field(validation_alias="traceID")


class _SearchResult(BaseModel):
    traces: list[_Hit] | None


async def jaeger(ctx: Context, source: Source, name: str, *, start_s: float, end_s: float) -> list[CallSpan]:
    """Return the spans of at most 320 traces of a service, an eighth from each part of the window.

    Raises:
        ProbeUnavailableError: Jaeger cannot be read.
        ProbeGarbageError: the server is not Jaeger.
    """

    async def ask(start_s: float, end_s: float) -> list[CallSpan]:
        params = {
            "service": name,
            "start": str(round(start_s * _MICRO)),
            "end": str(round(end_s * _MICRO)),
            "limit": str(_JAEGER_TRACES),
        }
        url = f"{source['jaeger'].rstrip('/')}/api/traces"
        answer = await fetch(ctx, url, name="Jaeger", source=source, params=params)
        try:
            return [span for trace in _Jaeger.model_validate(answer).data for span in _of_jaeger(trace)]
        except (ValidationError, KeyError) as error:
            raise ProbeGarbageError("The server did not answer as Jaeger does.") from error

    parts = await together(ask(*part) for part in _slices(start_s, end_s))
    return [span for part in parts for span in part]


async def tempo(ctx: Context, source: Source, name: str, *, start_s: float, end_s: float) -> list[CallSpan]:
    """Return the spans of at most 40 traces of a service, an eighth from each part of the window.

    Raises:
        ProbeUnavailableError: Tempo cannot be read.
        ProbeGarbageError: the server is not Tempo.
    """
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')

    async def search(start_s: float, end_s: float) -> list[str]:
        params = {
            "q": f'{{resource.service.name="{quoted}"}}',
            "start": str(int(start_s)),
            "end": str(int(end_s) + 1),
            "limit": str(_TEMPO_TRACES),
        }
        answer = await _tempo(ctx, source, "/api/search", params)
        try:
            return [hit.trace for hit in _SearchResult.model_validate(answer).traces or ()]
        except ValidationError as error:
            raise ProbeGarbageError("The server did not answer a search as Tempo does.") from error

    async def ask(trace: str) -> list[CallSpan]:
        answer = await _tempo(ctx, source, f"/api/traces/{trace}", {})
        try:
            return [span for batch in _Otlp.model_validate(answer).batches for span in _of_otlp(batch)]
        except ValidationError as error:
            raise ProbeGarbageError("The server did not return a trace as Tempo does.") from error

    found = await together(search(*part) for part in _slices(start_s, end_s))
    traces = dict.fromkeys(trace for part in found for trace in part if trace.isalnum())
    parts = await together(ask(trace) for trace in traces)
    return [span for part in parts for span in part]


async def _tempo(ctx: Context, source: Source, path: str, params: Mapping[str, str]) -> object:
    headers = {"Accept": "application/json"}
    if source.get("tenant"):
        headers["X-Scope-OrgID"] = source["tenant"]
    url = f"{source['tempo'].rstrip('/')}{path}"
    answer: object = await fetch(
        ctx, url, name="Tempo", source=source, params=params or None, headers=headers, share=_SHARE
    )
    return answer


def _slices(start_s: float, end_s: float) -> list[tuple[float, float]]:
    """Return equal parts of the window: a store returns its latest traces first, maybe of one second."""
    width_s = (end_s - start_s) / _SLICES
    return [(start_s + n * width_s, start_s + (n + 1) * width_s) for n in range(_SLICES)]


def _of_jaeger(trace: _JaegerTrace) -> Iterator[CallSpan]:
    for span in trace.spans:
        tags = _tags(span.tags)
        parents = [each.span for each in span.references if each.kind == "CHILD_OF"]
        yield CallSpan(
            trace=span.trace,
            id=span.id,
            parent=parents[0] if parents else "",
            service=trace.processes[span.process].name,
            name=span.name,
            start_s=span.start_us / _MICRO,
            took_s=span.took_us / _MICRO,
            failed=tags.get("error", "").lower() == "true" or tags.get("otel.status_code") in _ERRORS,
            peer=_peer(tags, kind=tags.get("span.kind", "")),
        )


def _of_otlp(batch: _Batch) -> Iterator[CallSpan]:
    service = _tags(batch.resource.attributes).get("service.name", "")
    for span in (span for scope in batch.scopes for span in scope.spans):
        tags = _tags(span.attributes)
        yield CallSpan(
            trace=span.trace,
            id=span.id,
            parent=span.parent,
            service=service,
            name=span.name,
            start_s=span.start_ns / _NANO,
            took_s=max(0, span.end_ns - span.start_ns) / _NANO,
            failed=str(span.status.code) in _ERRORS,
            peer=_peer(tags, kind=str(span.kind)),
        )


def _tags(tags: Sequence[_Tag]) -> dict[str, str]:
    """Return tags as text; OTLP wraps a value in its type."""
    bare = ((t.key, next(iter(t.value.values()), "") if isinstance(t.value, dict) else t.value) for t in tags)
    return {key: str(value) for key, value in bare}


def _peer(tags: Mapping[str, str], *, kind: str) -> str:
    if kind not in _CALLS:
        return ""
    return next((tags[key] for key in _PEERS if tags.get(key)), "")
