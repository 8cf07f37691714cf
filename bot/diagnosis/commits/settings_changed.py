"""Numbers and switches that a diff changes, with their names and units: ``WithTimeout 5 s -> 300 ms``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.diagnosis.commits.diffs import Diff
from bot.diagnosis.commits.tokens import parts
from bot.domain.model import Model

_UNITS = (
    {
        "ns": 1e-6,
        "nanosecond": 1e-6,
        "us": 1e-3,
        "microsecond": 1e-3,
        "ms": 1.0,
        "milli": 1.0,
        "millisecond": 1.0,
    }
    | {"s": 1e3, "sec": 1e3, "second": 1e3, "m": 6e4, "min": 6e4, "minute": 6e4, "h": 3.6e6, "hour": 3.6e6}
    | {"day": 8.64e7, "k": 1e3, "kb": 1e3, "mb": 1e6, "gb": 1e9}
    | {"ki": 2.0**10, "kib": 2.0**10, "mi": 2.0**20, "mib": 2.0**20, "gi": 2.0**30, "gib": 2.0**30}
)
_SETTING = re.compile(
    r"""["']?(?P<name>[A-Za-z_][\w.-]*)["']?\s*
        (?::\s*[A-Za-z_][\w\[\]]*\s*=|:=|=>|=|:|\((?:\s*[A-Za-z_][\w.()]*\s*,)*|\s)\s*
        ["']?(?P<value>-?\d[\d_]*(?:\.\d+)?)\s*(?:\*\s*)?(?P<unit>(?:[A-Za-z]+\.)?[A-Za-z]*)""",
    re.VERBOSE,
)
_PRODUCT = re.compile(r"(?<![\w.])(\d+)\s*\*\s*(\d+)(?![\w.])")
_SWITCH = re.compile(
    r"""["']?(?P<name>[A-Za-z_][\w.-]*)["']?\s*(?::\s*\w+\s*=|:=|=|:)\s*["']?
        (?P<value>true|false|on|off|enabled|disabled)\b""",
    re.VERBOSE | re.IGNORECASE,
)
_SHORT = 3
_ON = frozenset({"true", "on", "enabled"})


@dataclass(frozen=True, kw_only=True)
class _Number:
    value: float
    figure: str
    written: str


class ChangedSetting(Model):
    """One value that changed; in ms or bytes where it has a unit.  None stands for no value at all."""

    name: str
    before: float | None
    after: float | None
    shown: tuple[str, ...] = ()
    """The figures as they are written, for comparison with what logs and metrics show."""
    written: tuple[str, ...] = ()
    """The same with their units, for people."""

    @property
    def words(self) -> frozenset[str]:
        """The words of its name."""
        return frozenset(parts(self.name))

    @property
    def unit(self) -> str:
        """The unit behind its figures, or the end of its name; empty if neither has one."""
        beside = self.written[-1].lstrip("-_.0123456789 ").lower() if self.written else ""
        ending = re.split(r"[_.-]", self.name)[-1].lower()
        return beside or (ending if ending in _UNITS else "")

    @property
    def factor(self) -> float | None:
        """How many times the old value the new one is; None where there is no such figure."""
        if self.before is None or self.after is None or self.before <= 0 or self.after < 0:
            return None
        return self.after / self.before


def numbers_changed(diff: Diff) -> list[ChangedSetting]:
    """List the numbers that have another value, that are gone or that came, by their names."""
    before, after = _numbers(diff.removed), _numbers(diff.added)
    out = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        sides = [side for side in (old, new) if side is not None]
        if len({side.value for side in sides}) == len(sides):
            out.append(
                ChangedSetting(
                    name=name,
                    before=old.value if old else None,
                    after=new.value if new else None,
                    shown=tuple(side.figure for side in sides),
                    written=tuple(side.written for side in sides),
                )
            )
    return out


def switches_changed(diff: Diff) -> list[str]:
    """List the names of what was switched on or off."""
    before, after = _switches(diff.removed), _switches(diff.added)
    return sorted(name for name in before.keys() & after.keys() if before[name] != after[name])


def _numbers(lines: Iterable[str]) -> dict[str, _Number]:
    found: dict[str, _Number] = {}
    for line in lines:
        plain = _PRODUCT.sub(lambda m: str(int(m[1]) * int(m[2])), line)
        for match in _SETTING.finditer(plain):
            shown = match["unit"].rpartition(".")[2]
            unit = shown.lower()
            thousandth = unit == "m" and "cpu" in match["name"].lower()
            factor = 1e-3 if thousandth else _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s")) or 1.0
            text = match["value"].replace("_", "")
            number = _Number(value=float(text) * factor, figure=text, written=_written(text, shown))
            found.setdefault(match["name"], number)
    return found


def _written(figure: str, unit: str) -> str:
    """Put a unit behind a figure; a word behind it that is not a unit is ignored."""
    bare = unit.lower().removesuffix("s") if len(unit) > 1 else unit.lower()
    if bare not in _UNITS and unit.lower() not in _UNITS:
        return figure
    return f"{figure}{unit}" if len(unit) <= _SHORT else f"{figure} {bare}s"


def _switches(lines: Iterable[str]) -> dict[str, bool]:
    return {m["name"]: m["value"].lower() in _ON for line in lines for m in _SWITCH.finditer(line)}
