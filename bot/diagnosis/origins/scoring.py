"""Weighs the evidence of all services: what is their own, what a callee explains, what they would explain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.diagnosis.origins.weights import OriginWeights
from bot.diagnosis.signals.anomalies import BoolArray, FloatArray
from bot.domain.diagnoses.finding import FindingKind

_NEVER = 1e-9
_FAR = 50.0


@dataclass(frozen=True, kw_only=True)
class ScoreTable:
    """One row a service; square arrays have a column a service too."""

    services: tuple[str, ...]
    kinds: tuple[FindingKind, ...]
    strengths: FloatArray
    """A column for each of ``kinds``."""
    calls: BoolArray
    """Whether the row's service calls the column's."""
    fails: BoolArray
    """Whether the column's service is in front of the row's, so that its trouble may be the row's doing."""
    reachable: BoolArray
    """Whether it lies behind the alert."""
    outside: BoolArray
    """Whether it raised the alert and is not in the call graph, so that no callee could explain it."""
    hearsay: BoolArray
    """Whether it is a leaf that only one caller's data shows."""


def scores(table: ScoreTable, *, weights: OriginWeights) -> FloatArray:
    """Score each service by its own evidence, its unexplained symptoms, and the trouble it would explain.

    ``(own + symptoms * (1 - explained * worst callee / total)) * (1 + coverage * share in front of it)``,
    where the total is own evidence and symptoms.  The symptoms of an alerting service that is not in the call
    graph are what is to be explained, and little evidence against it.
    """
    own = table.strengths @ np.array([weights.own.get(kind, 0.0) for kind in table.kinds])
    symptoms = table.strengths @ np.array([weights.symptom.get(kind, 0.0) for kind in table.kinds])
    total = own + symptoms
    explained = np.minimum(_worst(table.calls, total) / np.maximum(total, _NEVER), 1.0)
    begun = own + symptoms * (1 - weights.explained * explained) * np.where(
        table.outside, weights.outside, 1.0
    )
    covered = table.fails @ total / max(float(total.sum()), _NEVER)
    kept = np.where(table.reachable, 1.0, weights.unreachable) * _believed(table, total, weights=weights)
    return np.asarray(begun * (1 + weights.coverage * covered) * kept, dtype=np.float64)


def _worst(among: BoolArray, total: FloatArray) -> FloatArray:
    """Return for each row the most trouble among the columns that are its own."""
    return np.asarray(np.where(among, total[None, :], 0.0).max(axis=1, initial=0.0), dtype=np.float64)


def _believed(table: ScoreTable, total: FloatArray, *, weights: OriginWeights) -> FloatArray:
    """Return the share left of each service: a leaf with one caller may be the way to another service.

    A load balancer is seen by its caller alone, and is in the trouble of the service behind it: so its
    trouble counts less as far as a service that the same caller calls, and of which more is known, has it.
    """
    known = table.calls & ~table.hearsay[None, :]
    beside = _worst(table.calls.T, _worst(known, total))
    same = np.minimum(beside / np.maximum(total, _NEVER), 1.0)
    return np.asarray(np.where(table.hearsay, 1 - (1 - weights.hearsay) * same, 1.0), dtype=np.float64)


def confidence(scored: FloatArray, *, weights: OriginWeights) -> float:
    """Return the chance that the first is right, 0 to 1: logistic in the log of its score and its margin."""
    score, margin = features(scored)
    if score <= 0:
        return 0.0
    sure = weights.confidence
    log_odds = sure.bias + sure.score * np.log(score) + sure.margin * margin
    return float(1 / (1 + np.exp(-np.clip(log_odds, -_FAR, _FAR))))


def features(scored: FloatArray) -> tuple[float, float]:
    """Return the highest score, and by which share of it the second one is lower."""
    ordered = np.sort(scored)[::-1]
    if ordered.size == 0 or ordered[0] <= 0:
        return 0.0, 0.0
    second = float(ordered[1]) if ordered.size > 1 else 0.0
    return float(ordered[0]), 1 - second / float(ordered[0])
