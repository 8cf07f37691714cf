"""Looks up whether a version of a service exists, before anybody is asked to approve it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping

from bot.domain.deployments.version import KnownVersions, VersionCheck, check_version, is_version
from bot.domain.diagnoses.finding import Facts
from bot.domain.errors import BotError
from bot.engine.plugins import Context, probe
from bot.probes.versions import sources

_SHARE_OF_TIME = 0.85
"""The share of the step's time that a source has, so that a silent one hides no other."""


@probe(specialist="cicd")
async def check(ctx: Context, *, service: str, version: str, by: str = "") -> Facts:
    """Whether ``version`` of ``service`` exists, by its target, Git tags, a registry and the bot's records.

    Asked are: the releases that the target lists (HAProxy's launcher, ``versions`` of a command, the flag of
    ``flags``), the tags of a ``git``, ``github`` or ``registry`` source, and the ledger of changes.
    ``data`` holds ``known``: true if one of them has the version, false if one that lists all versions lacks
    it and none failed, else null; ``nearest``, up to three versions that exist; ``gaps``, why sources did not
    answer; and ``remark``, a sentence for the plan, empty if ``known`` is true.
    """
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    asked = _sources(ctx, service, version, by, limit_s=limit_s)
    answers = await asyncio.gather(*(_within(limit_s, one) for one in asked.values()), return_exceptions=True)
    known: list[KnownVersions] = []
    gaps: list[str] = []
    for name, answer in zip(asked, answers, strict=True):
        match answer:
            case KnownVersions():
                known.append(answer)
            case BotError() | TimeoutError():
                if not sources.is_missing(answer):
                    gaps.append(f"{name}: {sources.reason_of(answer)}")
            case _:
                raise answer
    found = check_version(version, known, gaps=gaps)
    return Facts(summary=_shown(service, found), data=_data(service, found))


def _sources(
    ctx: Context, service: str, version: str, by: str, *, limit_s: float
) -> Mapping[str, Awaitable[KnownVersions]]:
    entry = ctx.service(service)
    until_s = asyncio.get_running_loop().time() + limit_s
    asked: dict[str, Awaitable[KnownVersions]] = {
        "records": sources.from_records(ctx, _addresses(ctx, service)),
        "target": sources.from_target(ctx, service, version, by=by),
    }
    if by == "flags":  # a flag has neither a tag nor an image
        return asked
    if "git" in entry.sources:
        asked["Git"] = sources.from_git(ctx, entry, version, until_s=until_s)
    if entry.sources.get("github", {}).get("repository") and is_version(version):
        asked["GitHub"] = sources.from_github(ctx, entry, version)
    if "registry" in entry.sources:
        asked["registry"] = sources.from_registry(ctx, entry)
    return asked


def _addresses(ctx: Context, service: str) -> tuple[str, ...]:
    name = service.partition("@")[0]
    return tuple(one for one in ctx.catalogue.names if one.partition("@")[0] == name)


async def _within(limit_s: float, asking: Awaitable[KnownVersions]) -> KnownVersions:
    async with asyncio.timeout(limit_s):
        return await asking


def _data(service: str, found: VersionCheck) -> dict[str, object]:
    return {
        "known": found.known,
        "nearest": [*found.nearest],
        "gaps": [*found.gaps],
        "remark": found.remark or ("" if found.known else found.refusal(service)),
    }


def _shown(service: str, found: VersionCheck) -> str:
    if found.known is None:
        return found.remark
    return f"{service} {found.version} exists" if found.known else found.refusal(service)
