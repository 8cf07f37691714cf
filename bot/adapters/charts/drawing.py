"""Draws a chart with matplotlib: on a dark ground that suits light and dark screens, readable on a phone."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import matplotlib as mpl
import matplotlib.dates as mdates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from bot.domain.chart import Band, Bars, Chart, ChartLimit, ChartLine, ChartMark, ChartPanel, Tone

_COLOURS: Mapping[Tone, str] = {
    "first": "#56B4E9",
    "second": "#E69F00",
    "third": "#CC79A7",
    "good": "#2BB98F",
    "bad": "#F0703A",
    "muted": "#9CA3AF",
}
"""Colours that people with colour blindness can distinguish (Okabe and Ito, 2008)."""

_GROUND = "#1F2933"

_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "axes.facecolor": _GROUND,
    "axes.edgecolor": "#6B7280",
    "axes.labelcolor": "#D1D5DB",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#374151",
    "text.color": "#F3F4F6",
    "xtick.color": "#D1D5DB",
    "ytick.color": "#D1D5DB",
    "legend.frameon": False,
    "legend.fontsize": 10,
}
_WIDTH_IN = 7.0
_PANEL_IN = 2.2
_FRAME_IN = 1.2
_DPI = 168
_TITLE_CHARS = 62
_MARK_CHARS = 34
_MOST_MARKS = 8
_LATE = 0.7
"""From this share of the width on, a label is to the left of its mark."""
_ROW_OF_PANEL = 0.11
"""The height of a row of labels, as a share of a panel's height."""
_CHAR_OF_PANEL = 0.0135
"""The width of a character of a label, as a share of a panel's width."""
_MOST_ROWS = 4
_DAY_S = 86_400


def draw(chart: Chart) -> bytes:
    """Return a chart as PNG bytes; the same chart always gives the same bytes."""
    with mpl.rc_context(_STYLE):
        height_in = _FRAME_IN + _PANEL_IN * len(chart.panels)
        figure = Figure(figsize=(_WIDTH_IN, height_in), dpi=_DPI, layout="constrained", facecolor=_GROUND)
        FigureCanvasAgg(figure)
        shared = figure.subplots(len(chart.panels), 1, sharex=True, squeeze=False)
        axes: list[Axes] = [row[0] for row in shared]
        for axis, panel in zip(axes, chart.panels, strict=True):
            _panel(axis, panel)
        figure.suptitle(_wrapped(chart.title), x=0.02, ha="left", fontsize=13, fontweight="bold")
        _time_axis(axes[-1], source=chart.source)
        picture = io.BytesIO()
        figure.savefig(picture, format="png", metadata={"Software": None})
    return picture.getvalue()


def _panel(axis: Axes, panel: ChartPanel) -> None:
    axis.set_ylabel(_plain(panel.unit))
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    for band in panel.bands:
        _band(axis, band)
    _bars(axis, panel.bars, bar_s=panel.bar_s)
    for line in panel.lines:
        _line(axis, line)
    for limit in panel.limits:
        _limit(axis, limit)
    axis.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=bool(panel.bars and not panel.lines)))
    axis.margins(x=0.01)
    if panel.from_zero:
        axis.set_ylim(bottom=0)
    marks = panel.marks[-_MOST_MARKS:]
    rows = label_rows(
        [(_place(axis, mark), min(len(mark.text), _MARK_CHARS) * _CHAR_OF_PANEL) for mark in marks]
    )
    if rows:
        bottom, top = axis.get_ylim()
        room = 1 - _ROW_OF_PANEL * (max(rows) + 1)  # for the labels of the marks
        axis.set_ylim(bottom, bottom + (top - bottom) / room)
    for mark, row in zip(marks, rows, strict=True):
        _mark(axis, mark, row=row)
    if axis.get_legend_handles_labels()[1]:
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, borderaxespad=0, handlelength=1.4)


