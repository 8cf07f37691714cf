"""OpenTelemetry traces, one a run: from its journal, and from each worker for the time it owned it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.status import Status, StatusCode
from redis.exceptions import RedisError

from bot.adapters.observability.observed import Letting
from bot.domain.clock import Clock
from bot.domain.errors import BotError
from bot.domain.runs.event import Event, RunStarted
from bot.ports.journal import OwnedRun
from bot.views.exports.spans import TraceSpan, span_id, spans_of, trace_id

log = logging.getLogger(__name__)

Load = Callable[[str], Awaitable[tuple[Event, ...]]]

_SCOPE = InstrumentationScope("pilothouse")


@dataclass(frozen=True)
class _OwnedSpan:
    """The time for which this process owns a run."""

    epoch: int
    since: datetime


class Traces:
    """An observer of runs.  Ids are derived from the run's, so all workers add to one trace.

    The span of a worker's ownership is sent when the worker lets go; a worker that dies sends none.
    The rest, from the run down to its steps, is sent by the worker that ends the run, from the whole journal.
    """

    def __init__(self, processor: SpanProcessor, clock: Clock, *, load: Load, worker: str) -> None:
        """Send spans to ``processor``; ``load`` reads a journal, with what others wrote into it."""
        self._processor = processor
        self._clock = clock
        self._load = load
        self._sending: set[asyncio.Task[None]] = set()
        self._resource = Resource.create({"service.name": "pilothouse", "service.instance.id": worker})
        self._carried: dict[str, _OwnedSpan] = {}

    def started(self, run_id: str, event: RunStarted) -> None:
        """Ignore it: the trace begins when a worker takes the run."""

    def taken(self, run_id: str, taken: OwnedRun) -> None:
        """Remember since when this process owns the run."""
        self._carried[run_id] = _OwnedSpan(taken.epoch, self._clock.now())

    def wrote(self, run_id: str, events: Sequence[Event]) -> None:
        """Ignore it: events are sent when the run has ended."""

    def let_go(self, run_id: str, how: Letting) -> None:
        """Send the span of this process's ownership and, if the run has ended, all the rest."""
        carried = self._carried.pop(run_id, None)
        if carried is None:
            return
        self._send(run_id, _delivery(run_id, carried, how=how, ended=self._clock.now()))
        if how == "finished":
            task = asyncio.create_task(self._send_all(run_id))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def settled(self) -> None:
        """Wait until every ended run has been sent."""
        await asyncio.gather(*self._sending)

    async def aclose(self) -> None:
        """Send what has not been sent yet."""
        await self.settled()
        await asyncio.to_thread(self._processor.shutdown)

    async def _send_all(self, run_id: str) -> None:
        try:
            events = await self._load(run_id)
        except (BotError, RedisError, OSError) as error:
            log.warning("trace_not_told", extra={"run_id": run_id, "error": type(error).__name__})
            return
        for span in spans_of(run_id, events):
            self._send(run_id, span)

    def _send(self, run_id: str, span: TraceSpan) -> None:
        self._processor.on_end(
            ReadableSpan(
                name=span.name,
                context=_context(run_id, span.id),
                parent=None if span.parent is None else _context(run_id, span.parent),
                resource=self._resource,
                attributes=span.attributes,
                status=Status(StatusCode.ERROR if span.bad else StatusCode.UNSET),
                start_time=_ns(span.began),
                end_time=_ns(span.ended),
                instrumentation_scope=_SCOPE,
            )
        )


def _delivery(run_id: str, carried: _OwnedSpan, *, how: Letting, ended: datetime) -> TraceSpan:
    return TraceSpan(
        id=span_id(run_id, "delivery", carried.epoch),
        parent=span_id(run_id),
        name="carried",
        began=carried.since,
        ended=max(ended, carried.since),
        attributes={"pilothouse.epoch": carried.epoch, "pilothouse.let_go": how},
    )


def _context(run_id: str, span: int) -> SpanContext:
    return SpanContext(trace_id(run_id), span, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _ns(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000


def otlp_traces(url: str, clock: Clock, *, load: Load, worker: str) -> Traces:
    """Return traces that go to an OTLP/HTTP collector, in batches, from a thread of their own."""
    return Traces(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)), clock, load=load, worker=worker)
