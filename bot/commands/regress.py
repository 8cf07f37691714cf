"""Saves a wrong diagnosis as a regression case, with the right answer."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from bot.commands._archive import journal_of
from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.regression import NO_FAULT, UNCLEAR, ExpectedDiagnosis, Regression, mistake
from bot.domain.errors import NotFoundError, UsageError
from bot.domain.nearest import did_you_mean
from bot.domain.runs.inputs import Inputs
from bot.engine.replay import RecordedReduction, recorded
from bot.logs import redact
from bot.ranker import diagnose, since_s_of

NAME = "regress"
SUMMARY = "Save a run's diagnosis as a regression case, with the right answer."

_INTO = Path("tests/data/diagnoses")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "run_id", metavar="RUN", nargs="?", default="", help="a run's id, or the beginning of it"
    )
    parser.add_argument(
        "--cause",
        metavar="KIND",
        required=True,
        choices=(*(kind.value for kind in CauseKind), NO_FAULT, UNCLEAR),
        help=f"the true cause: {', '.join(CauseKind)}; {NO_FAULT} or {UNCLEAR}",
    )
    parser.add_argument("--service", metavar="NAME", default="", help="the service at fault")
    parser.add_argument(
        "--component", metavar="NAME", default="", help="the part at fault, such as a version or a setting"
    )
    parser.add_argument("--why", metavar="TEXT", default="", help="what was wrong, for the record")
    parser.add_argument(
        "--file", metavar="FILE", type=Path, help="read the run from a file of `runs export`, not from Redis"
    )
    parser.add_argument(
        "--into", metavar="FOLDER", type=Path, default=_INTO, help="the folder to write the case to"
    )


def run(args: argparse.Namespace) -> int:
    """Write the case, and print whether the current ranker gets it right."""
    run_id, events = asyncio.run(journal_of(args.run_id, file=args.file))
    told = next((t for t in reversed(recorded(run_id, events)) if t.phase.reducer == "rank_causes"), None)
    if told is None:
        raise NotFoundError(f"{run_id} has no diagnosis.")
    case = regression(told, run_id=run_id, expected=_expected(args, told), why=args.why)
    path = args.into / f"{case.service}-{case.expected.cause}-{run_id}.json"
    args.into.mkdir(parents=True, exist_ok=True)
    data = case.model_dump(mode="json", exclude_defaults=True) | {"format": case.format}
    path.write_text(redact(json.dumps(data, ensure_ascii=False, indent=1)) + "\n", encoding="utf-8")
    wrong = mistake_of(case)
    print(f"Written: {path}")
    print(f"The current ranker gets it wrong: {wrong}." if wrong else "The current ranker gets it right.")
    return 0


def regression(
    told: RecordedReduction, *, run_id: str, expected: ExpectedDiagnosis, why: str = ""
) -> Regression:
    """Return a regression case from a reducer's input."""
    given = told.given
    return Regression(
        run=run_id,
        why=why,
        service=given.run.service,
        expected=expected,
        inputs=given.run.phases[told.phase.id].inputs or Inputs(now=given.now),
        steps=tuple(step for phase in given.phases for step in phase.steps.values()),
    )


def mistake_of(case: Regression) -> str:
    """Return what the current ranker gets wrong about a case; empty if nothing."""
    said = diagnose(
        case.service,
        case.steps,
        catalogue=case.inputs.catalogue,
        now=case.inputs.now,
        since_s=since_s_of(case.inputs.arguments),
    )
    return mistake(case.expected, said)


def _expected(args: argparse.Namespace, told: RecordedReduction) -> ExpectedDiagnosis:
    """Return the right answer.

    Raises:
        UsageError: a cause that needs a service has none, or one that needs none has one.
        NotFoundError: the service was not among the run's, so no ranker could name it.
    """
    named = args.cause not in (NO_FAULT, UNCLEAR)
    if named != bool(args.service):
        text = f"{args.cause} {'needs' if named else 'takes no'} --service."
        raise UsageError(text)
    known = told.given.catalogue.names
    if named and args.service not in known:
        raise NotFoundError(
            f"The run did not cover the service {args.service}{did_you_mean(args.service, known)}.",
            hint=f"It covered {', '.join(known)}.",
        )
    cause = CauseKind(args.cause) if named else args.cause
    return ExpectedDiagnosis(cause=cause, service=args.service, component=args.component)
