"""Reads recent changes: from the bot's own ledger and from the change feeds that the catalogue names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pydantic import BaseModel, TypeAdapter, ValidationError

from bot.domain.address import without_login
from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Findings
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration, listed
from bot.engine.plugins import Context, probe
from bot.probes.changes.records import ChangeRecord, finding_of
from bot.probes.changes.releases import with_commits
from bot.probes.github.api import deployed
from bot.targets.registry import is_deployed_here

_SHARE_OF_TIME = 0.85
_SHARE_FOR_ALL = 0.92
_SAME_MOMENT_S = 5.0


class _Feed(BaseModel):
    changes: list[ChangeRecord]


_ANSWER = TypeAdapter[list[ChangeRecord] | _Feed](list[ChangeRecord] | _Feed)


@probe(specialist="cicd")
async def recent(ctx: Context, *, service: str, since_s: float = 3600, commits: bool = True) -> Findings:
    """Deployments, settings and flags changed in a service and those around it in the last ``since_s`` s.

    These are its dependencies and at most eight services that call it directly.  Reads the bot's own ledger,
    and for each service the change feed and the deployments of the GitHub repository that the catalogue
    names.  With ``commits``, the commits of each of the latest six releases of the service and its
    dependencies are read from their ``git`` or ``github`` source: ``commits`` in its ``data``, at most 20,
    newest first, each with ``sha``, ``author``, ``at``, ``message``, ``files``, ``diff`` and ``whole``;
    ``commits_total``, ``commits_removed`` and ``commits_complete``.  Commits that cannot be read are a gap.

    Raises:
        ProbeNotConfiguredError: none of these services has a change feed, the bot changes none of them, and
            its ledger is empty.
        ProbeUnavailableError: no change feed of the service and its dependencies can be read, and the ledger
            has nothing about them.
        ProbeGarbageError: likewise, and the server's answer is not a change feed.
    """
    until_s = asyncio.get_running_loop().time() + ctx.timeout_s * _SHARE_FOR_ALL
    scope = ctx.catalogue.around(service)
    own = await asyncio.gather(*(_ledger(ctx, entry.name, since_s=since_s) for entry in scope))
    read = {"changes": ("url", _feed), "github": ("repository", deployed)}
    feeds = [
        (entry, ask)
        for entry in scope
        for kind, (field, ask) in read.items()
        if entry.sources.get(kind, {}).get(field)
    ]
    answers = await asyncio.gather(
        *(ask(ctx, entry, since_s=since_s) for entry, ask in feeds), return_exceptions=True
    )
    records: dict[str, ChangeRecord] = {}
    gaps: list[str] = []
    failures: dict[str, ProbeUnavailableError] = {}
    for (entry, _), answer in zip(feeds, answers, strict=True):
        if isinstance(answer, list):
            records |= {record.id: record for record in answer}
        elif isinstance(answer, ProbeUnavailableError):
            gaps.append(f"{entry.name}: {answer}")
            failures[entry.name] = answer
        else:
            raise answer
    from_feeds = tuple(records.values())
    records |= {r.id: r for part in own for r in part if not any(_is_same(r, other) for other in from_feeds)}
    below = {entry.name for entry in ctx.catalogue.downstream(service)}
    asked = {entry.name for entry, _ in feeds}
    if not any(record.service in below for record in records.values()):
        unread = [name for name in failures if name in below]
        if unread and len(unread) == len(asked & below):
            raise failures[unread[0]]
        if not asked and not any(_is_changed_here(entry) for entry in scope):
            raise ProbeNotConfiguredError(f"Nothing records changes of {service} or of what it depends on.")
    ordered = _with_previous(
        sorted(records.values(), key=lambda record: (record.at, record.id), reverse=True)
    )
    if commits:
        mine = [record for record in ordered if record.service in below]
        known, missing = await with_commits(ctx, mine, until_s=until_s)
        read_of = {record.id: record for record in known}
        ordered = [read_of.get(record.id, record) for record in ordered]
        gaps += missing
    changed = {record.service for record in ordered}
    return Findings(
        items=tuple(finding_of(record) for record in ordered),
        looked_at=f"changes of {listed([entry.name for entry in scope], most=4)} over {duration(since_s)}",
        normal=tuple(
            f"{entry.name}: no change"
            for entry in scope
            if entry.name not in changed and (entry.name in asked or _is_changed_here(entry))
        ),
        gaps=tuple(gaps),
    )


def _is_changed_here(entry: Service) -> bool:
    """Return whether the bot deploys a service or changes its settings, so that its ledger has a say."""
    return is_deployed_here(entry) or bool(entry.sources.get("settings"))


def _is_same(own: ChangeRecord, other: ChangeRecord) -> bool:
    """Return whether a feed's record is the bot's own change: the same thing and value, at the same time."""
    things = [(r.kind, r.service, r.data.get("key"), r.data.get("version")) for r in (own, other)]
    values = [str(r.data.get("after", r.after)) for r in (own, other)]
    near = abs((own.at - other.at).total_seconds()) <= _SAME_MOMENT_S
    return things[0] == things[1] and values[0] == values[1] and near


def _with_previous(records: Sequence[ChangeRecord]) -> list[ChangeRecord]:
    """Add the previous version to deploys for which another step of the same deployment recorded it."""
    known = {_release(r): r.before for r in records if r.kind == "deploy" and r.before}
    return [
        record.model_copy(update={"before": known[_release(record)]})
        if record.kind == "deploy" and not record.before and _release(record) in known
        else record
        for record in records
    ]


def _release(record: ChangeRecord) -> tuple[str, str]:
    return record.service, str(record.data.get("version") or record.after)


async def _ledger(ctx: Context, service: str, *, since_s: float) -> Sequence[ChangeRecord]:
    changes = await ctx.ledger.since(service=service, seconds=since_s)
    return [ChangeRecord.model_validate(change.model_dump()) for change in changes]


async def _feed(ctx: Context, entry: Service, *, since_s: float) -> list[ChangeRecord]:
    url = entry.sources["changes"]["url"]
    since = ctx.clock.now() - timedelta(seconds=since_s)
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    try:
        async with asyncio.timeout(limit_s):
            answer = await ctx.get_json(url, params={"since": since.isoformat(), "service": entry.name})
    except TimeoutError as error:
        raise ProbeUnavailableError(f"The change feed did not answer within {duration(limit_s)}.") from error
    try:
        feed = _ANSWER.validate_python(answer)
    except ValidationError as error:
        raise ProbeGarbageError(f"{without_login(url)} does not answer as a change feed does.") from error
    records = feed.changes if isinstance(feed, _Feed) else feed
    # A feed may ignore the request's filters.
    return [record for record in records if record.service == entry.name and record.at >= since]
