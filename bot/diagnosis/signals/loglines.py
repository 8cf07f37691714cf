"""Reads one line of a log, whatever its fields are called and whatever wraps it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.diagnosis.signals.log_levels import COLOUR, level_named, level_of_number
from bot.diagnosis.signals.log_times import number_of, seconds_of

_TIME_KEYS = (
    *("ts", "time", "timestamp", "@timestamp", "@t", "timestampms", "datetime", "date", "timemillis"),
    *("instant", "asctime", "eventtime", "timereported", "writtenat", "logtime", "timeunixnano"),
    *("sourcerealtimetimestamp", "realtimetimestamp", "observedtimeunixnano", "ingestiontime"),
    *("receivetimestamp", "epoch"),
)
_LEVEL_KEYS = (
    *("level", "severity", "lvl", "loglevel", "levelname", "severitytext", "@l", "syslogpriority"),
    *("severitynumber", "levelno", "levelvalue"),
)
_MESSAGE_KEYS = (
    *("message", "msg", "event", "shortmessage", "@m", "renderedmessage", "@mt", "messagetemplate"),
    *("textpayload", "log", "body", "logmessage", "line", "content", "stringvalue"),
)
_TEMPLATE_KEYS = frozenset({"@mt", "messagetemplate"})
_ERROR_KEYS = (
    *("error", "exception", "excinfo", "err", "@x", "stacktrace", "stack", "traceback", "thrown"),
    *("throwable", "fullmessage"),
)
_VERSION_KEYS = ("version", "service.version", "appversion")
_DETAIL_KEYS = ("dependency", "peer", "upstream", "target")
_ENVELOPES = frozenset(
    {
        "log",
        "record",
        "fields",
        "jsonpayload",
        "payload",
        "body",
        "event",
        "message",
        "msg",
        "source",
        "entry",
    }
)
"""Objects that hold a line; a ``level`` in any other object is that of something else."""


_ERROR_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL", "ALERT", "EMERG", "EMERGENCY", "PANIC", "SEVERE"})
_BYTES = range(256)
_MOST_DEPTH = 4
_EXCEPTION = re.compile(r"\b([A-Z][A-Za-z0-9_]*(?:Error|Exception|Timeout|Interrupt|Exit|Warning|Fault))\b")
_LABELLED_LEVELS = ("level", "detected_level", "severity")
_WRITTEN_LEVEL = re.compile(
    r"\b(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|ALERT|EMERG|PANIC|SEVERE)\b"
    r"|[\[<](trace|debug|info|notice|warn|warning|error|crit|critical|fatal|alert|emerg|panic)[\]>]"
    r"|\"(?:level|severity|lvl|@l)\"\s*:\s*\"?(\w+)"
)
_HEAD_CHARS = 160
_PAIR = re.compile(r'(?<!\S)([A-Za-z_][\w.@-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_STAMP = re.compile(
    rb'"(?:ts|time|[tT]imestamp|@timestamp|@t|timeMillis|datetime|asctime|__REALTIME_TIMESTAMP)"'
    rb'\s*:\s*("[^"]*"|[0-9.eE+-]+)'
)
_HOLE = re.compile(r"\{[@$]?(\w+)[^{}]*\}")
_CONTAINER_LINE = re.compile(rb"^(\S+) (stdout|stderr) [FP] (.*)$", re.DOTALL)


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
        """The class of the exception that it reports, or nothing."""
        found = _EXCEPTION.search(self.error) or _EXCEPTION.search(self.message)
        return found.group(1) if found else ""


def parse(raw: bytes) -> ParsedLine | None:
    """Return a line that is JSON, or that a container runtime wrapped; none if it cannot be read.

    It cannot be read without a time, or where neither a message nor an error is among its fields.  Bytes that
    are not UTF-8 are replaced.
    """
    if not raw.lstrip().startswith(b"{"):
        wrapped = _CONTAINER_LINE.match(raw)
        if wrapped is None:
            return None
        time, stream, text = (part.decode("utf-8", "replace") for part in wrapped.groups())
        return of_fields({"time": time, "stream": stream, "log": text})
    line = _object(raw.decode("utf-8", "replace"))
    return of_fields(line) if line is not None else None


def of_fields(line: Mapping[str, Any], *, at_s: float | None = None) -> ParsedLine | None:
    """Return the line that these fields are; none without a time, or without a word of what happened.

    Fields may be nested, and the message may be a line of JSON itself: that counts before its wrapper.
    """
    fields = _Fields(line)
    at_s = next(iter(_times(fields)), None) if at_s is None else at_s
    if at_s is None:
        return None
    key, message = fields.first(_MESSAGE_KEYS, without=_ERROR_KEYS)
    if message is None:  # loguru's, which repeats the message with all around it
        key, message = fields.first(("text",), without=_ERROR_KEYS)
    error = _error(fields)
    text = COLOUR.sub("", _text(message)) if message is not None else ""
    inner = _inner(text, at_s=at_s)
    if inner is not None:
        return _joined(inner, fields, error=error)
    if fields.name(key) in _TEMPLATE_KEYS:
        text = _HOLE.sub(lambda hole: _text(line.get(hole[1], hole[0])), text)
    if fields.name(key) == "log":
        text = text.rstrip("\r\n")
    level = _level(fields, beside=key)
    if not text and not error:
        text = fields.rest() if level else ""
        if not text:
            return None
    return ParsedLine(
        at_s=at_s,
        level=level or _written(text) or _by_stream(fields),
        message=text,
        version=_version(fields),
        error=error,
        detail=_text(fields.first(_DETAIL_KEYS, most_depth=0)[1]),
    )


def of_text(text: str, *, at_s: float, labels: Mapping[str, str]) -> ParsedLine:
    """Return a line of a log store, which knows its time: JSON, ``key=value`` pairs, or plain words.

    ``labels`` are what the store knows of it, and count where the line itself has no value.
    """
    fields = _fields_of(text)
    found = of_fields(fields, at_s=at_s) if fields else None
    known = next((labels[key] for key in _LABELLED_LEVELS if labels.get(key)), "")
    own = bool(fields) and bool(_level(_Fields(fields), beside=""))
    line = found or ParsedLine(at_s=at_s, level="", message=text, version="", error="", detail="")
    shown = line.level if own or line.level not in ("", "INFO") else _written(text)
    of_labels = _Fields(labels)
    return ParsedLine(
        at_s=at_s,
        level=shown or level_named(known) or line.level or _by_stream(of_labels),
        message=line.message or text,
        version=line.version or _version(of_labels),
        error=line.error,
        detail=line.detail or _text(of_labels.first(_DETAIL_KEYS)[1]),
    )


def of_document(document: Mapping[str, Any]) -> ParsedLine | None:
    """Return a document of a store, whose fields are nested; none as with ``of_fields``."""
    return of_fields(document)


def stamp(raw: bytes) -> float | None:
    """Return a line's time alone, in seconds since the epoch, without parsing the rest."""
    found = _STAMP.search(raw)
    if found is not None:
        return seconds_of(found.group(1).strip(b'"').decode("utf-8", "replace"))
    wrapped = _CONTAINER_LINE.match(raw)
    return seconds_of(wrapped.group(1).decode("utf-8", "replace")) if wrapped else None


