"""Reads the deployments and the Actions runs of a service's repository from GitHub's REST API."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from bot.domain.catalogue import Service
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError
from bot.engine.plugins import Context
from bot.probes._shared.json_api import fetch, together
from bot.probes.changes.records import ChangeRecord

MOST_RUNS = 100
"""How many of the latest runs are read: GitHub's largest page."""

_MOST_DEPLOYMENTS = 10
_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_FAILED = frozenset({"failure", "error"})
_BEGUN = frozenset({"in_progress", "success"})
_SHORT = 7
_T = TypeVar("_T")


class _Person(BaseModel):
    login: str = ""


class _Deployment(BaseModel):
    id: int
    sha: str
    ref: str = ""
    environment: str = ""
    created_at: AwareDatetime
    creator: _Person | None = None


class _Status(BaseModel):
    state: str
    created_at: AwareDatetime
    log_url: str | None = ""
    target_url: str | None = ""


class WorkflowRun(BaseModel):
    """One run of a workflow."""

    id: int
    name: str | None = ""
    head_branch: str | None = ""
    head_sha: str
    status: str | None = ""
    conclusion: str | None = None
    html_url: str = ""
    created_at: AwareDatetime
    actor: _Person | None = None


class _Runs(BaseModel):
    total_count: int = Field(ge=0)
    workflow_runs: list[WorkflowRun]


_DEPLOYMENTS = TypeAdapter(list[_Deployment])
_STATUSES = TypeAdapter(list[_Status])
_RUNS = TypeAdapter(_Runs)


async def deployed(ctx: Context, entry: Service, *, since_s: float) -> list[ChangeRecord]:
    """Return the deployments of the last ``since_s`` seconds as changes, at most the latest ten.

    Raises:
        ProbeNotConfiguredError: the ``repository`` of the ``github`` source is not ``owner/name``.
        ProbeUnavailableError: GitHub cannot be read.
        ProbeGarbageError: the server is not GitHub.
    """
    environment = entry.sources["github"].get("environment", entry.environment)
    params = {"environment": environment, "per_page": str(_MOST_DEPLOYMENTS + 1)}
    listed = await ask(ctx, entry, "deployments", _DEPLOYMENTS, params=params)
    listed.sort(key=lambda each: each.created_at, reverse=True)
    since = ctx.clock.now() - timedelta(seconds=since_s)
    recent = [each for each in listed if each.created_at >= since][:_MOST_DEPLOYMENTS]
    # One more than is returned: the version that was there before the first.
    known = listed[: len(recent) + 1] if recent else []
    statuses = await together(ask(ctx, entry, f"deployments/{each.id}/statuses", _STATUSES) for each in known)
    return records_of(entry, known, statuses)[: len(recent)]


def records_of(
    entry: Service, deployments: Sequence[_Deployment], statuses: Sequence[Sequence[_Status]]
) -> list[ChangeRecord]:
    """Return deployments, newest first, as changes from the version that was there before; pure."""
    pairs = list(zip(deployments, statuses, strict=True))
    records = []
    for place, (deployment, states) in enumerate(pairs):
        older = [each.sha for each, earlier in pairs[place + 1 :] if not _has_failed(earlier)]
        records.append(_record(entry, deployment, states, before=older[0] if older else ""))
    return records


async def runs(
    ctx: Context, entry: Service, *, since: datetime, branch: str
) -> tuple[int, list[WorkflowRun]]:
    """Return how many runs began since ``since``, and the latest hundred of them.

    Raises:
        ProbeNotConfiguredError: the ``repository`` of the ``github`` source is not ``owner/name``.
        ProbeUnavailableError: GitHub cannot be read.
        ProbeGarbageError: the server is not GitHub.
    """
    params = {"created": f">={since.isoformat(timespec='seconds')}", "per_page": str(MOST_RUNS)}
    answer = await ask(
        ctx, entry, "actions/runs", _RUNS, params={**params, **({"branch": branch} if branch else {})}
    )
    return answer.total_count, answer.workflow_runs


async def ask(
    ctx: Context,
    entry: Service,
    path: str,
    shape: TypeAdapter[_T],
    *,
    params: Mapping[str, str] | None = None,
) -> _T:
    """Return what GitHub answers for a path below a service's repository.

    Raises:
        ProbeNotConfiguredError: the ``repository`` of the ``github`` source is not ``owner/name``.
        ProbeUnavailableError: GitHub cannot be read.
        ProbeGarbageError: the server is not GitHub.
    """
    source = entry.sources["github"]
    if not _REPOSITORY.fullmatch(source.get("repository", "")):
        raise ProbeNotConfiguredError(f"The `repository` of {entry.name} must be `owner/name`.")
    url = f"{source.get('url', _API).rstrip('/')}/repos/{source['repository']}/{path}"
    answer: Any = await fetch(ctx, url, name="GitHub", source=source, params=params, headers=_HEADERS)
    try:
        return shape.validate_python(answer)
    except ValidationError as error:
        raise ProbeGarbageError("What answers does not answer as GitHub does.") from error


def _record(
    entry: Service, deployment: _Deployment, states: Sequence[_Status], *, before: str
) -> ChangeRecord:
    failed = _has_failed(states)
    began = [status.created_at for status in states if status.state in _BEGUN]
    after, where = deployment.sha[:_SHORT], deployment.environment or entry.environment
    how = "failed to deploy" if failed else "deployed"
    return ChangeRecord(
        id=f"github-{deployment.id}",
        at=min(began, default=deployment.created_at),
        # A failed deployment may have done harm, but there is no version to roll back.
        kind="failed deploy" if failed else "deploy",
        service=entry.name,
        summary=f"GitHub {how} {after} ({deployment.ref or 'no ref'}) of {entry.name} to {where}",
        author=deployment.creator.login if deployment.creator else "",
        before=before[:_SHORT],
        after=after,
        link=next((status.log_url or status.target_url or "" for status in states), ""),
        data={
            "sha": deployment.sha,
            "previous_sha": before,
            "ref": deployment.ref,
            "state": states[0].state if states else "queued",
            **({} if failed else {"version": after}),
        },
    )


def _has_failed(states: Sequence[_Status]) -> bool:
    """Return whether a deployment failed, from its statuses, newest first."""
    return bool(states) and states[0].state in _FAILED
