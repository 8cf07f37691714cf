"""Bayesian online change point detection (Adams & MacKay 2007) over many series: BARO's way to the onset."""

from __future__ import annotations

from math import lgamma

import numpy as np

from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.offline.kinds import FaultKind, kind_of
from bot.diagnosis.signals.anomalies import FloatArray

_HAZARD = 1 / 50
_TOLD_BY = (FaultKind.LATENCY, FaultKind.ERRORS, FaultKind.SUCCESS)
_LATEST_SHARE = 0.5


def onset_of(case: Telemetry) -> float:
    """Give the likeliest moment of the latest change in latency and errors, in seconds since the epoch.

    Unlike BARO's code it asks for no ten rows after the change, which a case that has just begun does not
    have, and takes the series for independent: their whole covariance takes 17 s a case.  A change that is
    older than half of the rows is none.
    """
    told = [place for place, column in enumerate(case.columns) if kind_of(column.metric) in _TOLD_BY]
    chances = run_lengths(_scaled(case.values[:, told]))
    latest = max(int(chances.size * _LATEST_SHARE), 1)
    length = 1 + int(np.argmax(chances[1 : latest + 1]))
    return float(case.times_s[max(case.times_s.size - length, 0)])


def _scaled(values: FloatArray) -> FloatArray:
    """Bring every series that varies to mean 0 and spread 1; a gap holds the mean."""
    known = np.isfinite(values)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, values, 0.0).sum(axis=0) / counts
    away = np.where(known, values - means, 0.0)
    spreads = np.sqrt((away**2).sum(axis=0) / counts)
    return np.asarray(away[:, spreads > 0] / spreads[spreads > 0], dtype=np.float64)


def run_lengths(series: FloatArray) -> FloatArray:
    """Give the chance of each number of rows since the last change, as known at the last row (a column each).

    The messages of Adams & MacKay's algorithm 1, in logarithms, with a constant hazard of 1/50 and normal
    series of unknown mean and variance (normal-gamma prior with all four parameters as for one row of 0).
    """
    rows, columns = series.shape
    log_chance = np.zeros(1)
    mean, count = np.zeros((1, columns)), np.ones(1)
    shape, rate = np.full(1, 0.5), np.full((1, columns), 0.5)
    for row in range(rows):
        seen = log_chance + _log_predictive(series[row], mean=mean, count=count, shape=shape, rate=rate)
        ended = np.logaddexp.reduce(seen) + np.log(_HAZARD)
        log_chance = np.concatenate([[ended], seen + np.log1p(-_HAZARD)])
        log_chance -= np.logaddexp.reduce(log_chance)
        away = series[row] - mean
        rate = np.vstack([rate[:1] * 0 + 0.5, rate + (count / (count + 1))[:, None] * away**2 / 2])
        mean = np.vstack([np.zeros((1, columns)), mean + away / (count + 1)[:, None]])
        count, shape = np.concatenate([[1.0], count + 1]), np.concatenate([[0.5], shape + 0.5])
    return np.asarray(np.exp(log_chance), dtype=np.float64)


def _log_predictive(
    row: FloatArray, *, mean: FloatArray, count: FloatArray, shape: FloatArray, rate: FloatArray
) -> FloatArray:
    """Sum the log densities of Student's t, ``2 * shape`` degrees of freedom, over the columns."""
    freedom = (2 * shape)[:, None]
    square = rate * ((count + 1) / (shape * count))[:, None]
    constant = np.array([lgamma(each + 0.5) - lgamma(each) for each in shape])[:, None]
    densities = (
        constant
        - 0.5 * np.log(np.pi * freedom * square)
        - (freedom + 1) / 2 * np.log1p((row - mean) ** 2 / (freedom * square))
    )
    return np.asarray(densities.sum(axis=1), dtype=np.float64)
