"""Paints charts off the event loop, one at a time."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable

from bot.domain.chart import Chart

_DRAWING = "bot.adapters.charts.drawing"


class Painter:
    """Makes PNGs of charts; loads the drawing library when the first one is asked for."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._turn = asyncio.Lock()

    async def paint(self, chart: Chart) -> bytes:
        """Draw a chart as a PNG; the same chart gives the same bytes."""
        async with self._turn:  # the library shares its caches of fonts between threads
            return await asyncio.to_thread(_draw, chart)


def _draw(chart: Chart) -> bytes:
    # Only those who draw pay for the import: some 30 MB and half a second.
    draw: Callable[[Chart], bytes] = importlib.import_module(_DRAWING).draw
    return draw(chart)
