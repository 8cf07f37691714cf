"""Reads a backend's counters from HAProxy's statistics; pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.errors import ActionFailedError
from bot.ports.targets import SideCounts

_ANSWERS = ("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One server's counters since HAProxy started."""

    name: str
    requests: int
    errors: int
    latency_ms: float
    """The mean over the latest 1024 requests."""
    sessions: int
    """Open requests."""
    room: int | None
    """The most requests that may be open; ``None`` if there is no limit."""


def rows_of(text: str, *, backend: str) -> dict[str, Row]:
    """Return the rows of ``show stat``, the backend's own included under the name ``BACKEND``.

    Answers are counted, not attempts: a retried request counts once, for the server that answered.

    Raises:
        ActionFailedError: ``text`` cannot be read.
    """
    lines = csv.DictReader(io.StringIO(text.removeprefix("# ")))
    try:
        found = [_row(line) for line in lines if line["pxname"] == backend and line["svname"] != "FRONTEND"]
    except (KeyError, ValueError) as error:
        raise ActionFailedError(
            f"HAProxy's statistics cannot be read: {error}", code="target_garbage"
        ) from error
    return {row.name: row for row in found}


def side_of(rows: dict[str, Row], names: Iterable[str]) -> SideCounts:
    """Return the sum of one side's servers; latencies are weighted by requests."""
    own = [rows[name] for name in names if name in rows]
    requests = sum(row.requests for row in own)
    spent = sum(row.latency_ms * row.requests for row in own)
    return SideCounts(
        requests=requests,
        errors=sum(row.errors for row in own),
        latency_ms=spent / requests if requests else None,
    )


def _row(line: dict[str, str]) -> Row:
    return Row(
        name=line["svname"],
        requests=sum(int(line[field] or 0) for field in _ANSWERS),
        errors=int(line["hrsp_5xx"] or 0),
        latency_ms=float(line["ttime"] or 0),
        sessions=int(line["scur"] or 0),
        room=int(line["slim"]) if line["slim"] else None,
    )
