"""Names the commit that broke something, from a folder with the incident."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bot.adapters.files.change_cases import load_change_case
from bot.diagnosis.commits.case import NONE
from bot.diagnosis.commits.ranking import CommitBlame, RankedCommit, blame
from bot.domain.model import JsonObject

NAME = "rank-changes"
SUMMARY = "Name the commit that is to blame for an incident, or `none`, and print why as one JSON object."

_DIGITS = 4


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "folder",
        metavar="CASE_DIR",
        type=Path,
        help="a folder with alert.json, context/commits.json, context/deploys.json and any telemetry",
    )


def run(args: argparse.Namespace) -> int:
    """Print the answer; *none* is an answer too, so the exit code is 0."""
    print(json.dumps(answer(blame(load_change_case(args.folder))), ensure_ascii=False))
    return 0


def answer(found: CommitBlame) -> JsonObject:
    """Return an answer in the fields that docs/reference/rank-changes.md lists."""
    order = [(ranked.probability, ranked.candidate.sha) for ranked in found.ranked]
    order = sorted([*order, (found.none, NONE)], key=lambda pair: (-pair[0], pair[1]))
    return {
        "commit": found.commit,
        "service": found.service,
        "confidence": round(found.confidence, _DIGITS),
        "ranked": [sha for _, sha in order],
        "onset": found.onset.isoformat(),
        "candidates": [_candidate(ranked) for ranked in found.ranked],
        "outside": [sign.model_dump(mode="json") for sign in found.outside],
        "ruled_out": [excluded.model_dump(mode="json") for excluded in found.excluded],
    }


def _candidate(ranked: RankedCommit) -> JsonObject:
    candidate = ranked.candidate
    return {
        "commit": candidate.sha,
        "service": candidate.service,
        "probability": round(ranked.probability, _DIGITS),
        "figures": {name: round(value, _DIGITS) for name, value in candidate.figures.items()},
        "does": [hazard.what for hazard in candidate.hazards],
        "words_in_common": list(candidate.met),
    }
