"""Diagnoses a recorded case: where the trouble began, why, and with what confidence."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.adapters.files.case_folder import read_case
from bot.diagnosis.offline.findings import cause_first, metric_of
from bot.diagnosis.offline.reading import read
from bot.diagnosis.origins.weights import shipped
from bot.diagnosis.ranking.causes import diagnosis_of
from bot.domain.diagnoses.diagnosis import Cause, Diagnosis
from bot.domain.diagnoses.finding import Finding
from bot.domain.errors import UsageError

NAME = "rank"
SUMMARY = "Rank the services of a recorded case (metrics, call graph, spans, logs) as JSON."

_DIGITS = 4


class OnsetInvalidError(UsageError):
    """The onset is not a valid time."""

    reason = "onset_invalid"
    default_hint = "Use seconds since the epoch, such as 1700249400, or leave it out."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "case", type=Path, metavar="CASE_DIR", help="a folder with case.json and metrics.csv.gz"
    )
    parser.add_argument("onset", nargs="?", default="", help="seconds since the epoch; found if left out")


def run(args: argparse.Namespace) -> int:
    """Print the ranking as one JSON object."""
    case = read_case(args.case)
    found = read(case, weights=shipped(), onset_s=_onset(args.onset))
    diagnosis = diagnosis_of(found.scene, weights=shipped())
    print(json.dumps(written(diagnosis, services=case.services, onset_s=found.onset_s), allow_nan=False))
    return 0


def _onset(text: str) -> float | None:
    """Return the onset in seconds since the epoch; none if it is empty.

    Raises:
        OnsetInvalidError: it is not a finite number.
    """
    if not text:
        return None
    try:
        onset_s = float(text)
    except ValueError:
        raise OnsetInvalidError(f"Invalid onset: “{text}”.") from None
    if not math.isfinite(onset_s):
        raise OnsetInvalidError(f"Invalid onset: “{text}”.")
    return onset_s


def written(diagnosis: Diagnosis, *, services: Sequence[str], onset_s: float | None) -> dict[str, Any]:
    """Return a diagnosis as JSON fields.

    They are the places and metrics, most likely first, the evidence of the first place, and the causes.
    Each of ``services`` is listed; one without evidence against it has a score of 0.
    """
    by_id = {finding.id: finding for finding in diagnosis.findings}
    shown = {place.service: [by_id[each] for each in place.evidence] for place in diagnosis.places}
    named = [[place.service, place.score] for place in diagnosis.places]
    first = diagnosis.places[0] if diagnosis.places else None
    return {
        "services": [*named, *([name, 0.0] for name in sorted(set(services).difference(shown)))],
        "metrics": [
            [place.service, metric_of(each), round(place.score * each.strength, _DIGITS)]
            for place in diagnosis.places
            for each in cause_first(shown[place.service])
        ],
        "confidence": first.confidence if first else 0.0,
        "onset": onset_s,
        "evidence": [_evidence(each) for each in (shown[first.service] if first else ())],
        "verdict": diagnosis.verdict,
        "summary": diagnosis.summary,
        "causes": [_cause(each) for each in diagnosis.causes],
    }


def _evidence(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "name": finding.component,
        "strength": round(finding.strength, _DIGITS),
        "ordinary": finding.data.get("baseline"),
        "value": finding.data.get("value"),
        "says": finding.summary,
    }


def _cause(cause: Cause) -> dict[str, Any]:
    fields = {"kind", "service", "component", "summary", "confidence", "evidence", "against"}
    return cause.model_dump(mode="json", include=fields)
