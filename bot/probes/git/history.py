"""Reads what changed between two tags of a Git repository, with the `git` program; never changes it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.domain.deployments.version import is_version
from bot.domain.errors import (
    ActionFailedError,
    ActionInDoubtError,
    ProbeNotConfiguredError,
    ProbeUnavailableError,
)
from bot.probes.changes.release_commits import MOST_COMMITS as MOST_BROUGHT
from bot.probes.changes.release_commits import ReleaseCommit
from bot.targets.support.processes import CompletedProgram, run

MOST_COMMITS = 200
_MOST_CHARS = 900_000
"""Of output; a program's output is cut off at a million bytes."""
_FIELD, _RECORD = "\x1f", "\x1e"
_FORMAT = f"--format=%H{_FIELD}%an{_FIELD}%aI{_FIELD}%s{_RECORD}"
_DIFFS = f"--format={_RECORD}%H{_FIELD}%an{_FIELD}%aI{_FIELD}%s{_FIELD}"
_NEXT = re.compile(rf"{_RECORD}(?=[0-9a-f]{{40,64}}{_FIELD})")
_FILE = re.compile(r"^diff --git a/(.+) b/\1$", re.MULTILINE)
_QUIET = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_NO_SUCH = ("couldn't find remote ref", "Needed a single revision", "unknown revision", "bad revision")


@dataclass(frozen=True, kw_only=True)
class GitCommit:
    """One commit, as its author wrote it."""

    id: str
    author: str
    at: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class GitHistory:
    """A repository in a folder; with a ``remote`` the folder is a bare clone of the bot's own."""

    folder: Path
    remote: str
    tag_prefix: str
    paths: tuple[str, ...]
    """Only commits that touch these count, as in a repository of many services; empty: all count."""
    until_s: float
    """When to give up, by the loop's clock."""

    @contextlib.asynccontextmanager
    async def commits_of(self, *versions: str) -> AsyncIterator[tuple[str, ...]]:
        """Yield the commits that versions are tagged with; they can be read inside the block.

        Raises:
            ProbeUnavailableError: the repository cannot be read, or has no such tag.
        """
        tags = [f"refs/tags/{self.tag_prefix}{_checked(version)}" for version in versions]
        if not self.remote:
            yield tuple([await self._commit(tag) for tag in tags])
            return
        await self._init()
        own = [
            f"refs/pilothouse/{secrets.token_hex(8)}" for _ in tags
        ]  # others may be reading the same clone
        try:
            refs = [f"+{tag}:{name}" for tag, name in zip(tags, own, strict=True)]
            await self._git(
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--end-of-options",
                self.remote,
                *refs,
            )
            yield tuple([await self._commit(name) for name in own])
        finally:
            for name in own:
                await self._try("update-ref", "-d", name)

    async def tags(self) -> tuple[str, ...]:
        """Return all versions that are tagged, without their prefix.

        Raises:
            ProbeUnavailableError: the repository cannot be read, or has more tags than can be read.
        """
        glob = f"refs/tags/{self.tag_prefix}*"
        if self.remote:
            output = await self._started(
                ["git", "ls-remote", "--tags", "--refs", "--end-of-options", self.remote, glob]
            )
        else:
            output = await self._try("for-each-ref", "--format=%(objectname)\t%(refname)", glob)
        if output.code:
            raise ProbeUnavailableError(f"git could not list the tags: {output.complaint}")
        if len(output.out) >= _MOST_CHARS:  # the beginning is missing
            raise ProbeUnavailableError("The repository has too many tags to read.")
        names = (line.partition("\t")[2] for line in output.out.splitlines())
        return tuple(name.removeprefix(f"refs/tags/{self.tag_prefix}") for name in names if name)

    async def log(self, before: str, after: str) -> tuple[int, tuple[GitCommit, ...]]:
        """Return how many commits are in ``after`` and not in ``before``, and the commits, newest first."""
        span = f"{before}..{after}"
        count = int(await self._git("rev-list", "--count", "--no-merges", span, "--", *self.paths))
        listed = await self._git(
            "log", "--no-merges", "--no-show-signature", f"-{MOST_COMMITS}", _FORMAT, span, "--", *self.paths
        )
        return count, tuple(_commit_in(text) for text in listed.split(_RECORD) if text.strip())

    async def files(self, before: str, after: str) -> Mapping[str, tuple[int, int]]:
        """Return how many lines were added to and deleted from each file; 0 for binary files."""
        output = await self._git(
            "diff",
            "--numstat",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            before,
            after,
            "--",
            *self.paths,
        )
        rows = (row.split("\t", 2) for row in output.split("\0") if row.count("\t") >= 2)  # noqa: PLR2004  # added, deleted, name
        return {name: (_lines(added), _lines(deleted)) for added, deleted, name in rows}

    async def brought(self, before: str, after: str) -> tuple[ReleaseCommit, ...]:
        """Return the commits that are in ``after`` and not in ``before`` with their diffs, newest first.

        At most 20 are returned, and fewer if ``git`` prints more than the megabyte that is read; the oldest
        are then missing.
        """
        output = await self._git(
            "-c",
            "core.quotepath=false",
            "log",
            "--no-merges",
            "--no-show-signature",
            f"-{MOST_BROUGHT}",
            _DIFFS,
            "--patch",
            "--unified=2",
            "--no-color",
            "--no-renames",
            "--no-ext-diff",
            "--no-textconv",
            f"{before}..{after}",
            "--",
            *self.paths,
        )
        # Text before the first commit's start is the rest of a commit that was cut off.
        return tuple(_brought_in(text) for text in _NEXT.split(output)[1:])

    async def _commit(self, ref: str) -> str:
        return (await self._git("rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}")).strip()

    async def _init(self) -> None:
        """Make the clone elsewhere, then move it into place: other workers may be making it too."""
        if (self.folder / "HEAD").exists():
            return
        with tempfile.TemporaryDirectory(prefix=".pilothouse-", dir=_made(self.folder.parent)) as beside:
            made = Path(beside) / "clone"
            await self._started(["git", "init", "--quiet", "--bare", str(made)])
            with contextlib.suppress(OSError):  # another worker was quicker
                await asyncio.to_thread(made.rename, self.folder)

    async def _git(self, *words: str) -> str:
        ran = await self._try(*words)
        if not ran.code:
            return ran.out
        if any(word in ran.err for word in _NO_SUCH):
            raise ProbeUnavailableError(
                "The repository has no tag for one of these versions.",
                hint="Check the versions, and `tag_prefix` of the service's `git` source.",
                code="version_unknown",
            )
        raise ProbeUnavailableError(f"git {words[0]}: {ran.complaint}")

    async def _try(self, *words: str) -> CompletedProgram:
        return await self._started(["git", "-C", str(self.folder), "-c", "core.fsmonitor=false", *words])

    async def _started(self, command: list[str]) -> CompletedProgram:
        left_s = max(0.1, self.until_s - asyncio.get_running_loop().time())
        try:
            return await run(command, within_s=left_s, env=_QUIET)
        except (ActionFailedError, ActionInDoubtError) as error:
            raise ProbeUnavailableError(str(error), hint=error.hint) from error


