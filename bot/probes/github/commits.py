"""Reads the commits between two versions, and the diff of each, from GitHub's REST API."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import BaseModel, Field, TypeAdapter

from bot.domain.catalogue import Service
from bot.domain.errors import ProbeUnavailableError
from bot.engine.plugins import Context
from bot.probes.changes.release_commits import MOST_COMMITS, ReleaseCommit, ReleaseContents, within
from bot.probes.github.api import ask

_AT_ONCE = 5
"""How many requests one release has open at once; GitHub slows down clients with a hundred."""


class _Signature(BaseModel):
    name: str = ""
    date: str = ""


class _CommitDetails(BaseModel):
    message: str = ""
    author: _Signature | None = None


class _File(BaseModel):
    filename: str
    patch: str = ""


class _Commit(BaseModel):
    sha: str
    commit: _CommitDetails
    parents: list[object] = Field(default_factory=list)
    files: list[_File] | None = None


class _Comparison(BaseModel):
    total_commits: int = Field(ge=0)
    behind_by: int = Field(default=0, ge=0)
    commits: list[_Commit]
    files: list[_File] | None = None


_COMPARISON = TypeAdapter(_Comparison)
_COMMIT = TypeAdapter(_Commit)


async def brought(ctx: Context, entry: Service, *, before: str, after: str) -> ReleaseContents:
    """Return the commits that are in ``after`` and not in ``before``, at most the first 20, without merges.

    Both are shas, or tags.  If the ``github`` source has ``paths``, only commits that touch these count.

    Raises:
        ProbeNotConfiguredError: the ``repository`` of the ``github`` source is not ``owner/name``.
        ProbeUnavailableError: GitHub cannot be read, or does not have one of the versions.
        ProbeGarbageError: the server is not GitHub.
    """
    span = f"{quote(before, safe='')}...{quote(after, safe='')}"
    # Asked for by the page, the list comes with the files of the whole comparison.
    params = {"per_page": str(MOST_COMMITS), "page": "1"}
    compared = await ask(ctx, entry, f"compare/{span}", _COMPARISON, params=params)
    plain = [commit for commit in compared.commits if len(commit.parents) <= 1]
    merges = len(compared.commits) - len(plain)
    if compared.total_commits == len(plain) == 1:
        known = [plain[0].model_copy(update={"files": compared.files})]
    else:
        known = await _each(ctx, entry, plain)
    paths = entry.sources["github"].get("paths", "").split()
    inside = [commit for commit in known if commit.files is None or within(_names(commit.files), paths)]
    return ReleaseContents(
        commits=tuple(_brought(commit) for commit in reversed(inside)),
        total=compared.total_commits - merges - (len(known) - len(inside)),
        removed=compared.behind_by,
    )


async def _each(ctx: Context, entry: Service, listed: Sequence[_Commit]) -> list[_Commit]:
    """Return the commits with their files; a commit whose files cannot be read has none."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(commit: _Commit) -> _Commit:
        async with gate:
            return await ask(ctx, entry, f"commits/{commit.sha}", _COMMIT)

    answers = await asyncio.gather(*map(one, listed), return_exceptions=True)
    known = []
    for commit, answer in zip(listed, answers, strict=True):
        if isinstance(answer, BaseException) and not isinstance(answer, ProbeUnavailableError):
            raise answer
        known.append(commit if isinstance(answer, BaseException) else answer)
    return known


def _names(files: Sequence[_File]) -> list[str]:
    return [file.filename for file in files]


def _brought(commit: _Commit) -> ReleaseCommit:
    author = commit.commit.author or _Signature()
    files = commit.files
    return ReleaseCommit(
        sha=commit.sha,
        author=author.name,
        at=author.date,
        message=commit.commit.message.partition("\n")[0],
        files=tuple(_names(files or [])),
        diff=None if files is None else "".join(_patch(file) for file in files),
    )


def _patch(file: _File) -> str:
    return f"diff --git a/{file.filename} b/{file.filename}\n{file.patch}\n"
