"""Durations as people type them: ``90s``, ``30m``, ``1h30m``; ``formatting.duration`` shows them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator

MAX_DURATION_S = 30 * 86_400.0
"""The longest duration that is accepted, in seconds: thirty days."""

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(d|h|min|m|s)")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")


def parse_duration(text: str) -> float:
    """Read ``30m`` or ``1h30m`` as seconds.

    Raises:
        ValueError: it is not a duration, zero, or longer than thirty days; the message is fit for people.
    """
    word = text.strip().lower()
    if not _WHOLE.fullmatch(word):
        raise ValueError("is not a valid duration; write one such as `90s`, `30m`, `2h` or `1h30m`")
    seconds = sum(float(number) * _SECONDS[unit[0]] for number, unit in _PART.findall(word))
    if not 0 < seconds <= MAX_DURATION_S:
        raise ValueError("must be more than 0 s and at most 30 days")
    return seconds


def _seconds(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(_seconds)]
"""Seconds, written as people do: ``30s``, ``5m``."""


def format_duration(seconds: float) -> str:
    """Write seconds as ``parse_duration`` reads them: ``1h30m``; parts of a second only below a minute."""
    if seconds < _SECONDS["m"]:
        return f"{round(seconds, 3):g}s"
    rest, parts = round(seconds), ""
    for unit, size in _SECONDS.items():
        count, rest = divmod(rest, size)
        parts += f"{count}{unit}" if count else ""
    return parts
