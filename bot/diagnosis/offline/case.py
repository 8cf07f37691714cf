"""What was recorded of a system around some trouble, before anything is made of it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.diagnosis.signals.anomalies import FloatArray


@dataclass(frozen=True, kw_only=True)
class Column:
    """What one column of the metrics is about."""

    service: str
    metric: str


@dataclass(frozen=True, kw_only=True)
class SpanBucket:
    """The spans of one operation and calling service in some seconds from ``time_s``; durations in ms.

    ``lag_start_ms`` is from the start of the call to the start of the work, ``lag_end_ms`` from the end of
    the work to the end of the call: time spent outside the callee.  Clocks that differ show in both, with
    opposite signs.  None if it was not measured.
    """

    time_s: float
    service: str
    operation: str
    parent: str
    """The calling service; the service itself for its inner operations."""
    count: int
    p50_ms: float
    lag_start_ms: float | None = None
    lag_end_ms: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseLogLine:
    """One log line; ``time_s`` in seconds since the epoch."""

    time_s: float
    service: str
    level: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Telemetry:
    """One case: ``values`` has a row for each of ``times_s`` and a column for each of ``columns``.

    Times are seconds since the epoch, ascending; a missing sample is NaN, which is not zero.
    """

    times_s: FloatArray
    columns: tuple[Column, ...]
    values: FloatArray
    calls: tuple[tuple[str, str], ...] = ()
    """The call graph: caller, callee."""
    alerting: str = ""
    """The service whose alert was raised; nothing if that is not known."""
    spans: tuple[SpanBucket, ...] = ()
    lines: tuple[CaseLogLine, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that something was recorded of, by name."""
        seen = {column.service for column in self.columns}
        seen.update(bucket.service for bucket in self.spans)
        seen.update(line.service for line in self.lines)
        return tuple(sorted(seen))

    @property
    def step_s(self) -> float:
        """Seconds between two rows of metrics; 60 where there are not two."""
        if self.times_s.size < 2:  # noqa: PLR2004  # a step has two ends
            return 60.0
        steps = self.times_s[1:] - self.times_s[:-1]
        return float(sorted(steps.tolist())[steps.size // 2])
