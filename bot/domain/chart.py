"""Charts: what is to be drawn, as data; drawing them is the painter's task."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from bot.domain.model import Model

Figure = Annotated[float, Field(allow_inf_nan=False)]
"""A number that can be drawn."""
Tone = Literal["first", "second", "third", "good", "bad", "muted"]
"""What a colour means; which colour that is, is the painter's choice."""
Point = tuple[Figure, Figure | None]
"""When, in seconds since the epoch, and how much, in its panel's unit; none is a gap in the line."""


LEAST_POINTS = 20
"""With fewer points with a value, a chart shows less than a sentence."""
LEAST_SPAN_S = 60.0
"""The least time, in seconds, that a chart's points must span."""


class ChartLine(Model):
    """A series over time; ``points`` in the order of time."""

    name: str
    points: tuple[Point, ...] = Field(max_length=5_000)
    tone: Tone = "first"
    dots: bool = False
    """Drawn as dots: single events, between which there is nothing."""


class Band(Model):
    """A range over time, such as what is ordinary: when, the lowest, the highest."""

    name: str
    points: tuple[tuple[Figure, Figure, Figure], ...] = Field(max_length=5_000)
    tone: Tone = "muted"


class Bars(Model):
    """Amounts of spans of time, each from its beginning on; bars of one panel are stacked."""

    name: str
    points: tuple[tuple[Figure, Figure], ...] = Field(max_length=500)
    tone: Tone = "first"


class ChartMark(Model):
    """A moment that matters: a change, an onset, a decision."""

    at_s: Figure
    """In seconds since the epoch."""
    text: str
    tone: Tone = "muted"


class ChartLimit(Model):
    """A level that matters, in its panel's unit."""

    value: Figure
    text: str
    tone: Tone = "bad"


class ChartPanel(Model):
    """One set of axes; all panels of a chart share the axis of time."""

    unit: str
    """The label of the upright axis, with its unit: ``errors (% of requests)``."""
    lines: tuple[ChartLine, ...] = ()
    bands: tuple[Band, ...] = ()
    bars: tuple[Bars, ...] = ()
    bar_s: float = Field(default=86_400, gt=0)
    """How many seconds one bar stands for."""
    marks: tuple[ChartMark, ...] = ()
    limits: tuple[ChartLimit, ...] = ()
    from_zero: bool = True
    """Whether the upright axis begins at 0, so that heights can be compared."""


class Chart(Model):
    """A picture of figures over time, in UTC."""

    title: str = Field(min_length=1)
    alt: str = Field(min_length=1)
    """What it shows, in words, for readers who cannot see it."""
    panels: tuple[ChartPanel, ...] = Field(min_length=1, max_length=4)
    source: str = ""
    """Where the figures are from, in small print."""
    url: str = ""
    """Where the query can be run again; shown as a link beside the picture."""

    @property
    def is_worth_drawing(self) -> bool:
        """Whether there are enough points over enough time for a picture to show more than a sentence."""
        times = [
            at_s
            for panel in self.panels
            for line in panel.lines
            for at_s, value in line.points
            if value is not None
        ]
        bars = any(panel.bars for panel in self.panels)
        return bars or (len(set(times)) >= LEAST_POINTS and max(times) - min(times) >= LEAST_SPAN_S)

    @property
    def digest(self) -> str:
        """A hash of what is drawn: the same digest is the same picture."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
