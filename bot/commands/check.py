"""Checks runbooks, and the catalogue where there is one."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from bot.adapters.catalogue_file import CatalogueError, load_catalogue
from bot.bootstrap import load_plugins
from bot.domain.catalogue import Catalogue
from bot.engine.loader import LoadedLibrary, RunbooksInvalidError, load_runbooks
from bot.engine.marked_yaml import Problem, shown_path
from bot.engine.monitor_rules import monitor_problems
from bot.engine.probe_rules import checklist_problems
from bot.engine.words import usage_of
from bot.settings import load_settings

NAME = "check"
SUMMARY = "Check every runbook, and the catalogue, and tell all problems at once."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "--runbooks",
        metavar="DIR",
        nargs="+",
        type=Path,
        help="folders or files to check (default: those of the settings)",
    )
    parser.add_argument(
        "--catalogue",
        metavar="FILE",
        type=Path,
        help="the catalogue (default: that of the settings, if the file is there)",
    )


def run(args: argparse.Namespace) -> int:
    """Print a table of what is sound, or every problem; 1 where there is one."""
    settings = load_settings(os.environ)
    problems: list[Problem] = []
    catalogue: Catalogue | None = None
    if args.catalogue is not None or settings.catalogue.exists():
        try:
            catalogue = load_catalogue(args.catalogue or settings.catalogue, os.environ)
        except CatalogueError as error:
            problems += error.problems
    library: LoadedLibrary | None = None
    try:
        library = load_runbooks(
            args.runbooks or settings.runbooks, plugins=load_plugins(), services=catalogue
        )
    except RunbooksInvalidError as error:
        problems += error.problems
    if catalogue is not None and library is not None:
        file = shown_path(args.catalogue or settings.catalogue)
        plugins = load_plugins()
        texts = monitor_problems(catalogue, plugins=plugins, runbooks=library.names())
        texts += checklist_problems(catalogue, plugins=plugins)
        problems += [Problem(file=file, text=text) for text in texts]
    if library is None or problems:
        _print_problems(problems)
        return 1
    _print_table(library, catalogue)
    return 0


def _print_problems(problems: Sequence[Problem]) -> None:
    for problem in problems:
        print(problem)
    files = len({problem.file for problem in problems})
    print(f"\n{_count(len(problems), 'problem')} in {_count(files, 'file')}.")


def _print_table(library: LoadedLibrary, catalogue: Catalogue | None) -> None:
    rows = [("RUNBOOK", "LANE", "PHASES", "USAGE", "FILE")]
    for name in library.names():
        runbook = library.get(name)
        usage = usage_of(runbook, f"/{name}").strip("`")
        rows.append((name, runbook.lane, str(len(runbook.phases)), usage, library.files[name]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    print(f"\n{_count(len(library.names()), 'runbook')}, no problems.")
    if catalogue is not None:
        services = _count(len(catalogue.services), "service")
        print(f"The catalogue has {services} and {_count(len(catalogue.monitors), 'monitor')}.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
