"""Reads one JSON line of a log, whatever names its fields have."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
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
_STAMP = re.compile(rb'"(?:ts|time|timestamp|@timestamp)"\s*:\s*("[^"]*"|[0-9.eE+-]+)')


@dataclass(frozen=True, slots=True)
class LogLine:
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
        """Whether its level says that something failed."""
        return self.level in _ERROR_LEVELS

    @property
    def exception(self) -> str:
        """The class of the exception it tells of, or nothing."""
        found = _EXCEPTION.search(self.error) or _EXCEPTION.search(self.message)
        return found.group(1) if found else ""


def parse(raw: bytes) -> LogLine | None:
    """Read a line; none if it is no JSON object with a time."""
    try:
        line = json.loads(raw.decode())
    except ValueError:
        return None
    if not isinstance(line, dict):
        return None
    at_s = _seconds(_first(line, _TIME_KEYS))
    if at_s is None:
        return None
    return LogLine(
        at_s=at_s,
        level=_level(_first(line, _LEVEL_KEYS)),
        message=_text(_first(line, _MESSAGE_KEYS)),
        version=_text(_first(line, _VERSION_KEYS)),
        error=_text(_first(line, _ERROR_KEYS)),
        detail=_text(_first(line, ("dependency", "peer", "upstream", "target"))),
    )


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