def headline(error: str) -> str:
    """Return the line of an error or a stack trace that names what went wrong."""
    lines = error.strip().split("\n")
    # Python ends with it, all others begin with it.
    return lines[-1].strip() if lines[0].startswith("Traceback (") else lines[0]


class _Fields:
    """The fields of a line by their path, those above before those below."""

    def __init__(self, line: Mapping[str, Any]) -> None:
        self._paths = sorted(_flat(line), key=lambda field: field[0].count("."))
        self._values = dict(reversed(self._paths))

    def first(
        self, names: tuple[str, ...], *, without: Iterable[str] = (), most_depth: int = _MOST_DEPTH
    ) -> tuple[str, Any]:
        """Return the path and the value of the highest field with one of these names."""
        found: tuple[tuple[int, int], str, Any] | None = None
        for path, value in self._paths:
            depth = path.count(".")
            if depth > most_depth or (found is not None and depth > found[0][0]):
                break
            name = self.name(path)
            if value in (None, "", [], {}) or name not in names or self._within(path, without):
                continue
            place = (depth, names.index(name))
            if found is None or place < found[0]:
                found = place, path, value
        return (found[1], found[2]) if found else ("", None)

    def get(self, path: str) -> Any:  # noqa: ANN401  # JSON
        """Return the value at a path, or none."""
        return self._values.get(path)

    def rest(self) -> str:
        """Return all fields but time and level as ``key=value`` pairs."""
        known = {*_TIME_KEYS, *_LEVEL_KEYS}
        return " ".join(
            f"{path}={_text(value)}" for path, value in self._paths if self.name(path) not in known
        )

    @staticmethod
    def name(path: str) -> str:
        """Return the last part of a path."""
        return path.rpartition(".")[2]

    @staticmethod
    def _within(path: str, names: Iterable[str]) -> bool:
        return not set(path.split(".")[:-1]).isdisjoint(names)


