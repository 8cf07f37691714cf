"""Reads from Burrow how far Kafka's consumer groups lag, whether they catch up, and which are stuck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeUnavailableError
from bot.domain.formatting import duration, listed
from bot.domain.model import JsonObject, JsonValue
from bot.engine.plugins import Context, probe
from bot.probes._shared.json_api import Source, fetch, field, together

_MOST_GROUPS = 50
_MOST_SHOWN = 10
_STATUS_TEXT = {
    "STOP": "has stopped committing in",
    "STALL": "is stuck in",
    "REWIND": "went back to an earlier offset in",
    "WARN": "is falling behind in",
}
"""Burrow's statuses of a partition: https://github.com/linkedin/Burrow/wiki/Consumer-Lag-Evaluation-Rules."""
_STOPPED = "STOP"


class Offset(BaseModel):
    """A committed offset: ``timestamp`` in milliseconds since the epoch; ``lag`` in messages."""

    offset: int
    timestamp: int
    lag: int | None = None


class Partition(BaseModel):
    """One partition that a group reads; ``start`` and ``end`` are of the last ten or so commits."""

    topic: str
    partition: int
    status: str
    lag: int = Field(default=0, validation_alias="current_lag")
    start: Offset | None = None
    end: Offset | None = None

    @property
    def name(self) -> str:
        """The partition as ``topic/number``."""
        return f"{self.topic}/{self.partition}"


class ConsumerGroup(BaseModel):
    """One consumer group."""

    group: str
    status: str
    partitions: list[Partition]
    lag: int = Field(validation_alias="totallag")

    def fetched_per_s(self) -> float | None:
        """Return the messages consumed per second; ``None`` if no partition has two commits."""
        rates = [(end.offset - start.offset) / seconds for start, end, seconds in self._windows()]
        return sum(rates) if rates else None

    def grows_per_s(self) -> float | None:
        """Return by how many messages per second the lag grows (negative: shrinks); ``None`` if unknown."""
        rates = [
            (end.lag - start.lag) / seconds
            for start, end, seconds in self._windows()
            if start.lag is not None and end.lag is not None
        ]
        return sum(rates) if rates else None

    def _windows(self) -> Iterator[tuple[Offset, Offset, float]]:
        """Yield the first commit, the last one and the seconds between, for partitions still committing."""
        for each in self.partitions:
            if each.start and each.end and each.status != _STOPPED:
                seconds = (each.end.timestamp - each.start.timestamp) / 1000
                if seconds > 0:
                    yield each.start, each.end, seconds


class _Groups(BaseModel):
    consumers: list[str]


class _Answer(BaseModel):
    status: ConsumerGroup


@probe(specialist="queues")
async def lag(ctx: Context, *, service: str) -> Measurement:
    """How many messages behind the service's Kafka consumer group with the largest lag is.

    Asks Burrow at ``url`` of the service's ``kafka`` source for the consumer groups of ``cluster`` (its name
    in Burrow) whose names match ``groups`` (``*`` allowed; default all; the first 50 by name).  ``data``
    holds the ten ``groups`` that lag most with their ``lag``, ``status``, ``worst`` partition and its lag,
    ``fetched_per_s`` and ``grows_per_s`` (messages a second over the last commits; negative while it catches
    up, null if not known), the ``total`` and the ``problems``: partitions that are stuck, that have stopped
    committing, or in which the group falls behind or went back to an earlier offset, as Burrow reports.

    Raises:
        ProbeNotConfiguredError: the service has no ``kafka`` source with ``url`` and ``cluster``.
        ProbeUnavailableError: Burrow cannot be read, or has no such cluster or group; that is not a lag of 0.
        ProbeGarbageError: the server is not Burrow.
    """
    source = ctx.source(service, "kafka")
    base = field(source, "url", kind="kafka", service=service).rstrip("/")
    cluster = quote(field(source, "cluster", kind="kafka", service=service), safe="")
    consumers = f"{base}/v3/kafka/{cluster}/consumer"
    pattern = source.get("groups", "*")
    names = await _names(ctx, source, consumers)
    wanted = sorted(name for name in names if fnmatchcase(name, pattern))[:_MOST_GROUPS]
    if not wanted:
        raise ProbeUnavailableError(f"Burrow has no consumer group called `{pattern}`.")
    groups = await together(_group(ctx, source, f"{consumers}/{quote(name, safe='')}") for name in wanted)
    groups.sort(key=lambda group: (-group.lag, group.group))
    problems = problems_of(groups)
    text = f"{service}: {behind(groups[0])}"
    return Measurement(
        value=float(groups[0].lag),
        unit="messages",
        at=ctx.clock.now(),
        text=f"{text}; {listed(problems, most=4)}" if problems else text,
        data={
            "groups": list[JsonValue](_group_data(group) for group in groups[:_MOST_SHOWN]),
            "total": sum(group.lag for group in groups),
            "problems": list[JsonValue](problems),
        },
    )


def behind(group: ConsumerGroup) -> str:
    """Return how far a group is behind, and whether it catches up, as text; pure."""
    text = f"{group.group} is {group.lag:,} messages behind"
    grows = group.grows_per_s()
    if not group.lag or grows is None:
        return text
    if grows < 0:
        return f"{text} and catches up in {duration(group.lag / -grows)}"
    return f"{text}, growing by {grows:.3g} a second" if grows else text


def problems_of(groups: Sequence[ConsumerGroup]) -> list[str]:
    """Return the problems that Burrow reports, by group and then by status; pure."""
    problems = []
    for group in groups:
        for status, text in _STATUS_TEXT.items():
            partitions = [each.name for each in group.partitions if each.status == status]
            if partitions:
                problems.append(f"{group.group} {text} {listed(partitions, most=4)}")
    return problems


async def _names(ctx: Context, source: Source, consumers: str) -> list[str]:
    answer = await fetch(ctx, consumers, name="Burrow", source=source)
    try:
        return _Groups.model_validate(answer).consumers
    except ValidationError as error:
        raise ProbeGarbageError("The server did not answer as Burrow does.") from error


async def _group(ctx: Context, source: Source, url: str) -> ConsumerGroup:
    answer = await fetch(ctx, f"{url}/lag", name="Burrow", source=source)
    try:
        return _Answer.model_validate(answer).status
    except ValidationError as error:
        raise ProbeGarbageError("The server did not answer as Burrow does.") from error


def _group_data(group: ConsumerGroup) -> JsonObject:
    worst = max(group.partitions, key=lambda each: each.lag, default=None)
    return {
        "name": group.group,
        "lag": group.lag,
        "status": group.status,
        "worst": worst.name if worst else "",
        "worst_lag": worst.lag if worst else 0,
        "fetched_per_s": group.fetched_per_s(),
        "grows_per_s": group.grows_per_s(),
    }
