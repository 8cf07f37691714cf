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
from bot.views.limits import bold, prose
from bot.views.thread.state import result_of

_ALT_CHARS = 1_500


def chart_message(
    name: str, chart: Chart, *, names: Mapping[str, str], urgent: bool = False
) -> DesiredMessage:
    """Return the message ``chart:<name>`` of a topic; it is posted once, and edited when the chart changes.

    The text describes the picture, so that nothing is lost to a screen reader, to a search, or in a
    workspace that does not allow uploads.
    """
    made = message(
        f"chart:{name}",
        [section(bold(prose(chart.title, 200)), prose(chart.alt, _ALT_CHARS))],
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
        if chart is not None:
            found.append(chart_message(f"{phase.id}.{step.id}", chart, names=names))
    return found


def _chart_in(result: Facts | Measurement) -> Chart | None:
    """Return the chart in a result; none if there is none or another version of the bot wrote it."""
    try:
        return None if "chart" not in result.data else Chart.model_validate(result.data["chart"])
    except ValidationError:
        return None
