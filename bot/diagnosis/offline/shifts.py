"""How far each series has left its ordinary level: robust, aware of direction, free of units."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bot.diagnosis.offline.kinds import BOTH, FALLS, FaultKind
from bot.diagnosis.signals.anomalies import FloatArray

_MAD_TO_SIGMA = 1.4826
_TAIL_TO_SIGMA = 1 / 1.645
_LEAST_BEFORE = 5
LEVEL_QUANTILE = 2 / 3
"""Where in the rows since the onset their level is read, in the direction that hurts."""
_TYPICAL_SHARE = 0.25
_NEAR_FULL = 1.5
_PERCENT = 100.0
_NEVER = 1e-12
_CAPACITY_SHARE = 0.1
_RELATIVE = re.compile(r"rate|percent|pct|util|ratio|usage")


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What makes a shift of one kind worth reporting."""

    half: float
    """The shift of magnitude 0.5, as a share of the level (of the whole, for shares such as availability)."""
    floor: float
    """The least spread, in the same share."""


SCALES: dict[FaultKind, Scale] = {
    FaultKind.LATENCY: Scale(half=1.0, floor=0.1),
    FaultKind.CALL_LATENCY: Scale(half=1.0, floor=0.1),
    FaultKind.EDGE_CALLER: Scale(half=1.0, floor=0.1),
    FaultKind.EDGE_CALLEE: Scale(half=1.0, floor=0.1),
    FaultKind.ERRORS: Scale(half=0.05, floor=0.005),
    FaultKind.SUCCESS: Scale(half=0.05, floor=0.005),
    FaultKind.CPU: Scale(half=1.0, floor=0.1),
    FaultKind.MEMORY: Scale(half=0.5, floor=0.05),
    FaultKind.DISK: Scale(half=2.0, floor=0.2),
    FaultKind.NETWORK: Scale(half=1.0, floor=0.1),
    FaultKind.THREADS: Scale(half=1.0, floor=0.1),
    FaultKind.TRAFFIC: Scale(half=0.5, floor=0.1),
    FaultKind.NODE: Scale(half=1.0, floor=0.1),
    FaultKind.OTHER: Scale(half=1.0, floor=0.1),
}
_SHARES = (FaultKind.ERRORS, FaultKind.SUCCESS)
_FILLS = (FaultKind.CPU, FaultKind.MEMORY, FaultKind.NODE)


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """The ordinary life of every series, over the rows before the onset; one entry a column."""

    level: FloatArray
    spread_up: FloatArray
    """A standard deviation's worth of rising: the larger of the scaled MAD and the upper tail."""
    spread_down: FloatArray
    reach_up: FloatArray
    """How far above its level it ever was."""
    reach_down: FloatArray
    known: FloatArray
    """Samples there were."""
    unit: FloatArray
    """What a magnitude is a share of, in the column's own unit."""


def baselines(before: FloatArray, *, kinds: Sequence[FaultKind], metrics: Sequence[str]) -> Baselines:
    """Describe the rows before the onset; what is missing there is left out, never taken for zero."""
    bottom, low, level, high, top = quantiles(before, (0.0, 0.05, 0.5, 0.95, 1.0))
    mad = quantiles(np.abs(before - level), (0.5,))[0] * _MAD_TO_SIGMA
    return Baselines(
        level=level,
        spread_up=np.maximum(mad, (high - level) * _TAIL_TO_SIGMA),
        spread_down=np.maximum(mad, (level - low) * _TAIL_TO_SIGMA),
        reach_up=top - level,
        reach_down=level - bottom,
        known=np.isfinite(before).sum(axis=0).astype(np.float64),
        unit=_units(level, top, kinds=kinds, metrics=metrics),
    )