def _flat(line: Mapping[str, Any], above: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    for key, value in line.items():
        path = above + _normal(key)
        if isinstance(value, Mapping) and depth < _MOST_DEPTH:
            yield from _flat(value, f"{path}.", depth + 1)
        else:
            yield path, value


@lru_cache(maxsize=10_000)
def _normal(key: str) -> str:
    # Spelt so it is journald's; a field "priority" may be that of an order.
    return "syslogpriority" if key == "PRIORITY" else re.sub(r"[_\- ]", "", key).lower()


def _times(fields: _Fields) -> Iterator[float]:
    for name in ("instant", "time", "timestamp", "ts"):  # log4j2, Protocol Buffers
        for whole, part in (("epochsecond", "nanoofsecond"), ("seconds", "nanos")):
            seconds = seconds_of(fields.get(f"{name}.{whole}"))
            if seconds is not None:
                yield seconds + (number_of(fields.get(f"{name}.{part}")) or 0.0) / 1e9
    dated = seconds_of(fields.get("t.$date"))  # MongoDB
    if dated is not None:
        yield dated
    for depth in range(_MOST_DEPTH + 1):
        for name in _TIME_KEYS:
            path, value = fields.first((name,), without=_ERROR_KEYS, most_depth=depth)
            seconds = seconds_of(value)
            if path.count(".") == depth and seconds is not None:
                yield seconds


def _inner(text: str, *, at_s: float) -> ParsedLine | None:
    """Return the line of JSON or of pairs that a message is, with the time of its wrapper."""
    if not text.lstrip().startswith("{"):
        pairs = _pairs_of(text)
        return of_fields(pairs, at_s=at_s) if pairs else None
    line = _object(text)
    return of_fields(line, at_s=at_s) if line else None


def _joined(inner: ParsedLine, outer: _Fields, *, error: str) -> ParsedLine:
    level = _level(outer, beside="")
    return ParsedLine(
        at_s=inner.at_s,
        level=inner.level if inner.level != "INFO" else level or inner.level,
        message=inner.message,
        version=inner.version or _version(outer),
        error=inner.error or error,
        detail=inner.detail or _text(outer.first(_DETAIL_KEYS, most_depth=0)[1]),
    )


def _error(fields: _Fields) -> str:
    """Return what failed: a text, or the parts of an object, ``KeyError: 'NO'`` before its stack."""
    path, value = fields.first(_ERROR_KEYS, without=_ERROR_KEYS)
    # Some write `"error": false`, or a number of errors.
    text = COLOUR.sub("", _text(value)) if path and not isinstance(value, bool) else ""
    above = path.rpartition(".")[0]
    for name in _ERROR_KEYS:
        prefix = f"{above}.{name}" if above else name
        kind = next(filter(None, map(fields.get, (f"{prefix}.type", f"{prefix}.name"))), None)
        said = next(filter(None, map(fields.get, (f"{prefix}.message", f"{prefix}.value"))), None)
        stack = next(
            filter(None, (fields.get(f"{prefix}.{part}") for part in ("stack", "stacktrace", "traceback"))),
            None,
        )
        parts = [_text(part) for part in (kind, said) if part]
        if parts or isinstance(stack, str):
            return ": ".join(parts) or _text(stack)
    return text


def _version(fields: _Fields) -> str:
    if fields.get("shortmessage") is not None:  # GELF's own version
        return _text(fields.get("appversion"))
    return next((_text(value) for value in map(fields.get, _VERSION_KEYS) if value not in (None, "")), "")


def _level(fields: _Fields, *, beside: str) -> str:
    """Return the level that the fields hold, at the top, in an envelope or beside the message; or nothing."""
    holders = {*_ENVELOPES, *beside.split(".")[:-1]}
    mongo = fields.get("s") if fields.get("t.$date") is not None else None
    if isinstance(mongo, str):
        return level_named(mongo.rstrip("0123456789"))
    for name in ("level.name", "record.level.name"):  # loguru
        if isinstance(named := fields.get(name), str):
            return level_named(named)
    path, value = fields.first(_LEVEL_KEYS, without=_ERROR_KEYS)
    if not path or not set(path.split(".")[:-1]) <= holders:
        return ""
    number = number_of(value)
    return level_of_number(number, fields.name(path)) if number is not None else level_named(_text(value))


def _written(text: str) -> str:
    """Return the level that stands at the head of a text, or nothing."""
    shown = _WRITTEN_LEVEL.search(COLOUR.sub("", text[:_HEAD_CHARS]))
    return level_named(next(part for part in shown.groups() if part)) if shown else ""


def _by_stream(fields: _Fields) -> str:
    return "ERROR" if fields.get("stream") == "stderr" else "INFO"


def _fields_of(text: str) -> dict[str, Any]:
    if text.lstrip().startswith("{"):
        return _object(text) or {}
    return _pairs_of(text)


def _pairs_of(text: str) -> dict[str, Any]:
    pairs = {key: value.strip('"').replace('\\"', '"') for key, value in _PAIR.findall(text)}
    # One pair among words is not a line of pairs.
    known = {_normal(key) for key in pairs}
    return pairs if known & {"level", "severity", "lvl", "message", "msg", "event"} else {}


def _object(text: str) -> dict[str, Any] | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def _text(value: Any) -> str:  # noqa: ANN401  # JSON
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(each, int) and each in _BYTES for each in value):
        return bytes(value).decode("utf-8", "replace")  # journald writes so what is not UTF-8
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
