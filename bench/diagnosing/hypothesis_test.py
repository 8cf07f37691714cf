"""Regression-based hypothesis testing over the call graph (Li et al., KDD 2022), anew from the paper."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.offline.shifts import quantiles
from bot.diagnosis.signals.anomalies import FloatArray

_LEAST_BEFORE = 5
_ANOMALOUS = 3.0


def hypothesis_test(case: Telemetry, *, onset_s: float) -> list[tuple[str, str, float]]:
    """Order the series by how far what their causes do not explain has left its ordinary spread.

    A series' causes are the same metric of the services that are called.  Each series is regressed on them,
    by least squares, over the time before the onset; the score is the largest ``|z|`` of the residuals since
    (regression-based hypothesis testing).  An anomalous one, ``z > 3``, gains the largest score among those
    that it may have caused (descendant adjustment).  Gaps are filled with the median before the onset.
    """
    since = case.times_s >= onset_s
    if since.all() or not since.any() or (~since).sum() < _LEAST_BEFORE:
        return []
    values = _filled(case.values, since=since)
    places = {(each.service, each.metric): place for place, each in enumerate(case.columns)}
    causes = {place: _called(case, name, places) for name, place in places.items()}
    tested = {
        place: _unexplained(values[:, place], values[:, causes[place]], since=since) for place in causes
    }
    effects: dict[int, list[int]] = {place: [] for place in causes}
    for place, called in causes.items():
        for cause in called:
            effects[cause].append(place)
    adjusted = {
        place: score + (_worst_effect(place, effects, tested) if score > _ANOMALOUS else 0.0)
        for place, score in tested.items()
    }
    found = [(service, metric, adjusted[place]) for (service, metric), place in places.items()]
    return sorted(found, key=lambda each: -each[2])


def _filled(values: FloatArray, *, since: NDArray[np.bool_]) -> FloatArray:
    medians = np.nan_to_num(quantiles(values[~since], (0.5,))[0])
    return np.where(np.isfinite(values), values, medians)


def _called(case: Telemetry, name: tuple[str, str], places: Mapping[tuple[str, str], int]) -> list[int]:
    service, metric = name
    callees = sorted({callee for caller, callee in case.calls if caller == service and callee != service})
    return [places[callee, metric] for callee in callees if (callee, metric) in places]


def _unexplained(series: FloatArray, causes: FloatArray, *, since: NDArray[np.bool_]) -> float:
    """Give the largest residual since the onset in standard deviations before it; one of 0 counts as 1."""
    terms = np.column_stack([np.ones(len(series)), causes])
    coefficients = np.linalg.lstsq(terms[~since], series[~since], rcond=None)[0]
    residuals = series - terms @ coefficients
    spread = float(residuals[~since].std())
    scale = max(float(np.abs(series).max()), 1.0) * 1e-9
    return float(np.abs(residuals[since] / (spread if spread > scale else 1.0)).max())


def _worst_effect(place: int, effects: Mapping[int, list[int]], tested: Mapping[int, float]) -> float:
    """Give the largest score among the effects, looking through those that are not anomalous themselves."""
    seen, ahead, worst = {place}, list(effects[place]), 0.0
    while ahead:
        effect = ahead.pop()
        if effect in seen:
            continue
        seen.add(effect)
        worst = max(worst, tested[effect])
        if tested[effect] < _ANOMALOUS:
            ahead.extend(effects[effect])
    return worst