def _line(axis: Axes, line: ChartLine) -> None:
    times = [_time(at_s) for at_s, _ in line.points]
    values = [float("nan") if value is None else value for _, value in line.points]
    dots = line.dots or len(times) == 1
    axis.plot(
        times,
        values,
        color=_COLOURS[line.tone],
        linewidth=0 if dots else 1.9,
        marker="o" if dots else None,
        markersize=5,
        label=_plain(line.name),
    )


def _band(axis: Axes, band: Band) -> None:
    times = [_time(at_s) for at_s, _, _ in band.points]
    low, high = [low for _, low, _ in band.points], [high for _, _, high in band.points]
    colour = _COLOURS[band.tone]
    axis.fill_between(times, low, high, color=colour, alpha=0.16, linewidth=0, label=_plain(band.name))


def _bars(axis: Axes, stacked: tuple[Bars, ...], *, bar_s: float) -> None:
    reached: dict[float, float] = {}
    for bars in stacked:
        starts = [at_s for at_s, _ in bars.points]
        axis.bar(
            [_time(at_s) for at_s in starts],
            [value for _, value in bars.points],
            width=0.86 * bar_s / _DAY_S,
            bottom=[reached.get(at_s, 0.0) for at_s in starts],
            align="edge",
            color=_COLOURS[bars.tone],
            label=_plain(bars.name),
        )
        for at_s, value in bars.points:
            reached[at_s] = reached.get(at_s, 0.0) + value


def _limit(axis: Axes, limit: ChartLimit) -> None:
    colour = _COLOURS[limit.tone]
    axis.axhline(limit.value, color=colour, linewidth=1.2, linestyle=(0, (5, 3)), label=_plain(limit.text))


def _mark(axis: Axes, mark: ChartMark, *, row: int) -> None:
    """Draw a vertical line, with its label in a row at the top; without a label if ``row`` is -1."""
    colour = _COLOURS[mark.tone]
    axis.axvline(_time(mark.at_s), color=colour, linewidth=1.2, linestyle=(0, (2, 2)))
    if row < 0:
        return
    late = _place(axis, mark) > _LATE
    axis.annotate(
        textwrap.shorten(_plain(mark.text), _MARK_CHARS, placeholder="…"),
        xy=(_time(mark.at_s), 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if late else 4, -3 - 14 * row),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        fontsize=10.5,
        color=colour,
    )


def label_rows(labels: Sequence[tuple[float, float]]) -> list[int]:
    """Return the row of each label, 0 at the top, so that none covers another; -1 where there is no room.

    A label is where its mark is and how wide it is, both as shares of the width; one that begins late in the
    picture ends at its mark.
    """
    taken: list[list[tuple[float, float]]] = [[] for _ in range(_MOST_ROWS)]
    rows: list[int] = []
    for at, width in labels:
        left, right = (at - width, at) if at > _LATE else (at, at + width)
        row = next(
            (number for number, spans in enumerate(taken) if all(right <= a or left >= b for a, b in spans)),
            -1,
        )
        rows.append(row)
        if row >= 0:
            taken[row].append((left, right))
    return rows


def _place(axis: Axes, mark: ChartMark) -> float:
    """Return where a mark is, as a share of the width."""
    left, right = axis.get_xlim()
    return (_time(mark.at_s) - left) / (right - left) if right > left else 0.0


def _time_axis(axis: Axes, *, source: str) -> None:
    locator = mdates.AutoDateLocator(tz=UTC, minticks=3, maxticks=8)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, tz=UTC, show_offset=True))
    below = f"time (UTC)    ·    {_plain(source)}" if source else "time (UTC)"
    axis.set_xlabel(below, fontsize=9.5, color=_COLOURS["muted"])


def _time(at_s: float) -> float:
    """Return a time in the library's own unit, days since the epoch."""
    return at_s / _DAY_S


def _wrapped(text: str) -> str:
    return textwrap.fill(_plain(text), _TITLE_CHARS, max_lines=2, placeholder="…")


def _plain(text: str) -> str:
    """Escape a name from outside, so that the library does not read it as a formula."""
    return " ".join(text.split()).replace("$", r"\$")
