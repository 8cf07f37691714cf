"""A change as a probe reads it, whatever its source, and the finding made from it."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind
from bot.domain.model import JsonObject, JsonValue
from bot.domain.wording import clock_time

_KINDS = {
    "deploy": FindingKind.CHANGE_DEPLOY,
    "rollback": FindingKind.CHANGE_DEPLOY,
    "config": FindingKind.CHANGE_CONFIG,
    "flag": FindingKind.CHANGE_FLAG,
}


class ChangeRecord(BaseModel):
    """One change as a feed reports it; other fields are ignored."""

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


def finding_of(record: ChangeRecord) -> Finding:
    """Return the finding for a change: certain to have happened, which does not mean that it did harm."""
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


def _component(record: ChangeRecord, kind: FindingKind) -> str:
    name = record.data.get("version" if kind is FindingKind.CHANGE_DEPLOY else "key")
    return str(name) if name is not None else ""


def _data(record: ChangeRecord, kind: FindingKind) -> JsonObject:
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
