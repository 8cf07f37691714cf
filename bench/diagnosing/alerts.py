"""The track of alerts: how often the broken instance is named first, beside plainer ways of counting."""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.diagnosing.alert_cases import SPLITS, Known, hit_rate, known_cases
from bench.diagnosis import DATA
from bot.diagnosis.alerts.board import boards_of
from bot.diagnosis.alerts.case import AlertCase
from bot.diagnosis.alerts.rank import RankedInstance, rank_alerts, rank_board, shipped_weights

NAME = "alerts"
GOALS: Mapping[str, Mapping[str, float]] = {"tvdiag-sockshop": {"HR@1": 0.75}, "tvdiag-hotel": {"HR@1": 0.75}}
Ranker = Callable[[Sequence[AlertCase]], list[Sequence[str]]]
Alert = tuple[str, tuple[str, ...]]


def measure(data: Path, *, split: str = "dev") -> dict[str, Any]:
    """Tell HR@1, HR@3, HR@5 and seconds a case, by system and ranker.

    *Alone* sees one case; *with history* also all other cases of the split, no label in either.
    ``record`` has HR@1 where the weights were not fitted.
    """
    systems = {name: _system(cases) for name, cases in known_cases(data, split=split).items()}
    goals = {system: dict(goals) for system, goals in GOALS.items()}
    return {"goals": goals, "systems": systems, "record": dict(shipped_weights().record)}


def _system(cases: Sequence[Known]) -> dict[str, Any]:
    return {
        "cases": len(cases),
        "chance": round(sum(1 / len(known.case.nodes) for known in cases) / len(cases), 3),
        **{name: _figures(ranker, cases) for name, ranker in RANKERS.items()},
    }


def _figures(ranker: Ranker, cases: Sequence[Known]) -> dict[str, float]:
    began = time.perf_counter()
    ranked = ranker([known.case for known in cases])
    seconds = (time.perf_counter() - began) / len(cases)
    ranks = [_rank(names, known.culprit) for names, known in zip(ranked, cases, strict=True)]
    return {**{f"HR@{k}": round(hit_rate(ranks, k), 3) for k in (1, 3, 5)}, "seconds": round(seconds, 4)}


def _rank(ranked: Sequence[str], culprit: str) -> float:
    return ranked.index(culprit) + 1 if culprit in ranked else math.inf


def alone(cases: Sequence[AlertCase]) -> list[Sequence[str]]:
    """Rank as ``pilothouse rank-alerts`` does for one case."""
    return [_names(rank_alerts(case)) for case in cases]


def with_history(cases: Sequence[AlertCase]) -> list[Sequence[str]]:
    """Rank as ``pilothouse rank-alerts`` does for a list of cases."""
    return [_names(rank_board(board)) for board in boards_of(cases)]


def _names(ranked: Sequence[RankedInstance]) -> Sequence[str]:
    return [blamed.instance for blamed in ranked]


def count(cases: Sequence[AlertCase]) -> list[Sequence[str]]:
    """Rank by the number of alerts."""
    return [_ordered(case, Counter(instance for instance, _ in _alerts(case))) for case in cases]


def rarity(cases: Sequence[AlertCase]) -> list[Sequence[str]]:
    """Rank by alerts weighted by their rarity at the same instance over all cases."""
    frequency = Counter(alert for case in cases for alert in set(_alerts(case)))
    ranked = []
    for case in cases:
        scores: defaultdict[str, float] = defaultdict(float)
        for alert in set(_alerts(case)):
            scores[alert[0]] += math.log((1 + len(cases)) / (1 + frequency[alert]))
        ranked.append(_ordered(case, scores))
    return ranked


RANKERS: Mapping[str, Ranker] = {
    "count, alone": count,
    "pilothouse, alone": alone,
    "rarity, with history": rarity,
    "pilothouse, with history": with_history,
}


def _alerts(case: AlertCase) -> Iterator[Alert]:
    yield from ((alert[0], ("metric", *alert[-2:])) for alert in case.metric_alerts)
    yield from ((instance, ("log", template)) for instance, template in case.log_alerts)
    yield from ((called, ("trace", kind)) for _, called, _, kind in case.trace_alerts)


def _ordered(case: AlertCase, scores: Mapping[str, float]) -> Sequence[str]:
    return sorted(case.nodes, key=lambda node: (-scores.get(node, 0.0), node))


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="a folder with the split and truth/")
    parser.add_argument("--split", choices=SPLITS, default="dev")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = measure(args.data, split=args.split)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    for system, figures in told["systems"].items():
        print(f"{system} ({figures['cases']} cases, chance {figures['chance']:.2f})")
        for name in RANKERS:
            print(f"  {name:25}", " ".join(f"{key}={value}" for key, value in figures[name].items()))


if __name__ == "__main__":
    main()
