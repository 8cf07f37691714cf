"""The chart of a rollout: canary against stable at every check, with the shifts and the decision marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.domain.board import DesiredMessage
from bot.domain.chart import Chart, ChartLine, ChartMark, ChartPanel, Point, Tone
from bot.domain.formatting import duration, percent, several
from bot.domain.model import JsonObject
from bot.domain.rollouts.canary import MetricReading
from bot.domain.rollouts.rollout import last_judged, share_of
from bot.domain.runs.run import Run
from bot.domain.runs.run_states import StepState
from bot.domain.runs.runbook import Pipeline
from bot.views.phrases import (
    capital,
    human,
)
from bot.views.thread.charts import chart_message

_SIDES: tuple[tuple[str, Tone], ...] = (("canary", "second"), ("stable", "first"))
_WINDOW_S = 5.0
"""Counts are shown as the share of errors among the requests of this many seconds."""
_MOST_LOOKS = 1_000
"""More checks than this could not be distinguished in a picture."""
_MOST_PANELS = 3
_UNITS = {"latency": "s"}


@dataclass(frozen=True)
class _ChartedCheck:
    """One check by the judge of one step; ``at_s`` is in seconds since the epoch."""

    at_s: float
    step: str
    seen: Mapping[str, MetricReading]


def rollout_chart(run: Run, phase: Pipeline, *, names: Mapping[str, str]) -> list[DesiredMessage]:
    """Return the chart of the judge's checks in a phase, drawn anew when a step of it has ended, not before.

    None while it would show less than a sentence.
    """
    over = run.phases[phase.id].outcome is not None or run.outcome is not None
    steps = [step for step in run.phases[phase.id].steps.values() if step.readings]
    judged = [step for step in steps if over or step.outcome is not None]
    looks = [look for step in judged for look in _looks(step)]
    looks = looks[:: 1 + len(looks) // _MOST_LOOKS]
    marks = tuple(_marks(judged))
    metrics = list(dict.fromkeys(name for look in looks for name in look.seen))
    panels = [panel for metric in metrics if (panel := _panel(metric, looks, marks)) is not None]
    if not panels:
        return []
    last = last_judged(run)
    text = last.verdict.text if last is not None and last.verdict is not None else ""
    drawn = Chart(
        title=f"{run.service} {run.params.get('version') or ''}: canary and stable".replace("  ", " "),
        alt=f"{several(len(looks), 'check')} of canary and stable: {', '.join(metrics)}. {text}".strip(),
        panels=tuple(panels[:_MOST_PANELS]),
        source=f"each check by the judge; counts over {duration(_WINDOW_S)}",
    )
    return [chart_message(f"{phase.id}.canary", drawn, names=names)] if drawn.is_worth_drawing else []


def _looks(step: StepState) -> Iterator[_ChartedCheck]:
    since = step.judged_since
    if since is not None:
        for reading in step.readings:
            yield _ChartedCheck(since.timestamp() + reading.at_s, step.id, reading.seen)


def _marks(judged: Sequence[StepState]) -> Iterator[ChartMark]:
    for step in judged:
        share = share_of(step)
        if step.judged_since is not None and share is not None:
            yield ChartMark(at_s=step.judged_since.timestamp(), text=f"canary gets {percent(share)}")
        if step.judged_since is not None and step.outcome == "failed":
            ended_s = step.judged_since.timestamp() + step.readings[-1].at_s
            yield ChartMark(at_s=ended_s, text="stopped", tone="bad")


def _panel(metric: str, looks: Sequence[_ChartedCheck], marks: tuple[ChartMark, ...]) -> ChartPanel | None:
    found = [(look, look.seen[metric].data) for look in looks if metric in look.seen]
    counted = any(isinstance(data.get("canary"), dict) for _, data in found)
    lines = []
    for side, tone in _SIDES:
        points = (
            _shares(found, side) if counted else [(look.at_s, _number(data, side)) for look, data in found]
        )
        if any(value is not None for _, value in points):
            lines.append(ChartLine(name=side, points=tuple(points), tone=tone))
    if not lines:
        return None
    units = [str(look.seen[metric].data.get("unit") or "") for look, _ in found]
    unit = "% of requests" if counted else next(filter(None, units), _UNITS.get(metric, ""))
    unit = f"{capital(human(metric))} ({unit})" if unit else capital(human(metric))
    return ChartPanel(unit=unit, lines=tuple(lines), marks=marks)


def _shares(found: Sequence[tuple[_ChartedCheck, JsonObject]], side: str) -> list[Point]:
    """Return the share of errors of the latest seconds, in percent, from cumulative counters."""
    read = [(look, tally) for look, data in found if (tally := _tally(data, side)) is not None]
    points: list[Point] = []
    first = 0
    for index, (look, (requests, errors)) in enumerate(read):
        while read[first][0].at_s < look.at_s - _WINDOW_S and first < index:
            first += 1
        then_requests, then_errors = read[first][1]
        came = requests - then_requests
        points.append((look.at_s, 100 * (errors - then_errors) / came if came > 0 else None))
    return points


def _tally(data: JsonObject, side: str) -> tuple[float, float] | None:
    found = data.get(side)
    match found:
        case {"requests": int() | float() as requests, "errors": int() | float() as errors}:
            return float(requests), float(errors)
        case _:
            return None


def _number(data: JsonObject, side: str) -> float | None:
    value = data.get(side)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
