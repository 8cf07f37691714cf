"""Reads how two versions of a service differ: commits, authors and files."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from bot.domain.diagnoses.finding import Facts
from bot.domain.model import JsonObject, JsonValue
from bot.engine.plugins import Context, probe
from bot.probes.git.history import GitCommit, history_of

_SHARE_OF_TIME = 0.9
_MOST_FILES = 10


@probe(specialist="cicd")
async def between(ctx: Context, *, service: str, before: str, after: str) -> Facts:
    """What version ``after`` of ``service`` adds to ``before``, and what it removes.

    Versions are tags of the repository in ``sources.git``: ``path``, or ``url`` and a folder for its
    ``clone``; ``tag_prefix`` is the text before each version, and ``paths`` are the folders that count.

    ``data`` holds ``added`` and ``removed`` (at most 200 commits each, newest first, without merges), how
    many there are (``added_count``, ``removed_count``), ``authors`` with their number of added commits, and
    ``files``: how many were ``changed``, lines ``added`` and ``deleted``, and the ``most`` changed.

    Raises:
        ProbeUnavailableError: the repository cannot be read in time, or has no such tags.
    """
    until_s = asyncio.get_running_loop().time() + ctx.timeout_s * _SHARE_OF_TIME
    history = history_of(ctx.source(service, "git"), until_s=until_s)
    async with history.commits_of(before, after) as (old, new):
        added_count, added = await history.log(old, new)
        removed_count, removed = await history.log(new, old)
        files = await history.files(old, new)
    authors = Counter(commit.author for commit in added)
    text = f"{added_count} commits by {len(authors)} people, {len(files)} files"
    return Facts(
        summary=f"From {before} to {after} of {service}: {text}"
        + (f"; {removed_count} commits are removed" if removed_count else ""),
        data={
            "before": before,
            "after": after,
            "added": [_commit_data(commit) for commit in added],
            "added_count": added_count,
            "removed": [_commit_data(commit) for commit in removed],
            "removed_count": removed_count,
            "authors": dict(authors.most_common()),
            "files": _files_data(files),
        },
    )


def _commit_data(commit: GitCommit) -> JsonObject:
    return {"commit": commit.id, "author": commit.author, "at": commit.at, "summary": commit.summary}


def _files_data(files: Mapping[str, tuple[int, int]]) -> JsonObject:
    by_size = sorted(files, key=lambda name: (-sum(files[name]), name))
    most: list[JsonValue] = [*by_size[:_MOST_FILES]]
    return {
        "changed": len(files),
        "added": sum(added for added, _ in files.values()),
        "deleted": sum(deleted for _, deleted in files.values()),
        "most": most,
    }
