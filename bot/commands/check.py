"""Checks runbooks, and the catalogue where there is one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from bot.commands._files import count, read_files
from bot.domain.deployments.deployment import ROLLBACK, STRATEGY_PREFIX
from bot.domain.documentation import DOCS
from bot.environment import environment
from bot.loader.loader import LoadedLibrary
from bot.loader.yaml_positions import Problem
from bot.services.parsing.command_line import usage_of
from bot.settings import load_settings, variable
from bot.shipped import SHIPPED, runbook_path

_COMMANDS = frozenset({"triage", ROLLBACK})

NAME = "check"
SUMMARY = "Check the catalogue and every runbook, and print all problems at once."
_PAGE = f"{DOCS}/how-to/install-in-slack.md#3-describe-your-services-and-who-may-approve"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--runbooks",
        metavar="DIR",
        nargs="+",
        type=runbook_path,
        help=f"folders or files to check (default: those of the settings; `{SHIPPED}`: those that ship)",
    )
    parser.add_argument(
        "--catalogue",
        metavar="FILE",
        type=Path,
        help="the catalogue (default: that of the settings, or catalogue.yaml if it is there)",
    )


def run(args: argparse.Namespace) -> int:
    """Print a table of the valid runbooks, or every problem; return 1 if there is one."""
    settings = load_settings(environment())
    catalogue: Path | None = args.catalogue or settings.catalogue
    named = args.catalogue is not None or "catalogue" in settings.model_fields_set
    if not named and not settings.catalogue.exists():
        catalogue = None
    files = read_files(catalogue, args.runbooks or settings.runbooks)
    problems = (*files.of_catalogue, *files.of_runbooks)
    if files.library is None or problems:
        _print_problems(problems)
        return 1
    _print_table(files.library)
    if files.catalogue is None:
        print(
            f"No catalogue is set and there is no {settings.catalogue} here, so nothing was checked against "
            f"your services.\nWrite one ({_PAGE}) and set {variable('catalogue')} to its path."
        )
    else:
        services = count(len(files.catalogue.services), "service")
        print(f"The catalogue has {services} and {count(len(files.catalogue.monitors), 'monitor')}.")
    return 0


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(problem)
    files = len({problem.file for problem in problems})
    print(f"\n{count(len(problems), 'problem')} in {count(files, 'file')}.")


def _command_of(runbook: str) -> str:
    """Return the command that starts a runbook; empty for one that only a monitor starts."""
    if runbook.startswith(STRATEGY_PREFIX):
        return f"/deploy {runbook.removeprefix(STRATEGY_PREFIX)}"
    return f"/{runbook}" if runbook in _COMMANDS else ""


def _print_table(library: LoadedLibrary) -> None:
    rows = [("RUNBOOK", "LANE", "PHASES", "USAGE", "FILE")]
    for name in library.names():
        runbook = library.get(name)
        command = _command_of(name)
        usage = usage_of(runbook, command).strip("`") if command else "a monitor's `then`"
        rows.append((name, runbook.lane, str(len(runbook.phases)), usage, library.files[name]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"\n{count(len(library.names()), 'runbook')}, no problems.")
