"""Weighs the evidence of all services: what is their own, what a callee explains, what they would explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.analysis.anomalies import FloatArray
from bot.analysis.telemetry.evidence import Evidence
from bot.analysis.telemetry.graph import CallGraph
from bot.analysis.telemetry.weights import Weights

_NEVER = 1e-9
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One row a service; square arrays have a column a service too."""

    services: tuple[str, ...]
    kinds: tuple[str, ...]
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
    """Whether it is a leaf of which only one caller tells."""


def table_of(
    best: Mapping[str, Mapping[str, Evidence]],
    *,
    services: tuple[str, ...],
    graph: CallGraph,
    alerting: str,
    seen_within: frozenset[str],
) -> Table:
    """Lay the evidence and the call graph out; ``seen_within`` are those of which more than callers tell."""
    kinds = tuple(sorted({kind for found in best.values() for kind in found}))
    strengths = np.zeros((len(services), len(kinds)))
    for row, name in enumerate(services):
        for kind, each in best.get(name, {}).items():
            strengths[row, kinds.index(kind)] = each.strength
    behind = graph.behind(alerting) if alerting in graph else frozenset(services)
    return Table(
        services=services,
        kinds=kinds,
        strengths=strengths,
        calls=_among(services, [graph.callees(name) for name in services]),
        fails=_among(services, [graph.in_front(name) - {name} for name in services]),
        reachable=np.array([name in behind for name in services], dtype=np.bool_),
        outside=np.array([name == alerting and name not in graph for name in services], dtype=np.bool_),
        hearsay=np.array(
            [name not in seen_within and _is_edge(name, graph=graph) for name in services], dtype=np.bool_
        ),
    )


def _is_edge(name: str, *, graph: CallGraph) -> bool:
    return not graph.callees(name) and len(graph.callers(name)) == 1


def _among(services: tuple[str, ...], sets: list[frozenset[str]]) -> BoolArray:
    rows = [[name in found for name in services] for found in sets]
    return np.array(rows, dtype=np.bool_).reshape(len(services), len(services))


def scores(table: Table, *, weights: Weights) -> FloatArray:
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
    """Give each row the most trouble among the columns that are its own."""
    return np.asarray(np.where(among, total[None, :], 0.0).max(axis=1, initial=0.0), dtype=np.float64)


def _believed(table: Table, total: FloatArray, *, weights: Weights) -> FloatArray:
    """Say what is left of each service: a leaf of which only one caller tells may be the way to another one.

    A load balancer is seen by its caller alone, and is in the trouble of the service behind it: so its
    trouble counts less as far as a service that the same caller calls, and of which more is known, has it.
    """
    known = table.calls & ~table.hearsay[None, :]
    beside = _worst(table.calls.T, _worst(known, total))
    same = np.minimum(beside / np.maximum(total, _NEVER), 1.0)
    return np.asarray(np.where(table.hearsay, 1 - (1 - weights.hearsay) * same, 1.0), dtype=np.float64)


def confidence(scored: FloatArray, *, weights: Weights) -> float:
    """Give the chance that the first is right: logistic in the log of its score and in its margin, 0 to 1."""
    score, margin = features(scored)
    if score <= 0:
        return 0.0
    sure = weights.confidence
    return float(1 / (1 + np.exp(-(sure.bias + sure.score * np.log(score) + sure.margin * margin))))


def features(scored: FloatArray) -> tuple[float, float]:
    """Give the highest score, and by which share of it the second one is lower."""
    ordered = np.sort(scored)[::-1]
    if ordered.size == 0 or ordered[0] <= 0:
        return 0.0, 0.0
    second = float(ordered[1]) if ordered.size > 1 else 0.0
    return float(ordered[0]), 1 - second / float(ordered[0])
