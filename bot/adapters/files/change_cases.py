"""Reads an incident with its commits from a folder of JSON and CSV files, gzipped or not."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.diagnosis.commits.case import (
    AlertRecord,
    ChangeCase,
    Commit,
    CommitRollout,
    LogRecord,
    LogTemplate,
    SeriesRecord,
    SpanRecord,
    StatusLine,
)
from bot.domain.documentation import DOCS
from bot.domain.errors import UsageError

_LINE = frozenset({"timestamp", "service", "severity_text", "level", "msg", "message", "trace_id", "span_id"})
_SPAN = frozenset({"trace_id", "span_id", "parent_id", "service", "start", "duration_ms", "status"})


class ChangeCaseInvalidError(UsageError):
    """A folder does not hold an incident that can be read."""

    reason = "change_case_invalid"
    default_hint = f"{DOCS}/reference/rank-changes.md lists the files and their fields."


def load_change_case(folder: Path) -> ChangeCase:
    """Read a case; only ``alert.json`` is required, every other file adds evidence.

    Raises:
        ChangeCaseInvalidError: a file is missing or cannot be read; the message names it.
    """
    try:
        return ChangeCase(
            alert=_alert(_read(folder, "alert.json", required=True)),
            commits=tuple(_commits(_read(folder, "context/commits.json"))),
            rollouts=tuple(_rollouts(_read(folder, "context/deploys.json"))),
            lines=tuple(_lines(_text(folder, "logs.ndjson"))),
            templates=tuple(_templates(_read(folder, "patterns.json"))),
            calls=tuple(_calls(_read(folder, "traces.json"))),
            series=tuple(_series(_text(folder, "metrics.csv"))),
            statuses=tuple(_statuses(_read(folder, "status_feed.json"))),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ChangeCaseInvalidError(f"{folder}: a field is missing or of the wrong type: {error}") from error
    except (ValidationError, ValueError, OSError, EOFError) as error:
        raise ChangeCaseInvalidError(f"{folder}: {error}") from error


def _text(folder: Path, name: str) -> str:
    """Return the text of a file, or of its gzipped twin; empty if neither exists."""
    path, packed = folder / name, folder / f"{name}.gz"
    if path.exists():
        return path.read_text(encoding="utf-8")
    return gzip.decompress(packed.read_bytes()).decode() if packed.exists() else ""


def _read(folder: Path, name: str, *, required: bool = False) -> Any:  # noqa: ANN401  # JSON of somebody else
    text = _text(folder, name)
    if not text and required:
        raise ChangeCaseInvalidError(f"{folder} has no {name}")
    return json.loads(text) if text else []


def _alert(raw: Mapping[str, Any]) -> AlertRecord:
    text = f"{raw.get('monitor', '')} {raw.get('summary', '')}".strip()
    return AlertRecord(
        service=raw["service"], metric=raw.get("metric", ""), fired_at=raw["fired_at"], text=text
    )


def _commits(raw: list[dict[str, Any]]) -> Iterator[Commit]:
    for one in raw:
        yield Commit(
            sha=one["sha"],
            at=one["timestamp"],
            message=one.get("message") or "",
            files=tuple(one.get("files_changed") or ()),
            diff=one.get("diff") or "",
        )


def _rollouts(raw: list[dict[str, Any]]) -> Iterator[CommitRollout]:
    for one in raw:
        yield CommitRollout(sha=one["commit_sha"], service=one["service"], at=one["timestamp"])


def _lines(text: str) -> Iterator[LogRecord]:
    for row in text.splitlines():
        if not row.strip():
            continue
        one = json.loads(row)
        yield LogRecord(
            at=one["timestamp"],
            service=one["service"],
            level=one.get("severity_text") or one.get("level") or "INFO",
            text=one.get("msg") or one.get("message") or "",
            fields=tuple((name, str(value)) for name, value in one.items() if name not in _LINE),
        )


def _templates(raw: list[dict[str, Any]]) -> Iterator[LogTemplate]:
    for one in raw:
        yield LogTemplate(
            service=one["service"],
            text=one["signature"],
            delta=float(one.get("delta_vs_baseline") or 0),
            bad=one.get("sentiment") == "negative",
        )


def _calls(raw: list[dict[str, Any]]) -> Iterator[SpanRecord]:
    spans = {(one["trace_id"], one["span_id"]): one for one in raw}
    for one in raw:
        callers = _callers(one, spans)
        told = {name: value for name, value in one.items() if name not in _SPAN}
        yield SpanRecord(
            service=one["service"],
            callers=tuple(dict.fromkeys(name for name in callers if name != one["service"])),
            depth=len(callers),
            failed=str(one.get("status", "")).upper() not in {"OK", "UNSET", ""},
            text=json.dumps(told, ensure_ascii=False),
        )


def _callers(span: dict[str, Any], spans: Mapping[tuple[Any, Any], dict[str, Any]]) -> list[str]:
    """Return the services above a span, outermost first; a cycle ends where it closes."""
    seen, out = {span["span_id"]}, []
    above = spans.get((span["trace_id"], span.get("parent_id")))
    while above is not None and above["span_id"] not in seen:
        seen.add(above["span_id"])
        out.append(above["service"])
        above = spans.get((above["trace_id"], above.get("parent_id")))
    return out[::-1]


def _series(text: str) -> Iterator[SeriesRecord]:
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["value"]:
            found.setdefault((row["service"], row["metric"]), []).append((row["timestamp"], row["value"]))
    for (service, metric), points in sorted(found.items()):
        yield SeriesRecord.model_validate({"service": service, "metric": metric, "points": points})


def _statuses(raw: Any) -> Iterator[StatusLine]:  # noqa: ANN401  # JSON of somebody else
    feed = raw.get("events", []) if isinstance(raw, dict) else raw
    for one in feed:
        yield StatusLine(at=one["timestamp"], status=one.get("status", ""), text=one.get("detail", ""))
