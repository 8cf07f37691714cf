"""Fits the weights of ``rank-changes`` on labelled cases and writes down how.

``python -m bench.diagnosing.fit_changes --data DIR``: a conditional logit (McFadden 1974) by its posterior
mode, with normal priors around weights set by hand: few cases must not move them far.  ``--write`` replaces
the file that ships.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.adapters.files.change_cases import load_change_case
from bot.diagnosis.commits import weights as place
from bot.diagnosis.commits.case import NONE, ChangeCase
from bot.diagnosis.commits.features import candidates
from bot.diagnosis.commits.outside import outside
from bot.diagnosis.commits.ranking import blame, outsideness
from bot.diagnosis.commits.symptoms import read
from bot.diagnosis.commits.weights import CommitWeights
from bot.domain.model import Model

PRIOR = CommitWeights(
    candidate={
        "hazard": 1.5,
        "link": 2.0,
        "hazard_and_link": 3.5,
        "echo": 2.0,
        "fit": 3.0,
        "timing": 1.0,
        "place": 2.5,
    },
    none={"bias": 5.0, "outside": 3.5},
    threshold=0.3,
    record={"how": "by hand"},
)
_PRIOR_SD = 0.5
_STEPS = 20
_DIGITS = 3


class Labelled(Model):
    """A case with the truth about it."""

    name: str
    case: ChangeCase
    commit: str
    decoys: frozenset[str]
    service: str


def labelled(data_dir: Path, *, split: str = "dev") -> list[Labelled]:
    """Read the cases of a split, by name."""
    truth = json.loads((data_dir / "truth" / f"{split}.json").read_text(encoding="utf-8"))
    return [
        Labelled(
            name=name,
            case=load_change_case(data_dir / split / name),
            commit=known["commit"],
            decoys=frozenset(known["decoys"]),
            service=known["service"],
        )
        for name, known in sorted(truth.items())
        if name.startswith("rootcausebench/")
    ]


def fitted(cases: Sequence[Labelled], *, prior_sd: float = _PRIOR_SD) -> CommitWeights:
    """Find the mode of the posterior by Newton's method; a case without its culprit teaches nothing."""
    names = [*PRIOR.candidate, *(f"none:{key}" for key in PRIOR.none)]
    prior = np.array([*PRIOR.candidate.values(), *PRIOR.none.values()])
    choices = [choice for one in cases if (choice := _choice(one)) is not None]
    theta = prior.copy()
    for _ in range(_STEPS):
        slope = -(theta - prior) / prior_sd**2
        curve = np.eye(len(theta)) / prior_sd**2
        for table, right in choices:
            powers = table @ theta
            chances = np.exp(powers - powers.max())
            chances = chances / chances.sum()
            mean = chances @ table
            slope = slope + table[right] - mean
            curve = curve + (table * chances[:, None]).T @ table - np.outer(mean, mean)
        theta = np.maximum(0.0, theta + np.linalg.solve(curve, slope))
    values = dict(zip(names, (round(float(value), _DIGITS) for value in theta), strict=True))
    return CommitWeights(
        candidate={key: values[key] for key in PRIOR.candidate},
        none={key: values[f"none:{key}"] for key in PRIOR.none},
        threshold=PRIOR.threshold,
        record={
            "how": "posterior mode of a conditional logit, normal priors around weights set by hand",
            "command": "python -m bench.diagnosing.fit_changes --write",
            "prior": {**PRIOR.candidate, **{f"none_{key}": value for key, value in PRIOR.none.items()}},
            "prior_sd": prior_sd,
            "cases": len(choices),
        },
    )


def _choice(one: Labelled) -> tuple[NDArray[np.float64], int] | None:
    """Give the table of the alternatives, *none* last, and the row of the right one."""
    symptoms = read(one.case)
    possible, _ = candidates(one.case, symptoms)
    signs = outsideness(outside(one.case, symptoms))
    rows = [
        [candidate.figures[key] for key in PRIOR.candidate] + [0.0] * len(PRIOR.none)
        for candidate in possible
    ]
    rows.append([0.0] * len(PRIOR.candidate) + [1.0, signs])
    shas = [candidate.sha for candidate in possible] + [NONE]
    return (np.array(rows), shas.index(one.commit)) if one.commit in shas else None


def _record(cases: Sequence[Labelled]) -> dict[str, Any]:
    """Tell how the weights do on the cases they come from, and on each when fitted without it."""
    apart = [fitted([other for other in cases if other.name != one.name]) for one in cases]
    whole = fitted(cases)
    return {
        "exact_fitted": sum(blame(one.case, weights=whole).commit == one.commit for one in cases),
        "exact_prior": sum(blame(one.case, weights=PRIOR).commit == one.commit for one in cases),
        "exact_left_one_out": sum(
            blame(one.case, weights=w).commit == one.commit for one, w in zip(cases, apart, strict=True)
        ),
    }


def main() -> None:
    """Print or write the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with dev/ and truth/")
    parser.add_argument("--write", action="store_true", help="replace the weights that ship")
    args = parser.parse_args()
    cases = labelled(args.data)
    found = fitted(cases)
    found = found.but(record={**found.record, **_record(cases)})
    text = json.dumps(found.model_dump(), indent=2) + "\n"
    if args.write:
        (Path(place.__file__).parent / "weights.json").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
