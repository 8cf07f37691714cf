"""Fits the alert track's weights on coarse steps and records their worth where they were not fitted."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.diagnosing.alert_cases import Known, known_cases
from bench.diagnosis import DATA
from bot.diagnosis.alerts.board import AlertBoard, boards_of
from bot.diagnosis.alerts.terms import Term, terms_of

STEPS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
"""All that a weight may be: finer ones only learn the cases by heart.  No term may change its sign."""
ALONE, HISTORY = "alone", "with_history"
_TERMS = tuple(Term)
_FOLDS = 5
_ROUNDS = 4
_WORTH = 0.002
"""What a step must add to the aim, so that a weight is not moved for half a case."""
_SOFTNESS = 0.3
"""Scores this close share a case: counting hits alone would reward luck at the edge."""
_TIE = 1e-9
Vector = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case: terms by instance, and the culprit's place among the instances."""

    terms: Vector
    culprit: int
    group: str


Modes = Mapping[str, Sequence[Row]]
"""The same cases, each alone and with the others as its history."""
Systems = Mapping[str, Modes]


def fitted(systems: Systems) -> Vector:
    """Climb one weight at a time from all ones; the aim is the worst system and mode, plus the mean."""
    weights = np.ones(len(_TERMS))
    best = _aim(systems, weights)
    for _ in range(_ROUNDS):
        start = weights
        for place in range(len(_TERMS)):
            for step in STEPS:
                tried = weights.copy()
                tried[place] = step
                aim = _aim(systems, tried)
                if aim > best + _WORTH:
                    best, weights = aim, tried
        if weights is start:
            break
    return weights


def _aim(systems: Systems, weights: Vector) -> float:
    means = [
        sum(_chance(row, weights) for row in rows) / len(rows)
        for modes in systems.values()
        for rows in modes.values()
    ]
    return min(means) + sum(means) / len(means)


def _chance(row: Row, weights: Vector) -> float:
    """Tell the culprit's share of the blame, softmax of the scores: a hit that may be half a hit."""
    scores = row.terms @ weights / _SOFTNESS
    powers = np.exp(scores - scores.max())
    return float(powers[row.culprit] / powers.sum())


def hit(row: Row, weights: Vector) -> float:
    """1 if the culprit alone comes first, one in ``n`` if it shares the first place with others, else 0."""
    scores = row.terms @ weights
    gap = scores - scores[row.culprit]
    return 0.0 if (gap > _TIE).any() else 1.0 / int((np.abs(gap) <= _TIE).sum())


def record(systems: Systems, weights: Vector) -> dict[str, Any]:
    """Tell HR@1 by system and mode: fitted; without the groups judged on; without the system judged on."""
    return {
        "made_by": "python -m bench.diagnosing.fit_alerts",
        "cases": {name: len(modes[ALONE]) for name, modes in systems.items()},
        "fitted": _rates(systems, lambda _name, _row: weights),
        "groups_left_out": _rates(systems, _without_groups(systems)),
        "system_left_out": _rates(systems, _without_system(systems)),
    }


Choice = Callable[[str, Row], Vector]


def _rates(systems: Systems, weights_for: Choice) -> dict[str, dict[str, float]]:
    return {
        name: {
            mode: round(sum(hit(row, weights_for(name, row)) for row in rows) / len(rows), 3)
            for mode, rows in modes.items()
        }
        for name, modes in systems.items()
    }


def _without_groups(systems: Systems) -> Choice:
    folds = [
        fitted(
            {
                name: {mode: [row for row in rows if _fold(row) != fold] for mode, rows in modes.items()}
                for name, modes in systems.items()
            }
        )
        for fold in range(_FOLDS)
    ]
    return lambda _name, row: folds[_fold(row)]


def _without_system(systems: Systems) -> Choice:
    learnt = {name: fitted({n: m for n, m in systems.items() if n != name}) for name in systems}
    return lambda name, _row: learnt[name]


def _fold(row: Row) -> int:
    return int(hashlib.sha256(row.group.encode()).hexdigest(), 16) % _FOLDS


def modes_of(cases: Sequence[Known]) -> Modes:
    """Weigh every case alone and with the others as its history, whose labels nobody looks at."""
    return {
        ALONE: [_row(known, AlertBoard(known.case)) for known in cases],
        HISTORY: [
            _row(known, board)
            for known, board in zip(cases, boards_of(known.case for known in cases), strict=True)
        ],
    }


def _row(known: Known, board: AlertBoard) -> Row:
    table = terms_of(board)
    terms = np.array([[row[term] for term in _TERMS] for row in table.values()])
    return Row(terms=terms, culprit=list(table).index(known.culprit), group=known.group)


def main() -> None:
    """Print the weights with their record, as they ship."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with dev/ and truth/")
    systems = {name: modes_of(cases) for name, cases in known_cases(parser.parse_args().data).items()}
    weights = fitted(systems)
    told = {term.value: float(weight) for term, weight in zip(_TERMS, weights, strict=True)}
    print(json.dumps({"record": record(systems, weights), "weights": told}, indent=2))


if __name__ == "__main__":
    main()
