"""Reads what was changed lately: the bot's own ledger and the change feeds that the catalogue names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError

from bot.analysis.words import clock_time, listing, span
from bot.domain.catalogue import Service
from bot.domain.errors import ProbeGarbageError, ProbeUnavailableError
from bot.domain.finding import Evidence, Finding, FindingKind, Findings
from bot.domain.model import JsonObject, JsonValue
from bot.engine.plugins import Context, probe

_KINDS = {
    "deploy": FindingKind.CHANGE_DEPLOY,
    "rollback": FindingKind.CHANGE_DEPLOY,
    "config": FindingKind.CHANGE_CONFIG,
    "flag": FindingKind.CHANGE_FLAG,
}
_SHARE_OF_TIME = 0.85
_SAME_MOMENT_S = 5.0


class _Record(BaseModel):
    """One change as a feed hands it out; fields it has beyond these are left alone."""

    id: str
    at: AwareDatetime
    kind: str
    service: str
    summary: str = ""
    author: str = ""
    before: JsonValue = ""
    after: JsonValue = ""
    link: str = ""
    data: JsonObject = Field(default_factory=dict)


class _Feed(BaseModel):
    changes: list[_Record]


_ANSWER = TypeAdapter[list[_Record] | _Feed](list[_Record] | _Feed)


@probe(specialist="cicd")
async def recent(ctx: Context, *, service: str, since_s: float = 3600) -> Findings:
    """What was deployed, configured or flipped in a service and all it stands on, in the last ``since_s`` s.

    Raises:
        ProbeUnavailableError: every change feed of these services is out of reach, and the ledger is empty.
        ProbeGarbageError: likewise, and what answers is no change feed.
    """
    scope = ctx.catalogue.downstream(service)
    own = await asyncio.gather(*(_ledger(ctx, entry.name, since_s=since_s) for entry in scope))
    feeds = [entry for entry in scope if entry.sources.get("changes", {}).get("url")]
    answers = await asyncio.gather(
        *(_feed(ctx, entry, since_s=since_s) for entry in feeds), return_exceptions=True
    )
    records: dict[str, _Record] = {}
    gaps: list[str] = []
    failures: list[ProbeUnavailableError] = []
    for entry, answer in zip(feeds, answers, strict=True):
        if isinstance(answer, list):
            records |= {record.id: record for record in answer}
        elif isinstance(answer, ProbeUnavailableError):
            gaps.append(f"{entry.name}: {answer}")
            failures.append(answer)
        else:
            raise answer
    told = tuple(records.values())
    records |= {r.id: r for part in own for r in part if not any(_is_same(r, other) for other in told)}
    if failures and len(failures) == len(feeds) and not records:
        raise failures[0]
    ordered = sorted(records.values(), key=lambda record: (record.at, record.id), reverse=True)
    changed = {record.service for record in ordered}
    return Findings(
        items=tuple(_finding(record) for record in ordered),
        looked_at=f"changes of {listing([entry.name for entry in scope])} over {span(since_s)}",
        normal=tuple(f"{entry.name}: no change" for entry in scope if entry.name not in changed),
        gaps=tuple(gaps),
    )


def _is_same(own: _Record, other: _Record) -> bool:
    """Whether a feed tells what the bot itself did: the same thing, to the same value, at the same moment."""
    things = [(r.kind, r.service, r.data.get("key"), r.data.get("version")) for r in (own, other)]
    values = [str(r.data.get("after", r.after)) for r in (own, other)]
    near = abs((own.at - other.at).total_seconds()) <= _SAME_MOMENT_S
    return things[0] == things[1] and values[0] == values[1] and near


async def _ledger(ctx: Context, service: str, *, since_s: float) -> Sequence[_Record]:
    changes = await ctx.ledger.since(service=service, seconds=since_s)
    return [_Record.model_validate(change.model_dump()) for change in changes]


async def _feed(ctx: Context, entry: Service, *, since_s: float) -> list[_Record]:
    url = entry.sources["changes"]["url"]
    since = ctx.clock.now() - timedelta(seconds=since_s)
    limit_s = ctx.timeout_s * _SHARE_OF_TIME
    try:
        async with asyncio.timeout(limit_s):
            answer = await ctx.get_json(url, params={"since": since.isoformat(), "service": entry.name})
    except TimeoutError as error:
        raise ProbeUnavailableError(f"The change feed did not answer within {span(limit_s)}.") from error
    try:
        feed = _ANSWER.validate_python(answer)
    except ValidationError as error:
        raise ProbeGarbageError(f"{url} does not answer as a change feed does.") from error
    records = feed.changes if isinstance(feed, _Feed) else feed
    # A feed may ignore the question's filters.
    return [record for record in records if record.service == entry.name and record.at >= since]


def _finding(record: _Record) -> Finding:
    kind = _KINDS.get(record.kind, FindingKind.CHANGE_OTHER)
    summary = (record.summary or f"{record.kind} of {record.service}").rstrip(".")
    by = f" by {record.author}" if record.author else ""
    return Finding(
        id=f"changes:{kind.value}:{record.service}:{record.id}",
        source="changes",
        kind=kind,
        service=record.service,
        component=_component(record, kind),
        summary=f"{summary}{by} at {clock_time(record.at)}.",
        began_at=record.at,
        strength=1.0,
        evidence=(Evidence(text=f"{summary}{by}", url=record.link),),
        data=_data(record, kind),
    )


def _component(record: _Record, kind: FindingKind) -> str:
    name = record.data.get("version" if kind is FindingKind.CHANGE_DEPLOY else "key")
    return str(name) if name is not None else ""


def _data(record: _Record, kind: FindingKind) -> JsonObject:
    data: JsonObject = {
        "before": record.before,
        "after": record.after,
        **record.data,
        "change_id": record.id,
        "change_kind": record.kind,
        "author": record.author,
        "link": record.link,
    }
    if kind is FindingKind.CHANGE_DEPLOY:
        data.setdefault("version", record.after)
        data.setdefault("previous_version", record.before)
    return data
