"""Reads the time of a log line: seconds to nanoseconds since the epoch, and many written forms."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

_SECONDS_END = 1e11


_LEAP = re.compile(r":60(?=\D|$)")


_ZONE = re.compile(r" ?([+-]\d\d):?(\d\d)(?: [A-Z]{3,4})?$| ?(?:UTC|GMT)$")


_TIME_FORMATS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M:%S.%f", "%d/%b/%Y:%H:%M:%S", "%d/%b/%Y:%H:%M:%S.%f")


def number_of(value: Any) -> float | None:  # noqa: ANN401  # JSON
    """Return a finite number, also one that is written as text; none for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def seconds_of(value: Any) -> float | None:  # noqa: ANN401  # JSON
    """Return seconds since the epoch for a moment in any form that is known here; none for others."""
    if not isinstance(value, str):
        return epoch_of(value)
    text = value.strip().strip("[]")
    if text[:4].isdigit() or "/" in text:
        leap = _LEAP.search(text)
        at = moment_of(_LEAP.sub(":59", text) if leap else text)
        if at is not None:
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() + (1 if leap else 0)
    elif text[:1].isalpha():
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return epoch_of(value)


def moment_of(text: str) -> datetime | None:
    """Return a written moment, or none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    zone = _ZONE.search(text)
    bare = text[: zone.start()] if zone else text
    shift = timedelta()
    if zone and zone[1]:
        shift = timedelta(hours=int(zone[1]), minutes=int(f"{zone[1][0]}{zone[2]}"))
    for form in ("", *_TIME_FORMATS):
        try:
            at = datetime.strptime(bare, form) if form else datetime.fromisoformat(bare)  # noqa: DTZ007
        except ValueError:
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC) - shift
    return None


def epoch_of(value: Any) -> float | None:  # noqa: ANN401  # JSON
    """Return a number of s, ms, us or ns since the epoch in seconds; none for anything else."""
    seconds = number_of(value)
    if seconds is None:
        return None
    while seconds > _SECONDS_END:  # milli-, micro- or nanoseconds
        seconds /= 1000
    return seconds
