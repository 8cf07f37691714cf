"""Reads GitHub: the deployments of a service's repository, and the Actions runs that failed."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Findings, Measurement
from bot.domain.formatting import duration, listed
from bot.domain.model import JsonObject, JsonValue
from bot.domain.wording import clock_time
from bot.engine.plugins import Context, probe
from bot.probes._shared.json_api import field, having, of_each
from bot.probes.changes.records import ChangeRecord, finding_of
from bot.probes.github import api

_FAILED = frozenset({"failure", "timed_out", "startup_failure"})
_MOST_SHOWN = 10
_SHORT = 7


@probe(specialist="cicd")
async def deployments(ctx: Context, *, service: str, since_s: float = 3600) -> Findings:
    """GitHub deployments of a service and its dependencies in the last ``since_s`` seconds, with authors.

    Reads the ``github`` sources: ``repository`` (``owner/name``), ``environment`` (default: the service's),
    ``token``, and ``url`` of an enterprise server's API.  A failed deployment is reported too, but not as a
    release.  ``changes.recent`` reads the same, together with all other changes.

    Raises:
        ProbeNotConfiguredError: none of these services has a ``github`` source with a ``repository``.
        ProbeUnavailableError: GitHub cannot be read, or the token does not see the repository.
        ProbeGarbageError: the server is not GitHub.
    """
    asked = having(ctx, service, kind="github", fields=("repository",))

    async def ask(entry: Service) -> list[ChangeRecord]:
        return await api.deployed(ctx, entry, since_s=since_s)

    answers, gaps = await of_each(asked, ask)
    records = sorted(
        (record for part in answers.values() for record in part), key=lambda r: (r.at, r.id), reverse=True
    )
    return Findings(
        items=tuple(finding_of(record) for record in records),
        looked_at=f"GitHub deployments of {listed(list(answers), most=4)} over {duration(since_s)}",
        normal=tuple(f"{name}: no deployment" for name, part in answers.items() if not part),
        gaps=tuple(gaps),
    )


@probe(specialist="cicd")
async def runs(
    ctx: Context, *, service: str, branch: str = "", window_s: Annotated[float, Field(ge=60)] = 86_400
) -> Measurement:
    """How many Actions runs of a service's repository that began in the last ``window_s`` seconds failed.

    Counts every branch, or only ``branch``.  ``data`` holds ``runs`` (how many began), ``read`` (how many of
    the latest 100 were read), ``running`` and the latest ten ``failures``: name, branch, sha, who, at, link.

    Raises:
        ProbeNotConfiguredError: the service has no ``github`` source with a ``repository``.
        ProbeUnavailableError: GitHub cannot be read, or the token does not see the repository.
        ProbeGarbageError: the server is not GitHub.
    """
    field(ctx.source(service, "github"), "repository", kind="github", service=service)
    now = ctx.clock.now()
    total, found = await api.runs(
        ctx, ctx.service(service), since=now - timedelta(seconds=window_s), branch=branch
    )
    failed = sorted((run for run in found if run.conclusion in _FAILED), key=lambda r: r.id, reverse=True)
    data: JsonObject = {
        "runs": total,
        "read": len(found),
        "running": sum(run.conclusion is None for run in found),
        "failures": list[JsonValue](_failure(run) for run in failed[:_MOST_SHOWN]),
    }
    return Measurement(
        value=float(len(failed)),
        unit="runs",
        at=now,
        url=failed[0].html_url if failed else "",
        text=f"{service}: {_summary(failed, found)} in {duration(window_s)}",
        data=data,
    )


def _summary(failed: list[api.WorkflowRun], found: list[api.WorkflowRun]) -> str:
    if not failed:
        return f"none of {len(found)} Actions runs failed"
    last = failed[0]
    by = f" by {last.actor.login}" if last.actor and last.actor.login else ""
    at = clock_time(last.created_at)
    return (
        f"{len(failed)} of {len(found)} Actions runs failed, the last ({last.name}, {last.head_sha[:_SHORT]}"
        f" on {last.head_branch}{by}) at {at},"
    )


def _failure(run: api.WorkflowRun) -> JsonObject:
    return {
        "name": run.name,
        "branch": run.head_branch,
        "sha": run.head_sha,
        "who": run.actor.login if run.actor else "",
        "at": run.created_at.isoformat(),
        "conclusion": run.conclusion,
        "link": run.html_url,
    }
