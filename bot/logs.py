"""Log lines: a constant event name, fields beside it, and never a secret."""

from __future__ import annotations

import json
import logging
import math
import os
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

REDACTED = "[redacted]"

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_SECRET_FIELD = re.compile(
    r"(?i)(?:^|_)(?:token|secret|password|passwd|authorization|api_?key|dsn|cookie)s?$"
)
_SECRET_TEXT = re.compile(
    r"""
      (?P<slack> \b xox[a-z] (?:\.xox[a-z])? - [A-Za-z0-9-]{4,} | \b xapp- [A-Za-z0-9-]{4,} )
    | (?P<hook>  (?<= hooks\.slack\.com/ ) [A-Za-z0-9/_-]{8,} )
    | (?P<url>   (?<= :// ) [^\s/@:'"]* : [^\s/'"]* (?= @ ) )
    | (?P<bearer> (?<= Bearer\  ) [A-Za-z0-9._~+/=-]{4,} | (?<= Basic\  ) [A-Za-z0-9+/=]{4,} )
    | (?P<code>  \b gh[opsur]_ [A-Za-z0-9]{16,} | \b github_pat_ \w{16,} | \b AKIA [A-Z0-9]{12,}
               | \b eyJ [\w-]{8,} \. [\w-]{8,} \. [\w-]* )
    | (?P<pair>  (?i: (?<= password= ) | (?<= passwd= ) | (?<= token= ) | (?<= secret= ) | (?<= api_key= ) )
                 [^\s&'",;]+ )
    """,
    re.VERBOSE,
)
_CHATTY = ("apscheduler", "asyncio", "httpcore", "httpx", "slack_bolt", "slack_sdk", "uvicorn.access")
"""Libraries that log each call at INFO; only WARNING and above is written."""
_COLOURS = {"DEBUG": "2", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def redact(text: str) -> str:
    """Blank whatever looks like a credential: chat tokens, passwords in URLs, bearer tokens."""
    return _SECRET_TEXT.sub(REDACTED, text)


def _clean(name: str, value: object) -> object:
    """Return a field's value as JSON allows it, with secrets blanked at any depth."""
    if _SECRET_FIELD.search(name):
        return REDACTED
    match value:
        case float():
            return value if math.isfinite(value) else str(value)  # JSON has no NaN
        case None | bool() | int():
            return value
        case Mapping():
            return {str(key): _clean(str(key), item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean("", item) for item in value]
        case _:
            return redact(str(value))


def _fields(record: logging.LogRecord) -> dict[str, object]:
    extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {name: _clean(name, value) for name, value in extra.items()}


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``ts`` (UTC), ``level``, ``event``, ``logger``, the fields, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as one line."""
        line: dict[str, object] = {
            "ts": _moment(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "event": redact(record.getMessage()),
            "logger": record.name,
        }
        # A field may not overwrite what every line has.
        line.update(
            {(f"{name}_" if name in line else name): value for name, value in _fields(record).items()}
        )
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)


class ConsoleFormatter(logging.Formatter):
    """A line for people: time, level, event, ``field=value``; in colour if asked."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        """Return one record as one line, with its exception below it."""
        time = _moment(record).strftime("%H:%M:%S")
        level = self._paint(f"{record.levelname:<7}", _COLOURS.get(record.levelname, "0"))
        event = _one_line(redact(record.getMessage()))
        fields = "  ".join(f"{name}={_quoted(value)}" for name, value in _fields(record).items())
        line = f"{self._paint(time, '2')} {level} {event:<24} {self._paint(fields, '2')}".rstrip()
        if record.exc_info:
            line += f"\n{redact(self.formatException(record.exc_info))}"
        return line

    def _paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self._colour and text else text


def _one_line(text: str) -> str:
    """Escape what could forge a line or control the terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return _one_line(text) if text and " " not in text else json.dumps(text, ensure_ascii=False)


def configure_logs(*, level: str, style: Literal["json", "console"], stream: TextIO | None = None) -> None:
    """Send all log lines of the process to ``stream`` (stderr unless given), and nowhere else."""
    out = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(out)
    colour = out.isatty() and "NO_COLOR" not in os.environ
    handler.setFormatter(JsonFormatter() if style == "json" else ConsoleFormatter(colour=colour))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.getLevelName(level), logging.WARNING))
