"""Derives from a metric's name what it measures, and thereby which direction hurts."""

from __future__ import annotations

import re
from enum import StrEnum


class FaultKind(StrEnum):
    """What a metric measures; the weights know these words."""

    LATENCY = "latency"
    CALL_LATENCY = "call_latency"
    """Of the calls that the service makes, so it is rather evidence about others."""
    EDGE_CALLER = "edge_caller"
    """Of the calls to the service, as one caller sees them."""
    EDGE_CALLEE = "edge_callee"
    """Of the calls of one caller, as the service itself sees them."""
    ERRORS = "errors"
    SUCCESS = "success"
    CPU = "cpu"
    MEMORY = "memory"
    DISK = "disk"
    NETWORK = "network"
    THREADS = "threads"
    TRAFFIC = "traffic"
    NODE = "node"
    """Of the machine, which the service shares with others."""
    OTHER = "other"


_RULES: tuple[tuple[FaultKind, str], ...] = (
    (FaultKind.EDGE_CALLER, r"edge_caller"),
    (FaultKind.EDGE_CALLEE, r"edge_callee"),
    (FaultKind.NODE, r"\b(node|host|machine)\b"),
    (FaultKind.SUCCESS, r"\b(success|availability|available|avail|uptime)\b"),
    (FaultKind.ERRORS, r"\b(errors?|err|fail\w*|fault\w*|exceptions?|[45]xx|timeouts?|dropped|retrans\w*)\b"),
    (
        FaultKind.CALL_LATENCY,
        r"\b(client|outbound|upstream|egress)\b.*\b(lat|latency|duration|time)\b",
    ),
    (FaultKind.LATENCY, r"\b(lat\d*|latency|duration|delay|rt|rtt|response time|p\d\d)\b"),
    (FaultKind.CPU, r"\b(cpu|load1|throttl\w*)\b"),
    (FaultKind.MEMORY, r"\b(mem|memory|rss|heap|swap|oom)\b"),
    (FaultKind.DISK, r"\b(disk\w*|io|iops|fs|filesystem|blkio|inodes?)\b"),
    (FaultKind.THREADS, r"\b(threads?|sockets?|connections?|conns?|fds?|goroutines?|syscalls?|queue\w*)\b"),
    (FaultKind.NETWORK, r"\b(net|network|rx|tx|receive\w*|transmit\w*|packets?|bytes)\b"),
    (
        FaultKind.TRAFFIC,
        r"\b(load|workload|requests?|reqs?|rps|qps|tps|ops|throughput|calls|count|invocations?|traffic)\b",
    ),
)
_COMPILED = tuple((kind, re.compile(pattern)) for kind, pattern in _RULES)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN = re.compile(r"[^a-z0-9]+")

FALLS: frozenset[FaultKind] = frozenset({FaultKind.SUCCESS})
"""The kinds of which less is worse."""
BOTH: frozenset[FaultKind] = frozenset({FaultKind.TRAFFIC, FaultKind.NETWORK, FaultKind.OTHER})
"""The kinds of which both more and less may be a sign of trouble."""


def kind_of(metric: str) -> FaultKind:
    """Read a metric's name in any of the usual spellings; the first rule that fits decides."""
    lowered = metric.lower()
    words = _BETWEEN.sub(" ", _HUMP.sub(" ", metric).lower())
    for kind, pattern in _COMPILED:
        if pattern.search(words) or pattern.search(lowered):
            return kind
    return FaultKind.OTHER
