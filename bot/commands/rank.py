"""Ranks the services of a recorded case by how likely each is where the trouble began."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from bot.adapters.case_folder import read_case
from bot.analysis.telemetry.evidence import Evidence, named_by
from bot.analysis.telemetry.ranking import Ranking, rank
from bot.analysis.telemetry.weights import shipped
from bot.domain.errors import UsageError

NAME = "rank"
SUMMARY = "Rank the services of a recorded case (metrics, call graph, spans, logs) as JSON."

_DIGITS = 4


class OnsetInvalidError(UsageError):
    """The onset is no moment."""

    reason = "onset_invalid"
    default_hint = "Give seconds since the epoch, such as 1700249400, or leave it out."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "case", type=Path, metavar="CASE_DIR", help="a folder with case.json and metrics.csv.gz"
    )
    parser.add_argument("onset", nargs="?", default="", help="seconds since the epoch; found if left out")


def run(args: argparse.Namespace) -> int:
    """Print the ranking as one JSON object."""
    ranking = rank(read_case(args.case), weights=shipped(), onset_s=_onset(args.onset))
    print(json.dumps(written(ranking), allow_nan=False))
    return 0


def _onset(text: str) -> float | None:
    """Read the onset; an empty one is not known.

    Raises:
        OnsetInvalidError: it is no finite number.
    """
    if not text:
        return None
    try:
        onset_s = float(text)
    except ValueError:
        raise OnsetInvalidError(f"“{text}” is no moment.") from None
    if not math.isfinite(onset_s):
        raise OnsetInvalidError(f"“{text}” is no moment.")
    return onset_s


def written(ranking: Ranking) -> dict[str, Any]:
    """Lay the ranking out: services and metrics, best first, and the evidence of the first service."""
    metrics = [
        [suspicion.service, each.metric, round(suspicion.score * each.strength, _DIGITS)]
        for suspicion in ranking.suspicions
        for each in named_by(suspicion.evidence)
    ]
    first = ranking.suspicions[0].evidence if ranking.suspicions else ()
    return {
        "services": [[each.service, round(each.score, _DIGITS)] for each in ranking.suspicions],
        "metrics": metrics,
        "confidence": round(ranking.confidence, _DIGITS),
        "onset": ranking.onset_s,
        "evidence": [_evidence(each) for each in first],
    }


def _evidence(each: Evidence) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "name": each.name,
        "strength": round(each.strength, _DIGITS),
        "ordinary": each.ordinary,
        "value": each.value,
    }
