"""Fits the weights of the ranker for raw telemetry to cases with known causes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.diagnosis.origins.ranking import OriginEvidence
from bot.diagnosis.origins.scoring import features, scores
from bot.diagnosis.origins.weights import OriginWeights, Sureness
from bot.diagnosis.signals.anomalies import FloatArray

_SHARPNESS = 4.0
_LEAST_CHANCE = 1e-3
_PULL = 0.15
_STEPS = (1.6, 1 / 1.6, 1.25, 1 / 1.25)
_SHARE_STEPS = (0.15, -0.15, 0.05, -0.05)
_SHARES = ("explained", "unreachable", "outside", "hearsay")
_ROUNDS = 3
_RIDGE = 0.5
_NEWTON = 50


@dataclass(frozen=True, kw_only=True)
class Example:
    """The evidence of one case and its label; ``service`` is none where nothing was wrong."""

    system: str
    service: str | None
    found: OriginEvidence


def by_hand() -> OriginWeights:
    """Read the weights that a fit begins at: set by hand, from what is known of incidents."""
    return OriginWeights.model_validate_json((Path(__file__).parent / "by_hand.json").read_text("utf-8"))


def fit(examples: Sequence[Example], *, start: OriginWeights) -> OriginWeights:
    """Fit the weights to all, then how sure to be to what each system gets from weights of the other ones.

    Weights look better on the cases they were fitted to than on any others: sureness is not learnt there.
    """
    by_system: dict[str, list[Example]] = {}
    for each in examples:
        by_system.setdefault(each.system, []).append(each)
    judged: list[tuple[Example, FloatArray]] = []
    for system, own in sorted(by_system.items()):
        others = [each for each in examples if each.system != system]
        weights = fit_weights(others or own, start=start)
        judged.extend((each, scores(each.found.table, weights=weights)) for each in own)
    return fit_weights(examples, start=start).but(confidence=_sureness(judged))


def fit_weights(examples: Sequence[Example], *, start: OriginWeights) -> OriginWeights:
    """Fit the weights by coordinate descent over factors of each.

    The loss is the mean over the systems, each counting alike, of ``-log p`` of the true service with ``p``
    proportional to ``score**4``, plus ``0.15 * log(w / w0)**2`` for each weight, which pulls what the cases
    say little about to where it stood.
    """
    faults = [each for each in examples if each.service in each.found.table.services]
    weights, least = start, _loss(faults, start, start=start)
    for _ in range(_ROUNDS):
        for candidates in _moves(start):
            for move in candidates:
                moved = move(weights)
                loss = _loss(faults, moved, start=start)
                if loss < least - 1e-6:
                    weights, least = moved, loss
    return weights


def _moves(start: OriginWeights) -> Iterator[list[Callable[[OriginWeights], OriginWeights]]]:
    for side in ("own", "symptom"):
        for kind in getattr(start, side):
            yield [_scaled(side, kind, factor) for factor in _STEPS]
    yield [lambda weights, by=factor: weights.but(coverage=weights.coverage * by) for factor in _STEPS]
    for share in _SHARES:
        yield [_shifted(share, by) for by in _SHARE_STEPS]


def _scaled(side: str, kind: str, factor: float) -> Callable[[OriginWeights], OriginWeights]:
    def move(weights: OriginWeights) -> OriginWeights:
        table = getattr(weights, side)
        return weights.but(**{side: {**table, kind: table[kind] * factor}})

    return move


def _shifted(share: str, by: float) -> Callable[[OriginWeights], OriginWeights]:
    return lambda weights: weights.but(**{share: min(max(getattr(weights, share) + by, 0.0), 1.0)})


def _loss(faults: Sequence[Example], weights: OriginWeights, *, start: OriginWeights) -> float:
    by_system: dict[str, list[float]] = {}
    for each in faults:
        powers = np.maximum(scores(each.found.table, weights=weights), 0.0) ** _SHARPNESS
        chance = powers[each.found.table.services.index(each.service or "")] / max(powers.sum(), 1e-12)
        by_system.setdefault(each.system, []).append(-float(np.log(max(chance, _LEAST_CHANCE))))
    return float(np.mean([np.mean(losses) for losses in by_system.values()])) + _PULL * _away(weights, start)


def _away(weights: OriginWeights, start: OriginWeights) -> float:
    pairs = [
        (getattr(weights, s)[k], getattr(start, s)[k]) for s in ("own", "symptom") for k in getattr(start, s)
    ]
    pairs.append((weights.coverage, start.coverage))
    away = sum(float(np.log(now / then)) ** 2 for now, then in pairs)
    return away + sum((getattr(weights, share) - getattr(start, share)) ** 2 * 4 for share in _SHARES)


def _sureness(judged: Sequence[tuple[Example, FloatArray]]) -> Sureness:
    """Fit the logistic function by Newton's method, each system counting alike, with a ridge of 0.5.

    Right is a first rank at the true service; any other is wrong, and so is any where nothing was wrong.
    """
    rows, right, shares = [], [], []
    counts = Counter(each.system for each, _ in judged)
    for each, scored in judged:
        score, margin = features(scored)
        rows.append((1.0, float(np.log(max(score, 1e-3))), margin))
        right.append(each.found.table.services[int(np.argmax(scored))] == each.service)
        shares.append(len(judged) / len(counts) / counts[each.system])
    x, y, w = np.array(rows), np.array(right, dtype=np.float64), np.array(shares)
    beta = _logistic(x, y, w)
    if beta[2] < 0:  # a narrow margin makes nobody surer, whatever a few cases say
        beta = np.append(_logistic(x[:, :2], y, w), 0.0)
    bias, score_weight, margin_weight = (round(float(each), 3) for each in beta)
    return Sureness(bias=bias, score=score_weight, margin=margin_weight)


def _logistic(x: FloatArray, y: FloatArray, w: FloatArray) -> FloatArray:
    beta = np.zeros(x.shape[1])
    ridge = np.diag([0.0, *[_RIDGE] * (x.shape[1] - 1)])
    for _ in range(_NEWTON):
        p = 1 / (1 + np.exp(-x @ beta))
        slope = x.T @ (w * (y - p)) - ridge @ beta
        hessian = (x * (w * p * (1 - p))[:, None]).T @ x + ridge + 1e-6 * np.eye(x.shape[1])
        beta += np.linalg.solve(hessian, slope)
    return beta
