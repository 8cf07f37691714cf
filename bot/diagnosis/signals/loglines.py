"""Reads one JSON line of a log, whatever names its fields have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_TIME_KEYS = ("ts", "time", "timestamp", "@timestamp")
_LEVEL_KEYS = ("level", "severity", "lvl", "log.level")
_MESSAGE_KEYS = ("message", "msg", "event")
_ERROR_KEYS = ("error", "exception", "exc_info", "err")
_VERSION_KEYS = ("version", "service.version", "app_version")
_ERROR_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL", "ALERT", "EMERG", "EMERGENCY", "PANIC", "SEVERE"})
_SECONDS_END = 1e11
_PINO_ERROR = 50
_EXCEPTION = re.compile(r"\b([A-Z][A-Za-z0-9_]*(?:Error|Exception|Timeout|Interrupt|Exit|Warning|Fault))\b")
_LABELLED_LEVELS = ("level", "detected_level", "severity")
_WRITTEN_LEVEL = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|ALERT|EMERG|PANIC|SEVERE)\b"
)
_HEAD_CHARS = 160
_PAIR = re.compile(r'(?<!\S)([A-Za-z_][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_STAMP = re.compile(rb'"(?:ts|time|timestamp|@timestamp)"\s*:\s*("[^"]*"|[0-9.eE+-]+)')


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """One line; ``at_s`` in seconds since the epoch."""

    at_s: float
    level: str
    message: str
    version: str
    error: str
    detail: str
    """Names of others that the line carries in fields of their own, such as ``dependency``."""

    @property
    def is_error(self) -> bool:
        """Whether its level means that something failed."""
        return self.level in _ERROR_LEVELS

    @property
    def exception(self) -> str:
        """The class of the exception it reports, or nothing."""
        found = _EXCEPTION.search(self.error) or _EXCEPTION.search(self.message)
        return found.group(1) if found else ""


def parse(raw: bytes) -> ParsedLine | None:
    """Read a line; none if it is not a JSON object with a time."""
    try:
        line = json.loads(raw.decode())
    except ValueError:
        return None
    return of_fields(line) if isinstance(line, dict) else None


def of_fields(line: Mapping[str, Any], *, at_s: float | None = None) -> ParsedLine | None:
    """Read a line's fields; none if no time is given and none is among them."""
    at_s = _seconds(_first(line, _TIME_KEYS)) if at_s is None else at_s
    if at_s is None:
        return None
    return ParsedLine(
        at_s=at_s,
        level=_level(_first(line, _LEVEL_KEYS)),
        message=_text(_first(line, _MESSAGE_KEYS)),
        version=_text(_first(line, _VERSION_KEYS)),
        error=_text(_first(line, _ERROR_KEYS)),
        detail=_text(_first(line, ("dependency", "peer", "upstream", "target"))),
    )


def of_text(text: str, *, at_s: float, labels: Mapping[str, str]) -> ParsedLine:
    """Read a line of a log store, which knows its time: JSON, ``key=value`` pairs, or plain words.

    ``labels`` are what the store knows of it, and count where the line itself has no value.
    """
    fields = _fields_of(text)
    if not any(fields.get(key) for key in _LEVEL_KEYS):
        shown = _WRITTEN_LEVEL.search(text[:_HEAD_CHARS])
        known = next((labels[key] for key in _LABELLED_LEVELS if labels.get(key)), "")
        fields = {**fields, "level": shown.group(1) if shown else known}
    if not any(fields.get(key) for key in _MESSAGE_KEYS):
        fields = {**fields, "message": text}
    line = of_fields({**labels, **fields}, at_s=at_s)
    assert line is not None  # noqa: S101  # it has a time
    return line


def of_document(document: Mapping[str, Any]) -> ParsedLine | None:
    """Read a document with nested fields, as the Elastic Common Schema has them; none without a time."""
    fields = dict(_flat(document))
    kind, said = fields.get("error.type"), fields.get("error.message")
    error = ": ".join(_text(part) for part in (kind, said) if part)
    return of_fields({**fields, **({"error": error} if error else {})})


def _flat(document: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _fields_of(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            line = None
        if isinstance(line, dict):
            return line
    pairs = {key: value.strip('"').replace('\\"', '"') for key, value in _PAIR.findall(text)}
    # One pair among words is not a line of pairs.
    return pairs if any(key in pairs for key in (*_LEVEL_KEYS, *_MESSAGE_KEYS)) else {}


def stamp(raw: bytes) -> float | None:
    """Read a line's time alone, in seconds since the epoch, without parsing the rest."""
    found = _STAMP.search(raw)
    if found is None:
        return None
    text = found.group(1).strip(b'"').decode("utf-8", "replace")
    return _seconds(text)


def _first(line: Mapping[str, Any], keys: tuple[str, ...]) -> Any:  # noqa: ANN401  # JSON
    for key in keys:
        value = line.get(key)
        if value not in (None, ""):
            return value
    return None


def _text(value: Any) -> str:  # noqa: ANN401  # JSON
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _level(value: Any) -> str:  # noqa: ANN401  # JSON
    if isinstance(value, int):  # numbers as pino and bunyan write them
        return "ERROR" if value >= _PINO_ERROR else "INFO"
    return _text(value).upper() or "INFO"


def _seconds(value: Any) -> float | None:  # noqa: ANN401  # JSON
    if isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return _epoch(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return _epoch(value) if isinstance(value, int | float) else None


def _epoch(value: str | float) -> float | None:
    try:
        seconds = float(value)
    except ValueError:
        return None
    if isinstance(value, bool) or not math.isfinite(seconds):
        return None
    while seconds > _SECONDS_END:  # milli-, micro- or nanoseconds
        seconds /= 1000
    return seconds
