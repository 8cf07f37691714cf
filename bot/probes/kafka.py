"""Reads from Burrow how far Kafka's consumer groups are behind, if they catch up, and where one is stuck."""

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
_SAID = {
    "STOP": "commits nothing any more in",
    "STALL": "is stuck in",
    "REWIND": "went back in",
    "WARN": "falls behind in",
}
"""Burrow's words for a partition: https://github.com/linkedin/Burrow/wiki/Consumer-Lag-Evaluation-Rules."""
_STOPPED = "STOP"


class Offset(BaseModel):
    """What was committed when: ``timestamp`` in milliseconds since the epoch; ``lag`` in messages."""

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
        """The partition as people write it."""
        return f"{self.topic}/{self.partition}"


class ConsumerGroup(BaseModel):
    """One consumer group."""

    group: str
    status: str
    partitions: list[Partition]
    lag: int = Field(validation_alias="totallag")

    def fetched_per_s(self) -> float | None:
        """Messages a second that were done; none where nothing was committed twice."""
        rates = [(end.offset - start.offset) / seconds for start, end, seconds in self._windows()]
        return sum(rates) if rates else None

    def grows_per_s(self) -> float | None:
        """Messages a second by which the lag grows, or shrinks if negative; none where that is not known."""
        rates = [
            (end.lag - start.lag) / seconds
            for start, end, seconds in self._windows()
            if start.lag is not None and end.lag is not None
        ]
        return sum(rates) if rates else None

    def _windows(self) -> Iterator[tuple[Offset, Offset, float]]:
        """Give the first commit, the last one and the seconds between; what has stopped tells of the past."""
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
    """How many messages a service's Kafka consumer group that lags most has yet to do.

    Asks Burrow at ``url`` of the service's ``kafka`` source for the consumer groups of ``cluster`` (its name
    in Burrow) whose names fit ``groups`` (``*`` allowed; all unless given; the first 50 by name).  ``data``
    holds the ten ``groups`` that lag most with their ``lag``, ``status``, ``worst`` partition and its lag,
    ``fetched_per_s`` and ``grows_per_s`` (messages a second over the last commits; negative while it catches
    up, null where not known), the ``total`` and the ``problems``: partitions that are stuck, in which nothing
    is committed any more, or in which the group falls behind or went back, as Burrow judges.

    Raises:
        ProbeNotConfiguredError: the service has no ``kafka`` source with ``url`` and ``cluster``.
        ProbeUnavailableError: Burrow cannot be asked, or knows no such cluster or group; that is no lag of 0.
        ProbeGarbageError: what answers is no Burrow.
    """
    source = ctx.source(service, "kafka")
    base = field(source, "url", kind="kafka", service=service).rstrip("/")
    cluster = quote(field(source, "cluster", kind="kafka", service=service), safe="")
    consumers = f"{base}/v3/kafka/{cluster}/consumer"
    pattern = source.get("groups", "*")
    names = await _names(ctx, source, consumers)
    wanted = sorted(name for name in names if fnmatchcase(name, pattern))[:_MOST_GROUPS]
    if not wanted:
        raise ProbeUnavailableError(f"Burrow knows no consumer group called `{pattern}`.")
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
            "groups": list[JsonValue](_told(group) for group in groups[:_MOST_SHOWN]),
            "total": sum(group.lag for group in groups),
            "problems": list[JsonValue](problems),
        },
    )


def behind(group: ConsumerGroup) -> str:
    """Say how far a group is behind, and whether it catches up; pure."""
    said = f"{group.group} is {group.lag:,} messages behind"
    grows = group.grows_per_s()
    if not group.lag or grows is None:
        return said
    if grows < 0:
        return f"{said} and catches up in {duration(group.lag / -grows)}"
    return f"{said} and by {grows:.3g} more each second" if grows else said


def problems_of(groups: Sequence[ConsumerGroup]) -> list[str]:
    """List what Burrow finds wrong, group by group and kind by kind; pure."""
    problems = []
    for group in groups:
        for status, said in _SAID.items():
            partitions = [each.name for each in group.partitions if each.status == status]
            if partitions:
                problems.append(f"{group.group} {said} {listed(partitions, most=4)}")
    return problems


async def _names(ctx: Context, source: Source, consumers: str) -> list[str]:
    answer = await fetch(ctx, consumers, name="Burrow", source=source)
    try:
        return _Groups.model_validate(answer).consumers
    except ValidationError as error:
        raise ProbeGarbageError("What answers does not answer as Burrow does.") from error


async def _group(ctx: Context, source: Source, url: str) -> ConsumerGroup:
    answer = await fetch(ctx, f"{url}/lag", name="Burrow", source=source)
    try:
        return _Answer.model_validate(answer).status
    except ValidationError as error:
        raise ProbeGarbageError("What answers does not answer as Burrow does.") from error


def _told(group: ConsumerGroup) -> JsonObject:
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
