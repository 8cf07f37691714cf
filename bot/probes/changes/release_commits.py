"""A commit that a release brought, and how much of its diff there is room for."""

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
    """What a release brought: ``commits`` newest first, of ``total``; it took ``removed`` others away."""

    commits: tuple[ReleaseCommit, ...]
    total: int
    removed: int = 0


class TrimmedCommit(Model):
    """What there was room for of one commit; ``whole`` says that no file and no line is missing."""

    commit: ReleaseCommit
    diff: str
    whole: bool

    @property
    def data(self) -> JsonObject:
        """Write it down for ``Finding.data``."""
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
    """Keep at most ``most_chars`` characters of the diffs, and of one commit 12,000.

    Kept are the lines that come and go, what stands beside them, and the names of the files.
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
    """Whether one of the files lies in one of the folders; without any folder, all do."""
    folders = [path.strip("/") for path in paths]
    return not folders or any(file == f or file.startswith(f"{f}/") for file in files for f in folders)


def _fitted(diff: str, most_chars: int) -> tuple[str, bool]:
    """Keep the lines that there is room for, and say whether these are all."""
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
