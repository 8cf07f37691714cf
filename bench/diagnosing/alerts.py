"""How often the alert track names the broken instance first, beside counting and rarity-weighted counting."""

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
from bot.analysis.alerts.case import AlertCase
from bot.analysis.alerts.rank import rank_alerts, shipped_weights

Ranker = Callable[[AlertCase], Sequence[str]]
Alert = tuple[str, tuple[str, ...]]


def measure(data_dir: Path, *, split: str = "dev") -> dict[str, Any]:
    """Tell HR@1, HR@3, HR@5 and seconds a case, by system and ranker; ``record`` tells of the fitting."""
    systems = {name: _system(cases) for name, cases in known_cases(data_dir, split=split).items()}
    return {"split": split, "systems": systems, "record": shipped_weights().record}


def _system(cases: Sequence[Known]) -> dict[str, Any]:
    rankers: dict[str, Ranker] = {"count": count, "rarity": rarity(cases), "pilothouse": pilothouse}
    return {
        "cases": len(cases),
        "chance": sum(1 / len(known.case.nodes) for known in cases) / len(cases),
        **{name: _figures(ranker, cases) for name, ranker in rankers.items()},
    }


def _figures(ranker: Ranker, cases: Sequence[Known]) -> dict[str, float]:
    began = time.perf_counter()
    ranks = [_rank(ranker(known.case), known.culprit) for known in cases]
    seconds = (time.perf_counter() - began) / len(cases)
    return {**{f"HR@{k}": round(hit_rate(ranks, k), 3) for k in (1, 3, 5)}, "seconds": round(seconds, 4)}


def _rank(ranked: Sequence[str], culprit: str) -> float:
    return ranked.index(culprit) + 1 if culprit in ranked else math.inf


def pilothouse(case: AlertCase) -> Sequence[str]:
    """Rank as ``python -m bot rank-alerts`` does: one case, no other case, no label."""
    return [blamed.instance for blamed in rank_alerts(case)]


def count(case: AlertCase) -> Sequence[str]:
    """Rank by the number of alerts."""
    return _ordered(case, Counter(instance for instance, _ in _alerts(case)))


def rarity(cases: Sequence[Known]) -> Ranker:
    """Rank by alerts weighted by their rarity at the same instance over all ``cases``, labels unseen."""
    frequency = Counter(alert for known in cases for alert in set(_alerts(known.case)))

    def ranked(case: AlertCase) -> Sequence[str]:
        scores: defaultdict[str, float] = defaultdict(float)
        for alert in set(_alerts(case)):
            scores[alert[0]] += math.log((1 + len(cases)) / (1 + frequency[alert]))
        return _ordered(case, scores)

    return ranked


def _alerts(case: AlertCase) -> Iterator[Alert]:
    yield from ((alert[0], ("metric", *alert[-2:])) for alert in case.metric_alerts)
    yield from ((instance, ("log", template)) for instance, template in case.log_alerts)
    yield from ((called, ("trace", kind)) for _, called, _, kind in case.trace_alerts)


def _ordered(case: AlertCase, scores: Mapping[str, float]) -> Sequence[str]:
    return sorted(case.nodes, key=lambda node: (-scores.get(node, 0.0), node))


def main() -> None:
    """Print the figures, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the cases, with dev/ and truth/")
    parser.add_argument("--split", choices=SPLITS, default="dev")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    told = measure(args.data, split=args.split)
    if args.json:
        print(json.dumps(told, indent=2))
        return
    for system, figures in told["systems"].items():
        print(f"{system} ({figures['cases']} cases, chance {figures['chance']:.2f})")
        for ranker in ("count", "rarity", "pilothouse"):
            print(f"  {ranker:12}", " ".join(f"{name}={value}" for name, value in figures[ranker].items()))


if __name__ == "__main__":
    main()
