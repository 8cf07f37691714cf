"""Loads runbooks: reads and checks every file, and reports all problems at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.domain.catalogue import Catalogue
from bot.domain.errors import NotFoundError, RunbookError
from bot.domain.nearest import did_you_mean
from bot.domain.runs.runbook import Runbook
from bot.engine.plugins import Plugins
from bot.loader.runbook_rules import check_draft
from bot.loader.schema_errors import RunbookDraft, draft_of
from bot.loader.yaml_positions import Problem, read_yaml, shown_path


class RunbooksInvalidError(RunbookError):
    """Runbooks break the rules; ``problems`` lists every problem, by file and line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        """Store the problems; the error's text has one per line."""
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True)
class LoadedLibrary:
    """The runbooks that were loaded and checked, by name."""

    by_name: Mapping[str, Runbook]
    files: Mapping[str, str]
    """Which file each came from."""

    def get(self, name: str) -> Runbook:
        """Return a runbook.

        Raises:
            NotFoundError: no runbook has that name.
        """
        try:
            return self.by_name[name]
        except KeyError:
            raise NotFoundError(f"No runbook is called `{name}`{did_you_mean(name, self.by_name)}.") from None

    def names(self) -> tuple[str, ...]:
        """List every runbook's name, sorted."""
        return tuple(sorted(self.by_name))


def load_runbooks(
    paths: Sequence[Path], *, plugins: Plugins, services: Catalogue | None = None
) -> LoadedLibrary:
    """Load every ``*.yaml`` below ``paths`` (folders or files).

    Args:
        paths: where to look; a folder is searched to any depth.
        plugins: the probes and actions that runbooks may name.
        services: the catalogue; with it, services that a runbook names literally are checked too.

    Raises:
        RunbooksInvalidError: a file is invalid; it holds every problem of every file.
    """
    files, problems = _files(paths)
    drafts = [draft_of(read_yaml(file)) for file in files]
    library: dict[str, RunbookDraft] = {}
    for draft in drafts:
        first = library.setdefault(draft.name, draft)
        if first is not draft and draft.name:
            draft.document.report(("name",), f"`{draft.name}` is the name of {first.document.file} too")
    for draft in drafts:
        check_draft(draft, plugins=plugins, catalogue=services, library=library)
        problems += draft.document.problems
    if problems:
        raise RunbooksInvalidError(sorted(set(problems)))
    return LoadedLibrary(
        by_name={draft.runbook.name: draft.runbook for draft in drafts if draft.runbook is not None},
        files={draft.name: draft.document.file for draft in drafts},
    )


def _files(paths: Sequence[Path]) -> tuple[list[Path], list[Problem]]:
    """List the files below ``paths``, each once, in order."""
    found: dict[Path, None] = {}
    problems: list[Problem] = []
    for path in paths:
        if not path.exists():
            problems.append(Problem(file=shown_path(path), text="there is no such file or folder"))
            continue
        below = [path] if path.is_file() else sorted(path.rglob("*.yaml"))
        if not below:
            problems.append(Problem(file=shown_path(path), text="there is no `*.yaml` below it"))
        found |= dict.fromkeys(below)
    return list(found), problems
