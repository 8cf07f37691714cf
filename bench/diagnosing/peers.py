"""Two published rankers to stand beside, written anew from their papers; both need to be told the onset."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bot.analysis.anomalies import FloatArray
from bot.analysis.telemetry.case import Telemetry

_LEAST_BEFORE = 5
Score = Callable[[FloatArray, FloatArray], float]


def n_sigma(before: FloatArray, after: FloatArray) -> float:
    """Score a series by its largest deviation in standard deviations (N-Sigma, as in RCAEval 2025)."""
    sigma = float(before.std())
    return float(np.abs((after - before.mean()) / sigma).max()) if sigma > 0 else 0.0


def robust_scorer(before: FloatArray, after: FloatArray) -> float:
    """Score a series by its largest value in quartile ranges above the median (BARO, Pham et al. 2024).

    A range of zero counts as one, as in the scaler that its authors use.
    """
    low, middle, high = np.quantile(before, (0.25, 0.5, 0.75))
    return float(((after - middle) / ((high - low) or 1.0)).max())


PEERS: Mapping[str, Score] = {"N-Sigma": n_sigma, "BARO RobustScorer": robust_scorer}


def ranked(case: Telemetry, *, score: Score, onset_s: float) -> list[tuple[str, str, float]]:
    """Order the series, best first: service, metric, score."""
    since = case.times_s >= onset_s
    found = []
    for column, values in zip(case.columns, case.values.T, strict=True):
        present = np.isfinite(values)
        before, after = values[present & ~since], values[present & since]
        if before.size >= _LEAST_BEFORE and after.size:
            found.append((column.service, column.metric, score(before, after)))
    return sorted(found, key=lambda each: -each[2])