def history_of(source: Mapping[str, str], *, until_s: float) -> GitHistory:
    """Return the history that a ``git`` source of the catalogue describes.

    Raises:
        ProbeNotConfiguredError: the source has neither a ``path`` nor a ``url`` with a ``clone``.
    """
    path, url = source.get("path", ""), source.get("url", "")
    if bool(path) == bool(url) or (url and not source.get("clone")):
        raise ProbeNotConfiguredError(
            "A `git` source needs the `path` of a local repository, or a `url` and a folder for its `clone`."
        )
    return GitHistory(
        folder=Path(path or source["clone"]),
        remote=url,
        tag_prefix=source.get("tag_prefix", ""),
        paths=tuple(source.get("paths", "").split()),
        until_s=until_s,
    )


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ProbeUnavailableError(f"Cannot create {folder} for the clone: {error.strerror}.") from error
    return folder


def _checked(version: str) -> str:
    if not is_version(version):
        raise ProbeUnavailableError(f"{version[:80]!r} is not a valid version.", code="version_unknown")
    return version


def _commit_in(text: str) -> GitCommit:
    commit, author, at, summary = text.strip("\n").split(_FIELD, 3)
    return GitCommit(id=commit, author=author, at=at, summary=summary)


def _brought_in(text: str) -> ReleaseCommit:
    sha, author, at, message, diff = text.split(_FIELD, 4)
    return ReleaseCommit(
        sha=sha, author=author, at=at, message=message, files=tuple(_FILE.findall(diff)), diff=diff
    )


def _lines(count: str) -> int:
    return int(count) if count.isdecimal() else 0
