"""How durations, shares, sizes, counts and lists are written: one way, everywhere; plain text."""

from __future__ import annotations

import math
from collections.abc import Sequence

SHARES = frozenset({"share", "ratio", "fraction"})
"""Units of a value from 0 to 1 that is written in per cent."""
SECONDS = frozenset({"s", "seconds"})
BYTES = frozenset({"bytes", "B"})

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_ONE, _SHORT = 0.9995, 9.95
_MANY = 1000
_KILO = 1000.0
_WHOLE_FROM, _WHOLE_TO = 10.0, 99.0
"""Between these, a percentage has no decimals."""
_NO_EXPONENT = 0.0001


def duration(seconds: float) -> str:
    """Write a duration with at most two units: ``350 ms``, ``1.2 s``, ``1 min 30 s``, ``2 h 5 min``, ``3 d``.

    A negative one counts as none.
    """
    if seconds < _ONE:
        return f"{max(0, seconds) * 1000:.0f} ms"
    if seconds < _SHORT:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two_units(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two_units(whole, _HOUR, "h", _MINUTE, "min")
    return _two_units(whole, _DAY, "d", _HOUR, "h")


def about(seconds: float) -> str:
    """Write an estimate of a duration: no fractions of a second, and from a minute on no seconds."""
    return duration(max(1, round(seconds)) if seconds < _MINUTE else round(seconds / _MINUTE) * _MINUTE)


def percent(share: float) -> str:
    """Write a share, 1 being all, in per cent: ``35 %``, ``2.1 %``, ``0.04 %``, ``99.95 %``.

    Only 0 is ``0 %``, and only a share that is 1 is ``100 %``.
    """
    if not math.isfinite(share):
        return f"{share} %"
    value = round(abs(share) * 100, 6)
    sign = "-" if share < 0 and value else ""
    if not value or _WHOLE_FROM <= value <= _WHOLE_TO or value >= 100:  # noqa: PLR2004  # all
        shown = f"{value:.0f}" if share or not value else "0"
    elif value > _WHOLE_TO:
        shown = f"{math.floor(value * 100) / 100:g}"
    elif value < _NO_EXPONENT:
        shown = f"{value:.6f}".rstrip("0")
    else:
        shown = f"{value:.2g}" if value < 1 else f"{value:.1f}".removesuffix(".0")
    return f"{sign}{shown} %"


def size(count: float) -> str:
    """Write a number of bytes: ``900 B``, ``1.5 kB``, ``256 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < _MANY - 0.5:
            return f"{number(count)} {unit}"
        count /= _KILO
    return f"{number(count)} TB"


def number(value: float) -> str:
    """Write a number with three significant digits; whole ones from a thousand on: ``0.66``, ``1,234``."""
    return f"{value:,.0f}" if abs(value) >= _MANY - 0.5 else f"{value:.3g}"


def figure(value: float, unit: str) -> str:
    """Write a value with its unit: shares in per cent, seconds as a duration, bytes as a size."""
    if unit in SHARES:
        return percent(value)
    if unit in SECONDS:
        return f"-{duration(-value)}" if value < 0 else duration(value)
    if unit in BYTES:
        return size(value)
    return f"{number(value)} {unit}".rstrip()


def listed(items: Sequence[str], *, last: str = "and", most: int | None = None) -> str:
    """Join words as in a sentence: ``a, b and c``; of more than ``most``, the rest is counted: ``2 more``."""
    shown = list(items)
    if most is not None and len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    return f"{', '.join(shown[:-1])} {last} {shown[-1]}" if len(shown) > 1 else "".join(shown)


def several(count: int, one: str, many: str = "") -> str:
    """Count things: ``1 step``, ``3 steps``, ``1,200 queries``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _two_units(whole: int, unit_s: int, name: str, small_s: int, small_name: str) -> str:
    rest = whole % unit_s // small_s
    return f"{whole // unit_s} {name}" + (f" {rest} {small_name}" if rest else "")
