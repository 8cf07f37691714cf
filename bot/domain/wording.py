"""Figures and moments as people say them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

_PERCENT_WITHOUT_DECIMALS = 0.1
_KILO = 1000.0


def figure(value: float, unit: str) -> str:
    """Write a value with its unit: ``35 %``, ``1.2 s``, ``85 ms``, ``256 MB``, ``0.9 cores``."""
    match unit:
        case "ratio":
            return (
                f"{value:.0%}".replace("%", " %") if value >= _PERCENT_WITHOUT_DECIMALS else _percent(value)
            )
        case "s":
            return f"{value * _KILO:.0f} ms" if abs(value) < 1 else f"{value:.1f} s"
        case "bytes":
            return _bytes(value)
        case "":
            return f"{value:.3g}"
        case _:
            return f"{value:.3g} {unit}"


def _percent(value: float) -> str:
    return f"{value * 100:.1f} %" if value else "0 %"


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < _KILO:
            return f"{value:.0f} {unit}"
        value /= _KILO
    return f"{value:.1f} TB"


def span(seconds: float) -> str:
    """Write a duration: ``8 s``, ``4 min``, ``2.5 h``."""
    minute, hour, day = 60, 3600, 86_400
    if seconds < 2 * minute:
        return f"{seconds:.0f} s"
    if seconds < 2 * hour:
        return f"{seconds / minute:.0f} min"
    return f"{seconds / hour:.3g} h" if seconds < 2 * day else f"{seconds / day:.3g} days"


def moment(seconds: float) -> datetime:
    """Turn seconds since the epoch into an aware moment in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def clock_time(at: datetime) -> str:
    """Write the time of day: ``03:12:07 UTC``."""
    return at.astimezone(UTC).strftime("%H:%M:%S UTC")


def listing(items: Sequence[str], *, most: int = 4) -> str:
    """Join names: ``a, b and c``; what is beyond ``most`` is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(f"{len(items) - most} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else ""
