"""Charts as separate messages: the text first, the picture below it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from bot.domain.board import DesiredMessage
from bot.domain.chart import Chart
from bot.domain.diagnoses.finding import Facts, Measurement
from bot.domain.runs.run import Run
from bot.domain.runs.runbook import Phase
from bot.views.blocks import message, section
from bot.views.limits import bold, link, prose
from bot.views.thread.state import result_of


def chart_message(
    name: str, chart: Chart, *, names: Mapping[str, str], urgent: bool = False
) -> DesiredMessage:
    """Return the message ``chart:<name>`` of a topic; it is posted once, and edited when the chart changes.

    The picture has its description for screen readers; what it shows is also in the evidence.
    """
    made = message(
        f"chart:{name}",
        [section(" · ".join(filter(None, (bold(prose(chart.title, 200)), link(chart.url, "view query")))))],
        names=names,
        urgent=urgent,
    )
    return made.but(chart=chart)


def phase_charts(run: Run, phase: Phase, *, names: Mapping[str, str]) -> list[DesiredMessage]:
    """Return the charts that the steps of a phase returned as ``data.chart``."""
    found: list[DesiredMessage] = []
    for step in run.phases[phase.id].steps.values():
        result = result_of(step)
        chart = _chart_in(result) if isinstance(result, Facts | Measurement) else None
        if chart is not None and chart.is_worth_drawing:
            found.append(chart_message(f"{phase.id}.{step.id}", chart, names=names))
    return found


def _chart_in(result: Facts | Measurement) -> Chart | None:
    """Return the chart in a result; none if there is none or another version of the bot wrote it."""
    try:
        return None if "chart" not in result.data else Chart.model_validate(result.data["chart"])
    except ValidationError:
        return None
