"""What an alert is about, derived from the words in its metric's name, whatever the naming scheme."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class AlertFamily(StrEnum):
    """What a metric measures."""

    CPU = "cpu"
    MEMORY = "memory"
    THREADS = "threads"
    DISK = "disk"
    RECEIVED = "received"
    SENT = "sent"
    REQUESTS = "requests"
    SUCCESS = "success"
    FAILURES = "failures"
    LATENCY = "latency"
    OTHER = "other"


class CallSide(StrEnum):
    """Where requests are counted: where they arrive, where they are made, or unknown."""

    CALLED = "called"
    CALLING = "calling"
    OWN = "own"


_BETTER_DOWN = frozenset(
    {AlertFamily.LATENCY, AlertFamily.FAILURES, AlertFamily.MEMORY, AlertFamily.THREADS, AlertFamily.DISK}
)


@dataclass(frozen=True, kw_only=True)
class AlertKind:
    """Alerts of one kind are one piece of evidence: three percentiles of one latency count once."""

    family: AlertFamily
    side: CallSide = CallSide.OWN
    up: bool = True
    metric: str = ""
    """The metric's own name where its family is not known, so that it is like nothing else."""

    @property
    def harmless(self) -> bool:
        """Not a cause: latency, failures or resource use fell, or requests rose."""
        return self.family is AlertFamily.REQUESTS if self.up else self.family in _BETTER_DOWN


# The first that matches counts; within words, as metrics are named net_receive, netRx and network-in alike.
_FAMILIES = (
    (AlertFamily.LATENCY, r"latenc|duration|response_?time|elapsed|(^|_)p\d\d\d?($|_)|(^|_)rt($|_)"),
    (AlertFamily.SUCCESS, r"success|availab|(^|_)up($|_)"),
    (AlertFamily.FAILURES, r"err|fail|drop|timeout|5xx|4xx|retran|restart"),
    (AlertFamily.CPU, r"cpu|load"),
    (AlertFamily.MEMORY, r"mem|rss|heap|oom"),
    (AlertFamily.THREADS, r"thread|goroutine|process|fds?($|_)|descriptor"),
    (AlertFamily.DISK, r"(^|_)fs|disk|(^|_)io|inode|filesystem"),
    (AlertFamily.RECEIVED, r"receive|(^|_)rx|(net|network)_?in"),
    (AlertFamily.SENT, r"transmit|trainsmit|(^|_)tx|send|sent|(net|network)_?out"),
    (AlertFamily.REQUESTS, r"qps|rps|request|throughput|traffic|(^|_)rate|workload|calls"),
)
_SIDES = (
    (CallSide.CALLED, r"^(dest|dst|in|inbound|server|upstream)_"),
    (CallSide.CALLING, r"^(src|source|out|outbound|client|downstream)_"),
)
RESOURCES = frozenset({AlertFamily.CPU, AlertFamily.MEMORY, AlertFamily.THREADS})
"""What an instance uses of its machine: trouble elsewhere does not make it rise at one instance alone."""


def kind_of(metric: str, direction: str) -> AlertKind:
    """Return the kind of an alert from ``metric``'s name and whether it went ``up`` or ``down``."""
    words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", metric).lower())
    family = next((family for family, pattern in _FAMILIES if re.search(pattern, words)), AlertFamily.OTHER)
    side = next((side for side, pattern in _SIDES if re.search(pattern, words)), CallSide.OWN)
    own_name = words if family is AlertFamily.OTHER else ""
    return AlertKind(family=family, side=side, up=direction != "down", metric=own_name)
