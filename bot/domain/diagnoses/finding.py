"""What probes bring back: measurements and findings."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.model import Instant, JsonObject, Model, Share


class Evidence(Model):
    """One thing a person can check: a line, a value, a query, a link."""

    text: str
    query: str = ""
    """The resolved query, ready to paste."""
    url: str = ""
    value: float | None = None
    baseline: float | None = None
    """The ordinary value, in the unit of ``value``."""
    unit: str = ""


class FindingKind(StrEnum):
    """What can be seen; the ranking knows these words."""

    ERROR_RATE_UP = "error_rate_up"
    SUCCESS_DOWN = "success_down"
    """Its availability, or its share of good answers, fell."""
    LATENCY_UP = "latency_up"
    CALLER_SEES_SLOW = "caller_sees_slow"
    """Calls to it take longer, as one caller measures them."""
    SLOW_FOR_CALLER = "slow_for_caller"
    """It answers one caller more slowly, as it measures itself."""
    TRAFFIC_DROP = "traffic_drop"
    TRAFFIC_UP = "traffic_up"
    """More requests than usual; no trouble in itself."""
    TRAFFIC_SHIFT = "traffic_shift"
    CPU_HIGH = "cpu_high"
    MEMORY_HIGH = "memory_high"
    DISK_BUSY = "disk_busy"
    THREADS_HIGH = "threads_high"
    NETWORK_SHIFT = "network_shift"
    MACHINE_BUSY = "machine_busy"
    """Of the machine, which it shares with others."""
    OTHER_SHIFT = "other_shift"
    """A metric of unknown meaning left its ordinary level."""
    EDGE_LAG = "edge_lag"
    """What a caller sees of its latency and it does not see itself: lost on the wire, by metrics."""
    SPAN_LAG = "span_lag"
    """Time that calls spend outside their callee: lost on the wire, by spans."""
    CALLS_VANISHED = "calls_vanished"
    """It no longer makes a call, or no longer does a piece of work, that belongs to its requests."""
    POOL_EXHAUSTED = "pool_exhausted"
    DEPENDENCY_ERRORS = "dependency_errors"
    SERVICE_DOWN = "service_down"
    LOG_ERRORS = "log_errors"
    LOG_TEMPLATE_NEW = "log_template_new"
    LOG_TEMPLATE_GROWING = "log_template_growing"
    LOG_TEMPLATE_VANISHED = "log_template_vanished"
    """An ordinary line is missing while the lines around it are there."""
    CHANGE_DEPLOY = "change_deploy"
    CHANGE_CONFIG = "change_config"
    CHANGE_FLAG = "change_flag"
    CHANGE_OTHER = "change_other"
    DEPENDENCY_DOWN = "dependency_down"
    DEPENDENCY_SLOW = "dependency_slow"
    DB_DOWN = "db_down"
    DB_BLOCKED = "db_blocked"
    DB_CONNECTIONS_HIGH = "db_connections_high"
    DB_LONG_TRANSACTION = "db_long_transaction"
    DB_REPLICATION_LAG = "db_replication_lag"
    ALERT = "alert"


class Finding(Model):
    """What a probe saw: about whom, what, since when, how strong, and how one can check it."""

    id: str
    """Unique in its run and stable for the same input, such as ``metrics:error_rate_up:checkout``."""
    source: str
    """The family that saw it: logs, metrics, changes, dependencies or database."""
    kind: FindingKind
    service: str
    component: str = ""
    """The part of the service: a version, a server, a table, an outside dependency."""
    summary: str
    began_at: Instant | None = None
    strength: Share
    """0 barely worth mentioning, 1 anomalous beyond doubt (or, for a change: certainly happened)."""
    evidence: tuple[Evidence, ...] = Field(min_length=1)
    data: JsonObject = Field(default_factory=dict)
    """What an action or the ranking needs: version, key, before, after, pid …"""


class Findings(Model):
    """All that one probe saw, and what it looked at without seeing anything."""

    type: Literal["findings"] = "findings"
    items: tuple[Finding, ...] = ()
    looked_at: str
    """In words, for the thread: ``14 series of 4 services over 30 min``."""
    normal: tuple[str, ...] = ()
    """What was checked and is as usual, a short sentence each."""
    gaps: tuple[str, ...] = ()
    """What could not be read within an otherwise good answer."""
    partial: tuple[str, ...] = ()
    """Why what was read cannot prove *all is well*: it is only a part of the data."""


class Measurement(Model):
    """One number and where it came from; no data is an error, never a zero."""

    type: Literal["measurement"] = "measurement"
    value: float
    unit: str
    at: Instant
    query: str = ""
    url: str = ""
    text: str = ""
    data: JsonObject = Field(default_factory=dict)
    """What else was seen, for expressions such as ``result.data.took_s < 0.5``."""


class Facts(Model):
    """Plain facts, for a runbook's templates and the thread."""

    type: Literal["facts"] = "facts"
    summary: str
    data: JsonObject = Field(default_factory=dict)


Reading = Annotated[Findings | Measurement | Facts, Field(discriminator="type")]
"""What a probe may return."""