def _units(
    level: FloatArray, top: FloatArray, *, kinds: Sequence[FaultKind], metrics: Sequence[str]
) -> FloatArray:
    """Return for each column what its shifts are a share of.

    A share of requests is one of the whole: 100 where the metric is in percent, else 1, and the level itself
    where errors are counted.  Anything else is a share of the larger of its own level and a quarter of the
    level that the same metric typically has in the system: so 1 ms of latency is little where others take
    100 ms, and no unit need be known.
    """
    unit = np.abs(level)
    places: dict[str, list[int]] = {}
    for place, metric in enumerate(metrics):
        places.setdefault(metric, []).append(place)
    for columns in places.values():
        values = unit[columns]
        present = values[np.isfinite(values) & (values > 0)]
        typical = float(np.median(present)) if present.size else 0.0
        peak = float(np.nanmax(top[columns])) if np.isfinite(top[columns]).any() else 0.0
        if kinds[columns[0]] in _SHARES:
            whole = 1.0 if peak <= _NEAR_FULL else _PERCENT
            unit[columns] = whole if peak <= _PERCENT * _NEAR_FULL else np.maximum(values, typical)
        else:
            capacity = _capacity(metrics[columns[0]], peak) if kinds[columns[0]] in _FILLS else 0.0
            unit[columns] = np.maximum(values, max(typical * _TYPICAL_SHARE, capacity * _CAPACITY_SHARE))
    return np.asarray(np.maximum(np.nan_to_num(unit), _NEVER), dtype=np.float64)


def _capacity(metric: str, peak: float) -> float:
    """Return the capacity of a metric of use; 0 if that is not known."""
    if not _RELATIVE.search(metric.lower()) or peak > _PERCENT * _NEAR_FULL:
        return 0.0
    return _PERCENT if peak > _NEAR_FULL else 1.0


def quantiles(x: FloatArray, shares: Sequence[float]) -> list[FloatArray]:
    """Return the quantiles of each column, by linear interpolation, without the samples that are missing.

    As ``np.nanquantile``, which goes through the columns one by one and takes twenty times as long.
    """
    ordered = np.sort(x, axis=0)  # what is missing comes last
    known = np.isfinite(x).sum(axis=0)
    columns = np.arange(x.shape[1])
    found = []
    for share in shares:
        place = share * np.maximum(known - 1, 0)
        below = np.floor(place).astype(int)
        above = np.minimum(below + 1, np.maximum(known - 1, 0))
        low, high = ordered[below, columns], ordered[above, columns]
        found.append(np.asarray(low + (high - low) * (place - below), dtype=np.float64))
    return found


@dataclass(frozen=True, kw_only=True)
class Shifts:
    """One entry a column."""

    strength: FloatArray
    """0 to 1: surprise times magnitude; 0 if nothing is known."""
    rises: FloatArray
    """+1 where the level rose, -1 where it fell."""
    value: FloatArray
    """The level since the onset, in the column's own unit."""


def shifts(
    base: Baselines, after: FloatArray, *, kinds: Sequence[FaultKind], at: float = LEVEL_QUANTILE
) -> Shifts:
    """Compare the level since the onset with the ordinary one, in the direction that hurts.

    The level is the quantile 2/3 in that direction: of three rows nearly the second, so that neither a first
    row that is half ordinary nor one outlier decides.  With the shift ``d``, surprise is
    ``x**2 / (1 + x**2)`` with ``x = d / (3 * spread + reach / 2)``, and magnitude ``d / (d + half)``: both
    are needed, as a constant series makes every shift surprising and a restless one makes it large.
    """
    lower, upper = quantiles(after, (1 - at, at))
    falls = np.array([kind in FALLS for kind in kinds], dtype=np.bool_)
    both = np.array([kind in BOTH for kind in kinds], dtype=np.bool_)
    up = _strength(upper - base.level, base.spread_up, base.reach_up, base=base, kinds=kinds)
    down = _strength(base.level - lower, base.spread_down, base.reach_down, base=base, kinds=kinds)
    up, down = np.where(falls, 0.0, up), np.where(falls | both, down, 0.0)
    return Shifts(
        strength=np.maximum(up, down),
        rises=np.where(down > up, -1.0, 1.0),
        value=np.where(down > up, lower, upper),
    )


def _strength(
    shift: FloatArray, spread: FloatArray, reach: FloatArray, *, base: Baselines, kinds: Sequence[FaultKind]
) -> FloatArray:
    half = np.array([SCALES[kind].half for kind in kinds]) * base.unit
    floor = np.array([SCALES[kind].floor for kind in kinds]) * base.unit
    d = np.maximum(np.nan_to_num(shift), 0.0)
    x = d / (3 * np.maximum(np.nan_to_num(spread), floor) + np.nan_to_num(reach) / 2)
    strength: FloatArray = x**2 / (1 + x**2) * d / (d + half)
    return np.where(base.known >= _LEAST_BEFORE, strength, 0.0)
