"""Paints charts off the event loop, one at a time."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable

from bot.domain.chart import Chart

_DRAWING = "bot.adapters.charts.drawing"


class Painter:
    """Makes PNGs of charts; loads the drawing library for the first one."""

    def __init__(self) -> None:
        """Load nothing yet."""
        self._turn = asyncio.Lock()

    async def paint(self, chart: Chart) -> bytes:
        """Return a chart as PNG bytes; the same chart always gives the same bytes."""
        async with self._turn:  # the library shares its caches of fonts between threads
            return await asyncio.to_thread(_draw, chart)


def _draw(chart: Chart) -> bytes:
    # Imported at the first chart: it takes some 30 MB and half a second.
    draw: Callable[[Chart], bytes] = importlib.import_module(_DRAWING).draw
    return draw(chart)
