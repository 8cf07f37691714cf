"""Adds each release's commits to it, within time and size limits; missing commits are reported as gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bot.domain.catalogue import Service
from bot.domain.errors import ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.probes.changes.records import ChangeRecord
from bot.probes.changes.release_commits import ReleaseContents, keep
from bot.probes.git.history import history_of
from bot.probes.github import commits as _github_commits

_MOST_RELEASES = 6
_MOST_CHARS = 60_000
_CUT = "between {} and {}, {} of {} commits were read completely"


async def with_commits(
    ctx: Context, records: Sequence[ChangeRecord], *, until_s: float
) -> tuple[list[ChangeRecord], list[str]]:
    """Return the changes with the commits of the latest six releases, and what could not be read.

    A release is read if its service has a ``git`` source, or a ``github`` source with a ``repository``.
    ``until_s`` is when to give up, by the loop's clock.
    """
    asked = [record for record in records if _repository(ctx, record) and all(_versions(record))]
    asked.sort(key=lambda record: (record.at, record.id), reverse=True)
    chosen, rest = asked[:_MOST_RELEASES], asked[_MOST_RELEASES:]
    answers = await asyncio.gather(*(_read(ctx, record, until_s=until_s) for record in chosen))
    known: dict[str, ChangeRecord] = {}
    gaps = [f"{record.service}: the commits of an older release were not read" for record in rest]
    for record, answer in zip(chosen, answers, strict=True):
        before, after = _versions(record)
        if isinstance(answer, str):
            gaps.append(f"{record.service}: the commits between {before} and {after}: {answer}")
            continue
        kept = keep(answer, most_chars=_MOST_CHARS // len(chosen))
        whole = sum(one.whole for one in kept)
        data: JsonObject = {
            "commits": [one.data for one in kept],
            "commits_total": answer.total,
            "commits_removed": answer.removed,
            "commits_complete": whole == answer.total,
        }
        known[record.id] = record.model_copy(update={"data": {**record.data, **data}})
        if whole < answer.total:
            gaps.append(f"{record.service}: {_CUT.format(before, after, whole, answer.total)}")
    return [known.get(record.id, record) for record in records], list(dict.fromkeys(gaps))


def _repository(ctx: Context, record: ChangeRecord) -> str:
    """Return the kind of source to read a release from; empty if there is none."""
    if record.kind != "deploy":
        return ""
    sources = ctx.service(record.service).sources
    hosted = "github" if sources.get("github", {}).get("repository") else ""
    # GitHub's own deployments are known by their shas, which a source with tags cannot be asked for.
    return hosted if record.data.get("sha") or "git" not in sources else "git"


def _versions(record: ChangeRecord) -> tuple[str, str]:
    data = record.data
    if data.get("sha"):
        return str(data.get("previous_sha") or ""), str(data["sha"])
    before, after = data.get("previous_version", record.before), data.get("version", record.after)
    return str(before or ""), str(after or "")


async def _read(ctx: Context, record: ChangeRecord, *, until_s: float) -> ReleaseContents | str:
    """Return one release's contents, or why they cannot be read."""
    entry = ctx.service(record.service)
    before, after = _versions(record)
    try:
        async with asyncio.timeout_at(until_s):
            if _repository(ctx, record) == "git":
                return await _from_git(entry, before=before, after=after, until_s=until_s)
            prefix = "" if record.data.get("sha") else entry.sources["github"].get("tag_prefix", "")
            return await _github_commits.brought(ctx, entry, before=prefix + before, after=prefix + after)
    except TimeoutError:
        return "there was no time to read them"
    except ProbeUnavailableError as error:
        return str(error)


async def _from_git(entry: Service, *, before: str, after: str, until_s: float) -> ReleaseContents:
    history = history_of(entry.sources["git"], until_s=until_s)
    async with history.commits_of(before, after) as (old, new):
        total, _ = await history.log(old, new)
        removed, _ = await history.log(new, old)
        return ReleaseContents(commits=await history.brought(old, new), total=total, removed=removed)
