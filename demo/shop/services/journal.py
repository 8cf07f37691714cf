"""JSON lines, one object a line, each with the trace it belongs to."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from logging import LogRecord, makeLogRecord
from logging.handlers import RotatingFileHandler
from typing import Any

from demo.shop.clock import iso, utc_now
from demo.shop.services.config import ServiceConfig

trace_id: ContextVar[str] = ContextVar("trace_id", default="")

_MAX_BYTES = 32_000_000


class ServiceLog:
    """Writes a service's log file; ``counted`` gets the level of each line."""

    def __init__(self, config: ServiceConfig, counted: Callable[[str], None]) -> None:
        self._handler = RotatingFileHandler(config.log_path, maxBytes=_MAX_BYTES, backupCount=1, delay=True)
        self._base = {"service": config.name, "version": config.version}
        if config.slot:
            self._base["slot"] = config.slot
        self._counted = counted

    def info(self, event: str, message: str, **fields: Any) -> None:  # noqa: ANN401  # any JSON value
        """Log what happened as expected."""
        self._write("INFO", event, message, fields)

    def warn(self, event: str, message: str, **fields: Any) -> None:  # noqa: ANN401  # any JSON value
        """Log what is unusual but was handled."""
        self._write("WARN", event, message, fields)

    def error(self, event: str, message: str, **fields: Any) -> None:  # noqa: ANN401  # any JSON value
        """Log what failed."""
        self._write("ERROR", event, message, fields)

    def exception(self, event: str, message: str, error: BaseException, **fields: Any) -> None:  # noqa: ANN401
        """Log what failed, with the exception's name in ``error`` and its stack trace in ``stack``."""
        stack = "".join(traceback.format_exception(error))
        self._write("ERROR", event, message, {**fields, "error": describe(error), "stack": stack})

    def close(self) -> None:
        """Close the file."""
        self._handler.close()

    def _write(self, level: str, event: str, message: str, fields: dict[str, Any]) -> None:
        line: dict[str, Any] = {"ts": iso(utc_now()), "level": level, **self._base, "event": event}
        line["message"] = message
        current = trace_id.get()
        if current:
            line["trace_id"] = current
        line.update(fields)
        self._handler.emit(_record(json.dumps(line, ensure_ascii=False)))
        self._counted(level)


def describe(error: BaseException) -> str:
    """Return an exception on one line: ``KeyError: 'NO'``."""
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _record(text: str) -> LogRecord:
    return makeLogRecord({"msg": text})
