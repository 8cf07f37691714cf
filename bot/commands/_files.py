"""The files that people write, the catalogue and the runbooks, and every problem in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.files.catalogue_file import CatalogueError, load_catalogue
from bot.bootstrap import load_plugins
from bot.domain.catalogue import Catalogue
from bot.environment import environment
from bot.loader.loader import LoadedLibrary, RunbooksInvalidError, load_runbooks
from bot.loader.monitor_rules import monitor_problems
from bot.loader.probe_rules import checklist_problems
from bot.loader.yaml_positions import Problem, shown_path


@dataclass(frozen=True, kw_only=True)
class CheckedFiles:
    """What could be read, and what is wrong."""

    catalogue: Catalogue | None
    library: LoadedLibrary | None
    of_catalogue: tuple[Problem, ...]
    of_runbooks: tuple[Problem, ...]


def read_files(catalogue: Path | None, runbooks: Sequence[Path]) -> CheckedFiles:
    """Read the catalogue and the runbooks; these are checked against the catalogue if it can be read."""
    services, of_catalogue = _catalogue(catalogue)
    plugins = load_plugins()
    library: LoadedLibrary | None = None
    of_runbooks: tuple[Problem, ...] = ()
    try:
        library = load_runbooks(runbooks, plugins=plugins, services=services)
    except RunbooksInvalidError as error:
        of_runbooks = error.problems
    if catalogue is not None and services is not None and library is not None:
        texts = monitor_problems(services, plugins=plugins, runbooks=library.names())
        texts += checklist_problems(services, plugins=plugins)
        of_catalogue = tuple(Problem(file=shown_path(catalogue), text=text) for text in texts)
    return CheckedFiles(
        catalogue=services, library=library, of_catalogue=of_catalogue, of_runbooks=of_runbooks
    )


def count(number: int, what: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def _catalogue(path: Path | None) -> tuple[Catalogue | None, tuple[Problem, ...]]:
    if path is None:
        return None, ()
    try:
        return load_catalogue(path, environment()), ()
    except CatalogueError as error:
        return None, error.problems
