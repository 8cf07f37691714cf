"""What this process counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.adapters.observability.observed import Letting
from bot.domain.runs.callees import Callees
from bot.domain.runs.event import Event, PlanRendered, RunFinished, RunStarted, StepFinished
from bot.domain.runs.runbook import Runbook
from bot.ports.journal import OwnedRun

_RUN_BUCKETS_S = (1, 2, 5, 10, 30, 60, 300, 900, 1800, 3600, 14_400)
_STEP_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_OTHER = "other"
"""The label of a plugin that the plan or runbook no longer names, so that there are few labels."""


@dataclass(frozen=True)
class _RunLabels:
    """What is remembered of a run for its labels while this process owns it."""

    runbook: Runbook
    started_at: datetime
    callees: Callees


class Meters:
    """Counters, gauges and histograms in a registry of their own; an observer of runs."""

    def __init__(self) -> None:
        """Start at zero."""
        self.registry = CollectorRegistry()
        self._carried: dict[str, _RunLabels] = {}
        self._of_runs()
        self._of_the_process()

    def _of_runs(self) -> None:
        counter, seconds = self._counter, self._seconds
        self.started_total = counter("runs_started", "Runs that began.", "runbook")
        self.finished_total = counter("runs_finished", "Runs that ended.", "runbook", "outcome")
        self.run_seconds = seconds(
            "run_duration",
            "Seconds from a run's start to its end, waiting included.",
            "runbook",
            up_to=_RUN_BUCKETS_S,
        )
        self.steps_total = counter("steps", "Steps that ended.", "plugin", "outcome")
        self.step_seconds = seconds(
            "step_duration", "Seconds that a step's call took.", "plugin", up_to=_STEP_BUCKETS_S
        )
        self.deliveries_total = counter("run_deliveries", "Runs that this process took over from the queue.")
        self.carried = self._gauge("runs_carried", "Runs that this process owns now.")
        self.stale_total = counter("stale_writes", "Writes refused because another worker now owns the run.")

    def _of_the_process(self) -> None:
        counter = self._counter
        self.budget_total = counter(
            "slack_budget_requests",
            "Requests to the Slack budget shared by all workers.",
            "bucket",
            "answer",
        )
        self.budget_wait = counter(
            "slack_budget_wait_seconds", "Seconds that the Slack budget made requests wait.", "bucket"
        )
        self.webhooks = counter("webhooks", "Webhook deliveries by how they were answered.", "status")
        self.alerts = counter("alerts", "Alerts stored, redeliveries not counted.")
        self.heartbeats = counter("heartbeats", "Heartbeats by how they were answered.", "status")
        self.loop_lag = self._gauge(
            "loop_lag_seconds", "The longest stall of the event loop within the last minute."
        )

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"pilothouse_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"pilothouse_{name}", text, registry=self.registry)

    def _seconds(self, name: str, text: str, *labels: str, up_to: Sequence[float]) -> Histogram:
        return Histogram(f"pilothouse_{name}_seconds", text, labels, buckets=up_to, registry=self.registry)

    def started(self, run_id: str, event: RunStarted) -> None:  # noqa: ARG002  # the port's signature
        """Count a run that began."""
        self.started_total.labels(event.runbook.name).inc()

    def taken(self, run_id: str, taken: OwnedRun) -> None:
        """Count a delivery, and remember the labels for the run's events."""
        first, *rest = taken.events
        assert isinstance(first, RunStarted)  # noqa: S101  # no journal begins otherwise
        self.deliveries_total.inc()
        carried = self._carried[run_id] = _RunLabels(first.runbook, first.at, Callees(first.runbook))
        self.carried.set(len(self._carried))
        for event in rest:
            if isinstance(event, PlanRendered):
                carried.callees.learn(event)

    def wrote(self, run_id: str, events: Sequence[Event]) -> None:
        """Count the events that end a step or a run."""
        carried = self._carried.get(run_id)
        if carried is None:
            return
        for event in events:
            match event:
                case PlanRendered():
                    carried.callees.learn(event)
                case StepFinished():
                    plugin = carried.callees.plugin(event.phase, event.step) or _OTHER
                    self.steps_total.labels(plugin, event.outcome).inc()
                    self.step_seconds.labels(plugin).observe(event.took_s)
                case RunFinished():
                    self.finished_total.labels(carried.runbook.name, event.outcome).inc()
                    seconds = (event.at - carried.started_at).total_seconds()
                    self.run_seconds.labels(carried.runbook.name).observe(max(0.0, seconds))
                case _:
                    pass

    def let_go(self, run_id: str, how: Letting) -> None:
        """Forget what was remembered."""
        self._carried.pop(run_id, None)
        self.carried.set(len(self._carried))
        if how == "stale":
            self.stale_total.inc()

    def asked_budget(self, name: str, wait_s: float) -> None:
        """Count one request; a channel's own bucket is counted under ``posts``."""
        bucket = "posts" if name.startswith("slack:posts:") else name.removeprefix("slack:").replace(":", "_")
        self.budget_total.labels(bucket, "wait" if wait_s else "granted").inc()
        self.budget_wait.labels(bucket).inc(wait_s)
