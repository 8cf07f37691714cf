"""Judges canary data from standard input."""

from __future__ import annotations

import argparse
import json
import os
import sys
import textwrap

from pydantic import ValidationError

from bot.canary.forecast import forecast
from bot.canary.judge import judge_case
from bot.domain.documentation import DOCS
from bot.domain.errors import UsageError
from bot.domain.rollouts.judging import CanaryCase
from bot.domain.rollouts.verdict import CanaryVerdict, Decision, Forecast, MetricOutcome, MetricVerdict

NAME = "judge"
SUMMARY = "Judge a canary from JSON on standard input; exits with 0 (proceed), 1 (stop) or 3 (ask)."

_CODES: dict[Decision, int] = {"proceed": 0, "stop": 1, "ask": 3}
_GREEN, _RED, _YELLOW, _PLAIN = "\033[32m", "\033[31m", "\033[33m", "\033[0m"
_COLOURS = {
    MetricOutcome.PASS: _GREEN,
    MetricOutcome.FAIL: _RED,
    "proceed": _GREEN,
    "stop": _RED,
}
_MOST_PROBLEMS = 20
_WIDTH = 100


class CaseInvalidError(UsageError):
    """The data to judge does not fit the schema."""

    reason = "case_invalid"
    default_hint = f"{DOCS}/reference/judge.md has the schema and examples."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print the verdict as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the verdict; return the decision as exit code."""
    case = read_case(sys.stdin.read())
    verdict = judge_case(case)
    outlook = forecast(case.traffic) if case.traffic is not None else None
    if args.json:
        answer = {
            **verdict.model_dump(mode="json"),
            "forecast": outlook.model_dump(mode="json") if outlook is not None else None,
        }
        print(json.dumps(answer, allow_nan=False))
    else:
        coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(rendered(verdict, outlook, coloured=coloured))
    return _CODES[verdict.decision]


def read_case(text: str) -> CanaryCase:
    """Read a case.

    Raises:
        CaseInvalidError: it is not JSON, or does not fit; the message names the path of every bad field.
    """
    try:
        return CanaryCase.model_validate_json(text)
    except ValidationError as error:
        problems = _problems(error)
        more = len(problems) - _MOST_PROBLEMS
        shown = problems[:_MOST_PROBLEMS] + ([f"and {more} more"] if more > 0 else [])
        raise CaseInvalidError("\n".join(["This data cannot be judged:", *shown])) from error


def _problems(error: ValidationError) -> list[str]:
    """Return each problem with its path; a list that lost its bad items is not also reported as too short."""
    found = error.errors(include_url=False)
    places = [problem["loc"] for problem in found]
    return [
        f"{_path(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"
        for problem in found
        if not any(
            len(place) > len(problem["loc"]) and place[: len(problem["loc"])] == problem["loc"]
            for place in places
        )
    ]


def _path(where: tuple[int | str, ...]) -> str:
    """Return a field's path as people write it: ``metrics[0].looks[2].canary``."""
    # After a metric's index pydantic puts the metric's kind, which is not a field.
    parts = where[:2] + where[3:] if where[:1] == ("metrics",) else where
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return path.lstrip(".") or "input"


def rendered(verdict: CanaryVerdict, outlook: Forecast | None, *, coloured: bool) -> str:
    """Return the verdict as text: the decision first, then one block a metric."""
    width = max((len(metric.metric) for metric in verdict.metrics), default=0)
    lines = [
        _paint(verdict.decision.upper(), verdict.decision, coloured=coloured),
        *_wrapped(verdict.text, 2),
        "",
    ]
    for metric in verdict.metrics:
        outcome = _paint(metric.outcome.value.replace("_", " ").ljust(12), metric.outcome, coloured=coloured)
        lines.append(f"{metric.metric.ljust(width)}  {outcome}  {_how_it_counts(metric)}")
        lines += _wrapped(metric.text, 4)
        if metric.query:
            lines.append(f"    query: {metric.query}")
    if outlook is not None:
        lines += ["", *_wrapped(outlook.text, 0)]
    return "\n".join(lines)


def _how_it_counts(metric: MetricVerdict) -> str:
    if metric.critical:
        return "critical"
    return f"weight {metric.weight:g}" + (", optional" if metric.optional else "")


def _wrapped(text: str, indent: int) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)


def _paint(text: str, what: str, *, coloured: bool) -> str:
    return f"{_COLOURS.get(what, _YELLOW)}{text}{_PLAIN}" if coloured else text
