"""Fits the weights of the ranker for raw telemetry, and writes them down with how that was done.

``python -m bench.fit --data DIR``: on the cases of the split ``dev``, with and without the onset, beginning
at ``bench/diagnosing/by_hand.json``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.diagnosing.cases import known_cases
from bench.diagnosing.fitting import Example, by_hand, fit
from bench.diagnosis import DATA
from bot.diagnosis.offline.reading import read
from bot.diagnosis.origins.ranking import ground_of
from bot.diagnosis.origins.weights import Fit

_OUT = Path("bot/diagnosis/origins/weights.json")
_DIGITS = 3


def main() -> None:
    """Fit, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help=f"the folder with the cases ({DATA})")
    parser.add_argument("--out", type=Path, default=_OUT, help=f"where to write ({_OUT})")
    args = parser.parse_args()
    start = by_hand()
    examples = []
    for known in known_cases(args.data):
        case = known.read()
        for onset_s in (known.onset_s, None):
            found = ground_of(read(case, weights=start, onset_s=onset_s).scene)
            examples.append(Example(system=known.system, service=known.service, found=found))
    weights = fit(examples, start=start).but(
        fitted=Fit(
            how="python -m bench.fit: coordinate descent from weights set by hand, systems counting alike",
            on=tuple(f"{system} dev" for system in sorted({each.system for each in examples})),
        )
    )
    args.out.write_text(json.dumps(_rounded(weights.model_dump(mode="json")), indent=2) + "\n", "utf-8")


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return round(value, _DIGITS) if isinstance(value, float) else value


if __name__ == "__main__":
    main()
