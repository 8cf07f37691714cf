"""Asks each source that may know the versions of a service, and says of each whether it knows all of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.domain.catalogue import Service
from bot.domain.deployments.version import KnownVersions
from bot.domain.diagnoses.change import Change
from bot.domain.errors import ActionFailedError, ProbeGarbageError
from bot.engine.plugins import Context
from bot.ports.targets import ListsReleases, TargetState
from bot.probes._shared.json_api import fetch, field
from bot.probes.git.history import history_of
from bot.probes.github.api import ask
from bot.targets.registry import target_of

_MEMORY_S = 3650 * 86_400.0
"""Longer than any ledger is stored."""
_PAGE = 100
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_REGISTRY_PAGE = 1000


class _Ref(BaseModel):
    ref: str


class _Tag(BaseModel):
    name: str


class _TagList(BaseModel):
    tags: list[str] | None = None


_REFS = TypeAdapter(list[_Ref])
_TAGS = TypeAdapter(list[_Tag])


async def from_target(ctx: Context, service: str, version: str, *, by: str) -> KnownVersions:
    """Return the releases that the target can start, if it lists them, and else the versions that it runs.

    What runs is also asked for where the list lacks ``version``: it may have been started before.

    Raises:
        ActionFailedError: the target cannot be read.
    """
    target = target_of(ctx, service, by=by)
    releases = await target.releases() if isinstance(target, ListsReleases) else None
    if releases is not None and version in releases:
        return KnownVersions(source="the target", versions=releases, complete=True)
    running = _running(await target.observe())
    found = tuple(dict.fromkeys((*(releases or ()), *running)))
    return KnownVersions(source="the target", versions=found, complete=bool(releases))


async def from_git(ctx: Context, entry: Service, version: str, *, until_s: float) -> KnownVersions:
    """Return the versions that are tagged in the repository of the ``git`` source.

    Raises:
        ProbeUnavailableError: the repository cannot be read in time.
    """
    history = history_of(ctx.source(entry.name, "git"), until_s=until_s)
    return KnownVersions(source="Git", versions=await history.tags(), complete=not _is_commit(version))


async def from_github(ctx: Context, entry: Service, version: str) -> KnownVersions:
    """Return the latest hundred tags on GitHub, and the one of this version if there is one.

    Raises:
        ProbeUnavailableError: GitHub cannot be read.
    """
    prefix = entry.sources["github"].get("tag_prefix", "")
    wanted = f"{prefix}{version}"
    latest, like = await asyncio.gather(
        ask(ctx, entry, "tags", _TAGS, params={"per_page": str(_PAGE)}),
        ask(ctx, entry, f"git/matching-refs/tags/{quote(wanted, safe='')}", _REFS),
    )
    exact = [wanted] if any(one.ref == f"refs/tags/{wanted}" for one in like) else []
    names = [*exact, *(tag.name for tag in latest)]
    found = tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))
    return KnownVersions(source="GitHub", versions=found, complete=not _is_commit(version))


async def from_registry(ctx: Context, entry: Service) -> KnownVersions:
    """Return the tags of the image in a registry (OCI distribution, ``/v2/<repository>/tags/list``).

    Raises:
        ProbeNotConfiguredError: the source has no ``url`` or no ``repository``.
        ProbeUnavailableError: the registry cannot be read.
        ProbeGarbageError: the server is not a registry.
    """
    source = ctx.source(entry.name, "registry")
    base = field(source, "url", kind="registry", service=entry.name).rstrip("/")
    repository = field(source, "repository", kind="registry", service=entry.name).strip("/")
    answer = await fetch(
        ctx,
        f"{base}/v2/{quote(repository)}/tags/list",
        name="The registry",
        source=source,
        params={"n": str(_REGISTRY_PAGE)},
    )
    try:
        tags = _TagList.model_validate(answer).tags or []
    except ValidationError as error:
        raise ProbeGarbageError("The registry does not answer with a list of tags.") from error
    prefix = source.get("tag_prefix", "")
    found = tuple(tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix))
    # A full page may not be all there is.
    return KnownVersions(source="the registry", versions=found, complete=len(tags) < _REGISTRY_PAGE)


async def from_records(ctx: Context, services: Sequence[str]) -> KnownVersions:
    """Return the versions that the bot has deployed, in any environment of the service."""
    changes = await asyncio.gather(*(ctx.ledger.since(service=s, seconds=_MEMORY_S) for s in services))
    found = dict.fromkeys(version for part in changes for one in part for version in _deployed(one))
    return KnownVersions(source="the records", versions=tuple(found))


def _is_commit(version: str) -> bool:
    """Return whether a version may be a commit's id, which no list of tags has."""
    return _COMMIT.fullmatch(version) is not None


def _deployed(change: Change) -> tuple[str, ...]:
    if change.kind not in ("deploy", "rollback"):
        return ()
    served = (change.before, change.data.get("serves")) if change.data.get("serves") else ()
    return tuple(str(one) for one in (change.data.get("version"), *served) if one)


def _running(found: TargetState) -> tuple[str, ...]:
    sides = (found.stable, *((found.candidate,) if found.candidate is not None else ()))
    versions = (*(side.version for side in sides), *(one.version for one in found.instances))
    return tuple(dict.fromkeys(version for version in versions if version))


def reason_of(error: Exception) -> str:
    """Return why a source did not answer, in one line."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).strip().rstrip(".")


def is_missing(error: Exception) -> bool:
    """Return whether a service just has no such target, which is not a failure of a source."""
    return isinstance(error, ActionFailedError) and error.code in {
        "target_not_configured",
        "external_service",
    }
