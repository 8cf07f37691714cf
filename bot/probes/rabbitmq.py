"""Reads RabbitMQ's queues: waiting messages, consumers, and whether the broker blocks its publishers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeGarbageError, ProbeUnavailableError
from bot.domain.formatting import figure, listed
from bot.domain.model import JsonObject, JsonValue
from bot.engine.plugins import Context, probe
from bot.probes._shared.json_api import Source, fetch, field

_COLUMNS = (
    "name,messages,messages_ready,messages_unacknowledged,consumers,state,"
    "message_stats.publish_details.rate,message_stats.deliver_get_details.rate"
)
_MOST_SHOWN = 10
_WELL = frozenset({"running", "idle", "flow", ""})
"""A queue in `flow` slows its publishers down a little, many times a day."""
_MOST_QUEUES = 500


class _Rate(BaseModel):
    rate: float = 0.0


class _Stats(BaseModel):
    published: _Rate = Field(default_factory=_Rate, validation_alias="publish_details")
    fetched: _Rate = Field(default_factory=_Rate, validation_alias="deliver_get_details")


class Queue(BaseModel):
    """One queue; rates in messages a second."""

    name: str
    messages: int = 0
    ready: int = Field(default=0, validation_alias="messages_ready")
    unacknowledged: int = Field(default=0, validation_alias="messages_unacknowledged")
    consumers: int = 0
    state: str = ""
    stats: _Stats = Field(default_factory=_Stats, validation_alias="message_stats")
    """Missing from a queue that has not carried a message yet."""


class Node(BaseModel):
    """One server of the cluster; an alarm on one blocks the publishers of all."""

    name: str
    running: bool = True
    memory_alarm: bool = Field(default=False, validation_alias="mem_alarm")
    disk_alarm: bool = Field(default=False, validation_alias="disk_free_alarm")
    partitions: list[str] = Field(default_factory=list)


class _Page(BaseModel):
    items: list[Queue]


_PAGE = TypeAdapter(_Page)
_NODES = TypeAdapter(list[Node])


@probe(specialist="queues")
async def queues(ctx: Context, *, service: str) -> Measurement:
    """How many messages wait in the longest of a service's RabbitMQ queues, unacknowledged ones included.

    Asks the management interface at ``url`` of the service's ``rabbitmq`` source for the queues of ``vhost``
    (default ``/``) whose names match ``queues`` (``*`` allowed; default all; the first 500).
    ``data`` holds the ten longest ``queues`` with their ``ready``, ``unacknowledged``, ``consumers``,
    ``published_per_s`` and ``fetched_per_s``, the ``total`` and the ``problems``: messages without a
    consumer, a queue that is not running, an alarm that blocks publishers, a node that is down or cut off.

    Raises:
        ProbeNotConfiguredError: the service has no ``rabbitmq`` source with a ``url``.
        ProbeUnavailableError: the broker cannot be read, or has no such queue; that is not an empty one.
        ProbeGarbageError: the server is not RabbitMQ.
    """
    source = ctx.source(service, "rabbitmq")
    base = field(source, "url", kind="rabbitmq", service=service).rstrip("/")
    pattern = source.get("queues", "*")
    asked = asyncio.create_task(_nodes(ctx, source, base))
    try:
        found = await _queues(ctx, source, base, pattern=pattern)
        nodes = await asked
    finally:
        asked.cancel()
    if not found:
        raise ProbeUnavailableError(f"RabbitMQ has no queue called `{pattern}`.")
    found.sort(key=lambda queue: (-queue.messages, queue.name))
    problems = problems_of(found, nodes)
    longest = found[0]
    text = f"{service}: {figure(longest.messages, 'messages')} in {longest.name}"
    return Measurement(
        value=float(longest.messages),
        unit="messages",
        at=ctx.clock.now(),
        text=f"{text}; {listed(problems, most=4)}" if problems else text,
        data={
            "queues": list[JsonValue](_queue_data(queue) for queue in found[:_MOST_SHOWN]),
            "total": sum(queue.messages for queue in found),
            "problems": list[JsonValue](problems),
        },
    )


def problems_of(queues: Sequence[Queue], nodes: Sequence[Node]) -> list[str]:
    """Return the problems that stop messages from flowing; pure."""
    unfetched = [queue.name for queue in queues if queue.ready and not queue.consumers]
    stopped = [f"{queue.name} is {queue.state}" for queue in queues if queue.state not in _WELL]
    return [
        *([f"no consumer reads from {listed(unfetched, most=4)}"] if unfetched else []),
        *stopped[:_MOST_SHOWN],
        *(f"{node.name} is short of memory and blocks publishers" for node in nodes if node.memory_alarm),
        *(f"{node.name} is short of disk space and blocks publishers" for node in nodes if node.disk_alarm),
        *(f"{node.name} is down" for node in nodes if not node.running),
        *(
            f"{node.name} is cut off from {listed(node.partitions, most=4)}"
            for node in nodes
            if node.partitions
        ),
    ]


async def _queues(ctx: Context, source: Source, base: str, *, pattern: str) -> list[Queue]:
    wanted = re.escape(pattern).replace(r"\*", ".*")
    params = {
        "page": "1",
        "page_size": str(_MOST_QUEUES),
        "name": f"^{wanted}$",
        "use_regex": "true",
        "columns": _COLUMNS,
    }
    url = f"{base}/api/queues/{quote(source.get('vhost', '/'), safe='')}"
    answer = await fetch(ctx, url, name="RabbitMQ", source=source, params=params)
    try:
        return _PAGE.validate_python(answer).items
    except ValidationError as error:
        raise ProbeGarbageError("The server did not answer as RabbitMQ does.") from error


async def _nodes(ctx: Context, source: Source, base: str) -> list[Node]:
    params = {"columns": "name,running,mem_alarm,disk_free_alarm,partitions"}
    answer = await fetch(ctx, f"{base}/api/nodes", name="RabbitMQ", source=source, params=params)
    try:
        return _NODES.validate_python(answer)
    except ValidationError as error:
        raise ProbeGarbageError("The server did not answer as RabbitMQ does.") from error


def _queue_data(queue: Queue) -> JsonObject:
    return {
        "name": queue.name,
        "messages": queue.messages,
        "ready": queue.ready,
        "unacknowledged": queue.unacknowledged,
        "consumers": queue.consumers,
        "published_per_s": queue.stats.published.rate,
        "fetched_per_s": queue.stats.fetched.rate,
    }
