"""How often the right commit is named, or *none* where none is to blame.

``python -m bench.diagnosing.changes --json``: the shipped weights on all cases with known causes,
weights fitted on the other cases only, and what is left when a source is missing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.diagnosing.changes_in_triage import named_in_triage
from bench.diagnosing.fit_changes import Labelled, fitted, labelled
from bot.commands.rank_changes import answer
from bot.diagnosis.commits.case import NONE, ChangeCase
from bot.diagnosis.commits.ranking import CommitBlame, blame
from bot.diagnosis.commits.weights import CommitWeights

NAME = "changes"
_GOAL_EXACT, _GOAL_DECOYS, _GOAL_NONE, _GOAL_S = 0.70, 0.10, 1.0, 2.0
_HIGH = 0.8
_OVERFITTED = 0.10
_FIRST = 3


def measure(data_dir: Path) -> dict[str, Any]:
    """Judge every case below ``data_dir`` (``dev/rootcausebench/*`` with ``truth/dev.json``)."""
    cases = labelled(data_dir)
    started = time.perf_counter()
    found = [blame(one.case) for one in cases]
    seconds = (time.perf_counter() - started) / len(cases)
    shown = scores(cases, found)
    left_out = scores(cases, [blame(one.case, weights=w) for one, w in left_one_out(cases)])
    return {
        "cases": len(cases),
        "fitted": shown,
        "cross_validated": left_out,
        "overfitted": shown["exact"] - left_out["exact"] > _OVERFITTED,
        "baselines": {name: _baseline(cases, pick) for name, pick in _BASELINES.items()},
        "without": {name: scores(cases, [blame(cut(c.case)) for c in cases]) for name, cut in _CUTS.items()},
        "counterfactuals": _counterfactuals(cases),
        "in_triage": _in_triage(cases),
        "seconds_a_case": round(seconds, 4),
        "met": {
            "exact": left_out["exact"] >= _GOAL_EXACT,
            "decoys": left_out["decoys"] <= _GOAL_DECOYS,
            "none": left_out["none_right"] >= _GOAL_NONE,
            "seconds": seconds <= _GOAL_S,
        },
    }


def scores(cases: Sequence[Labelled], found: Sequence[CommitBlame]) -> dict[str, Any]:
    """Count what was right: shares from 0 to 1."""
    pairs = list(zip(cases, found, strict=True))
    none = [(one, said) for one, said in pairs if one.commit == NONE]
    sure = [(one, said) for one, said in pairs if said.confidence >= _HIGH]
    return {
        "exact": _share([said.commit == one.commit for one, said in pairs]),
        "decoys": _share([said.commit in one.decoys for one, said in pairs]),
        "none_right": _share([said.commit == NONE for _, said in none]),
        "culprit_right": _share([s.commit == o.commit for o, s in pairs if o.commit != NONE]),
        "among_first_three": _share([one.commit in answer(said)["ranked"][:_FIRST] for one, said in pairs]),
        "service": _share([said.service == one.service for one, said in pairs]),
        "sure": len(sure),
        "sure_and_right": _share([said.commit == one.commit for one, said in sure]),
    }


def left_one_out(cases: Sequence[Labelled]) -> list[tuple[Labelled, CommitWeights]]:
    """Give each case weights that were fitted without it."""
    return [(one, fitted([other for other in cases if other.name != one.name])) for one in cases]


def _share(hits: Sequence[bool]) -> float:
    return round(sum(hits) / len(hits), 3) if hits else 0.0


def _baseline(cases: Sequence[Labelled], pick: Callable[[ChangeCase], str]) -> dict[str, float]:
    picked = [(one, pick(one.case)) for one in cases]
    return {
        "exact": _share([sha == one.commit for one, sha in picked]),
        "decoys": _share([sha in one.decoys for one, sha in picked]),
    }


def _latest(case: ChangeCase) -> str:
    live = [r for r in case.rollouts if r.at <= case.alert.fired_at]
    return max(live, key=lambda r: r.at).sha if live else NONE


def _latest_of_the_alert(case: ChangeCase) -> str:
    return _latest(case.but(rollouts=tuple(r for r in case.rollouts if r.service == case.alert.service)))


def _in_triage(cases: Sequence[Labelled]) -> dict[str, float]:
    """Ask a triage, which sees less of a case, for the cause: shares of right answers, 0 to 1."""
    pairs = [(one, named_in_triage(one.case)) for one in cases]
    return {
        "exact": _share([said == one.commit for one, said in pairs]),
        "decoys": _share([said in one.decoys for one, said in pairs]),
        "none_right": _share([said == NONE for one, said in pairs if one.commit == NONE]),
    }


def _counterfactuals(cases: Sequence[Labelled]) -> dict[str, float]:
    """Ask what is known without a label: shares of right answers, 0 to 1.

    Without its culprit, and with the culprit live after the alert only, a case has no commit to blame.  If
    every commit up to then had gone live together with the culprit, it would still be to blame.
    """
    guilty = [one for one in cases if one.commit != NONE]
    return {
        "culprit_absent": _share([blame(_absent(one)).commit == NONE for one in guilty]),
        "culprit_late": _share([blame(_late(one)).commit == NONE for one in guilty]),
        "all_live": _share([blame(_all_live(one)).commit == one.commit for one in guilty]),
    }


def _absent(one: Labelled) -> ChangeCase:
    case = one.case
    return case.but(
        commits=tuple(c for c in case.commits if c.sha != one.commit),
        rollouts=tuple(r for r in case.rollouts if r.sha != one.commit),
    )


def _late(one: Labelled) -> ChangeCase:
    case = one.case
    return case.but(
        rollouts=tuple(r.but(at=case.alert.fired_at) if r.sha == one.commit else r for r in case.rollouts)
    )


def _all_live(one: Labelled) -> ChangeCase:
    case = one.case
    with_it = [
        rollout.but(sha=commit.sha)
        for rollout in case.rollouts
        for commit in case.commits
        if rollout.sha == one.commit and commit.at < rollout.at and commit.sha != one.commit
    ]
    return case.but(rollouts=(*case.rollouts, *with_it))


_BASELINES: Mapping[str, Callable[[ChangeCase], str]] = {
    "latest_deploy": _latest,
    "latest_deploy_of_the_alerting_service": _latest_of_the_alert,
    "always_none": lambda _: NONE,
}
_CUTS: Mapping[str, Callable[[ChangeCase], ChangeCase]] = {
    "logs": lambda case: case.but(lines=(), templates=()),
    "templates": lambda case: case.but(templates=()),
    "traces": lambda case: case.but(calls=()),
    "metrics": lambda case: case.but(series=()),
    "provider_status": lambda case: case.but(statuses=()),
}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder with dev/ and truth/")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.parse_args()
    figures = measure(args.data)
    if args.json:
        print(json.dumps(figures, indent=2))
    else:
        for name in ("fitted", "cross_validated", "counterfactuals", "in_triage"):
            print(f"{name:16}", *(f"{key}={value}" for key, value in figures[name].items()))


if __name__ == "__main__":
    main()
