"""Published rankers to stand beside, written anew from their papers, with and without the onset told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

import numpy as np

from bench.diagnosing.bocpd import onset_of
from bench.diagnosing.hypothesis_test import hypothesis_test
from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.signals.anomalies import FloatArray

_LEAST_BEFORE = 5
Score = Callable[[FloatArray, FloatArray], float]
Series = list[tuple[str, str, float]]
"""Service, metric, score; best first."""


class Ranker(Protocol):
    """Orders the series of a case by how much each is to blame."""

    def __call__(self, case: Telemetry, *, onset_s: float) -> Series:
        """Go by the onset, in seconds since the epoch."""


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


def ranked(case: Telemetry, *, score: Score, onset_s: float) -> Series:
    """Order the series by a score that looks at one of them at a time."""
    since = case.times_s >= onset_s
    found = []
    for column, values in zip(case.columns, case.values.T, strict=True):
        present = np.isfinite(values)
        before, after = values[present & ~since], values[present & since]
        if before.size >= _LEAST_BEFORE and after.size:
            found.append((column.service, column.metric, score(before, after)))
    return sorted(found, key=lambda each: -each[2])


TOLD: Mapping[str, Ranker] = {
    "N-Sigma": partial(ranked, score=n_sigma),
    "BARO RobustScorer": partial(ranked, score=robust_scorer),
    "hypothesis test over the call graph": hypothesis_test,
}
"""By name; they need to be told the onset."""

_UNTOLD = {"BARO RobustScorer": "BARO", "N-Sigma": "BOCPD and N-Sigma"}


def _unaided(case: Telemetry, *, ranker: Ranker) -> Series:
    return ranker(case, onset_s=onset_of(case))


UNTOLD: Mapping[str, Callable[[Telemetry], Series]] = {
    name: partial(_unaided, ranker=TOLD[told]) for told, name in _UNTOLD.items()
}
"""The same after Bayesian online change point detection, which BARO does first."""
