"""A chart is drawn as it is told, off the event loop."""

from __future__ import annotations

import asyncio
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import image
from pydantic import ValidationError

from bot.adapters.charts.drawing import label_rows
from bot.adapters.charts.painter import Painter
from bot.domain.chart import Band, Bars, Chart, ChartLimit, ChartLine, ChartMark, ChartPanel, Tone

_START_S = 1_764_000_000.0
_BLUE, _GREEN, _RED = (86, 180, 233), (43, 185, 143), (240, 112, 58)


def chart_of(*panels: ChartPanel, title: str = "Errors of checkout") -> Chart:
    """Make a chart of some panels."""
    return Chart(title=title, alt="errors rise from 1 to 60 %", panels=panels)


def line(tone: Tone = "first", *, name: str = "canary") -> ChartLine:
    """Make a line that rises."""
    return ChartLine(name=name, points=tuple((_START_S + n, float(n)) for n in range(60)), tone=tone)


async def _colours(chart: Chart) -> set[tuple[int, ...]]:
    pixels = image.imread(io.BytesIO(await Painter().paint(chart)))
    return {tuple(round(float(part) * 255) for part in pixel[:3]) for row in pixels for pixel in row}


@pytest.mark.parametrize(
    "panel",
    [
        ChartPanel(unit="%", lines=(line("good"),)),
        ChartPanel(unit="%", lines=(line("good").model_copy(update={"dots": True}),)),
        ChartPanel(unit="%", bars=(Bars(name="ok", points=((_START_S, 3.0),), tone="good"),)),
        ChartPanel(unit="%", lines=(line(),), limits=(ChartLimit(value=20, text="limit", tone="good"),)),
        ChartPanel(
            unit="%", lines=(line(),), marks=(ChartMark(at_s=_START_S + 9, text="deploy", tone="good"),)
        ),
    ],
    ids=["line", "dots", "bars", "limit", "mark"],
)
async def test_whatever_a_panel_tells_is_drawn_in_the_colour_of_its_tone(panel: ChartPanel):
    assert _GREEN in await _colours(chart_of(panel))


async def test_nothing_is_drawn_that_was_not_told():
    assert not {_GREEN, _RED} & await _colours(chart_of(ChartPanel(unit="%", lines=(line(),))))


async def test_bars_stand_on_each_other():
    def bars(name: str, tone: Tone) -> Bars:
        return Bars(name=name, points=((_START_S, 3.0),), tone=tone)

    colours = await _colours(
        chart_of(ChartPanel(unit="deploys", bars=(bars("ok", "first"), bars("failed", "bad"))))
    )
    assert {_BLUE, _RED} <= colours  # neither hides the other


async def test_the_same_chart_is_the_same_picture_and_another_one_is_not():
    one, other = (
        chart_of(ChartPanel(unit="%", lines=(line(),))),
        chart_of(ChartPanel(unit="ms", lines=(line(),))),
    )
    painter = Painter()
    assert await painter.paint(one) == await painter.paint(one.model_copy())
    assert await painter.paint(one) != await painter.paint(other)
    assert one.digest != other.digest


async def test_names_from_outside_are_words_and_no_formulas():
    odd = chart_of(
        ChartPanel(unit="$x^{", lines=(line(name="v$1_{$"),)), title=r"\frac{$ of <checkout> & more"
    )
    assert (await Painter().paint(odd)).startswith(b"\x89PNG")


async def test_gaps_one_point_and_nothing_at_all_are_drawn_without_a_word():
    points = ((_START_S, 1.0), (_START_S + 1, None), (_START_S + 2, 3.0))
    ordinary = Band(name="ordinary", points=((_START_S, 0.0, 1.0),))
    panels = (
        ChartPanel(unit="a", lines=(ChartLine(name="gap", points=points),), bands=(ordinary,)),
        ChartPanel(unit="b", lines=(ChartLine(name="one", points=points[:1]),)),
        ChartPanel(unit="c"),
    )
    assert (await Painter().paint(chart_of(*panels))).startswith(b"\x89PNG")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_cannot_be_drawn_is_refused_when_it_is_told(value: float):
    with pytest.raises(ValidationError):
        ChartLine(name="x", points=((_START_S, value),))


async def test_the_event_loop_goes_on_while_a_chart_is_drawn():
    painting = asyncio.create_task(Painter().paint(chart_of(ChartPanel(unit="%", lines=(line(),)))))
    turns = 0
    while not painting.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 3  # in the loop itself it would be drawn within one turn


@given(
    st.lists(st.tuples(st.floats(0, 1, allow_nan=False), st.floats(0.01, 0.5, allow_nan=False)), max_size=8)
)
def test_no_label_of_a_mark_covers_another(labels: list[tuple[float, float]]):
    rows = label_rows(labels)
    spans = [
        (row, *((at - width, at) if at > 0.7 else (at, at + width)))
        for row, (at, width) in zip(rows, labels, strict=True)
        if row >= 0
    ]
    for index, (row, left, right) in enumerate(spans):
        for other, begins, ends in spans[index + 1 :]:
            assert row != other or right <= begins or ends <= left
