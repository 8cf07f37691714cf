"""Fits the alert track's weights on coarse steps and records their worth where they were not fitted."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.diagnosing.alert_cases import Known, known_cases
from bot.analysis.alerts.board import Board
from bot.analysis.alerts.terms import Term, terms_of

STEPS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""All that a weight may be: finer ones only learn the cases by heart.  No term may change its sign."""
_TERMS = tuple(Term)
_FOLDS = 5
_ROUNDS = 4
_WORTH = 0.002
"""What a step must add to the aim, so that a weight is not moved for half a case."""
_TIE = 1e-9
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case: terms by instance, and the culprit's place among the instances."""

    terms: Vector
    culprit: int
    group: str


Systems = Mapping[str, Sequence[Row]]


def fitted(systems: Systems) -> Vector:
    """Climb one weight at a time from all ones; the aim is the worst system first, then the mean."""
    weights = np.ones(len(_TERMS))
    best = _aim(systems, weights)
    for _ in range(_ROUNDS):
        moved = False
        for place in range(len(_TERMS)):
            for step in STEPS:
                tried = weights.copy()
                tried[place] = step
                aim = _aim(systems, tried)
                if aim > best + _WORTH:
                    best, weights, moved = aim, tried, True
        if not moved:
            break
    return weights


def _aim(systems: Systems, weights: Vector) -> float:
    rates = [rate(rows, weights) for rows in systems.values()]
    return min(rates) + sum(rates) / len(rates)


def rate(rows: Sequence[Row], weights: Vector) -> float:
    """HR@1, where a tie of ``n`` instances counts one in ``n``."""
    return sum(_hit(row, weights) for row in rows) / len(rows)


def _hit(row: Row, weights: Vector) -> float:
    scores = row.terms @ weights
    gap = scores - scores[row.culprit]
    return 0.0 if (gap > _TIE).any() else 1.0 / int((np.abs(gap) <= _TIE).sum())


def record(systems: Systems, weights: Vector) -> dict[str, Any]:
    """Tell HR@1 by system: fitted; with whole groups of breaks left out; with the whole system left out."""
    return {
        "made_by": "python -m bench.diagnosing.fit_alerts",
        "cases": {name: len(rows) for name, rows in systems.items()},
        "fitted": {name: _told(rate(rows, weights)) for name, rows in systems.items()},
        "groups_left_out": _groups_left_out(systems),
        "system_left_out": {
            name: _told(rate(rows, fitted({n: r for n, r in systems.items() if n != name})))
            for name, rows in systems.items()
        },
    }


def _groups_left_out(systems: Systems) -> dict[str, float]:
    hits = dict.fromkeys(systems, 0.0)
    for fold in range(_FOLDS):
        learnt = {n: [row for row in rows if _fold(row) != fold] for n, rows in systems.items()}
        weights = fitted(learnt)
        for name, rows in systems.items():
            hits[name] += sum(_hit(row, weights) for row in rows if _fold(row) == fold)
    return {name: _told(hits[name] / len(rows)) for name, rows in systems.items()}


def _fold(row: Row) -> int:
    return int(hashlib.sha256(row.group.encode()).hexdigest(), 16) % _FOLDS


def _told(value: float) -> float:
    return round(float(value), 3)


def rows_of(cases: Sequence[Known]) -> list[Row]:
    """Weigh every case once; cases whose culprit is no instance of theirs teach nothing."""
    return [_row(known) for known in cases if known.culprit in known.case.nodes]


def _row(known: Known) -> Row:
    table = terms_of(Board(known.case))
    terms = np.array([[row[term] for term in _TERMS] for row in table.values()])
    return Row(terms=terms, culprit=list(table).index(known.culprit), group=known.group)


def main() -> None:
    """Print the weights with their record, as they ship."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the cases, with dev/ and truth/")
    systems = {name: rows_of(cases) for name, cases in known_cases(parser.parse_args().data).items()}
    weights = fitted(systems)
    told = {term.value: float(weight) for term, weight in zip(_TERMS, weights, strict=True)}
    print(json.dumps({"record": record(systems, weights), "weights": told}, indent=2))


if __name__ == "__main__":
    main()
