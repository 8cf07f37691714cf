"""The commits of a release, with their diffs trimmed to a size limit."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.model import JsonObject, Model

MOST_COMMITS = 20
"""How many commits of one release are read."""

_MOST_OF_ONE = 12_000
_MOST_FILES = 50
_MOST_MESSAGE = 200
_KEPT = re.compile(r"[-+ ]|@@ |diff --git ")


class ReleaseCommit(Model):
    """One commit; ``diff`` is unified, ``None`` where it could not be read."""

    sha: str
    author: str = ""
    at: str = ""
    message: str = ""
    files: tuple[str, ...] = ()
    diff: str | None = None


class ReleaseContents(Model):
    """A release's changes: ``commits`` newest first, of ``total``; it ``removed`` that many others."""

    commits: tuple[ReleaseCommit, ...]
    total: int
    removed: int = 0


class TrimmedCommit(Model):
    """One commit, trimmed to the size limit; ``whole`` if no file and no line is missing."""

    commit: ReleaseCommit
    diff: str
    whole: bool

    @property
    def data(self) -> JsonObject:
        """The commit as it is stored in ``Finding.data``."""
        return {
            "sha": self.commit.sha,
            "author": self.commit.author,
            "at": self.commit.at,
            "message": self.commit.message[:_MOST_MESSAGE],
            "files": [*self.commit.files[:_MOST_FILES]],
            "diff": self.diff,
            "whole": self.whole,
        }


def keep(release: ReleaseContents, *, most_chars: int) -> tuple[TrimmedCommit, ...]:
    """Return the commits with at most ``most_chars`` characters of diff in all, and 12,000 for each commit.

    The diffs retain added and removed lines, their context, and the file names.
    """
    kept = []
    left = most_chars
    for commit in release.commits:
        diff, whole = _fitted(commit.diff or "", min(left, _MOST_OF_ONE))
        left -= len(diff)
        whole = whole and commit.diff is not None and len(commit.files) <= _MOST_FILES
        kept.append(TrimmedCommit(commit=commit, diff=diff, whole=whole))
    return tuple(kept)


def within(files: Sequence[str], paths: Sequence[str]) -> bool:
    """Return whether one of the files is in one of the folders; true if there are no folders."""
    folders = [path.strip("/") for path in paths]
    return not folders or any(file == f or file.startswith(f"{f}/") for file in files for f in folders)


def _fitted(diff: str, most_chars: int) -> tuple[str, bool]:
    """Return the lines that fit, and whether these are all."""
    kept: list[str] = []
    size = 0
    for line in diff.splitlines():
        if not _KEPT.match(line):
            continue
        size += len(line) + 1
        if size > most_chars:
            return "".join(f"{each}\n" for each in kept), False
        kept.append(line)
    return "".join(f"{each}\n" for each in kept), True
