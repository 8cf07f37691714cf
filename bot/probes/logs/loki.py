"""Reads a service's lines from Loki; if there are too many, only its errors and their number."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from bot.diagnosis.signals.loglines import ParsedLine, of_text
from bot.diagnosis.signals.logs import LogRead
from bot.domain.catalogue import Service
from bot.domain.errors import ProbeGarbageError
from bot.domain.wording import clock_time, moment
from bot.engine.plugins import Context
from bot.probes._shared.json_api import Source, fetch, field
from bot.probes._shared.partial_answer import in_words, missing_of
from bot.probes.logs.counts import FIRST_SHARE, MOST_LINES, Bin, bin_s, moments

ERRORS = '|~ "(?i)(error|exception|fatal|critical|panic|severe)"'
"""The default filter for lines of errors, if the catalogue has none."""

_NANO = 1_000_000_000


class _Stream(BaseModel):
    stream: dict[str, str]
    values: list[tuple[str, str]] | list[tuple[str, str, dict[str, object]]]


class _Streams(BaseModel):
    result_type: Literal["streams"] = Field(validation_alias="resultType")
    result: list[_Stream]


class _Series(BaseModel):
    values: list[tuple[float, str]]


class _Matrix(BaseModel):
    result_type: Literal["matrix"] = Field(validation_alias="resultType")
    result: list[_Series]


class _StreamAnswer(BaseModel):
    status: Literal["success"]
    data: _Streams


class _MatrixAnswer(BaseModel):
    status: Literal["success"]
    data: _Matrix


async def read(ctx: Context, entry: Service, *, start_s: float, end_s: float) -> tuple[LogRead, list[str]]:
    """Return a service's lines between two times (seconds since the epoch), and what was not read.

    Raises:
        ProbeNotConfiguredError: the ``loki`` source has no ``selector``.
        ProbeUnavailableError: Loki cannot be read.
        ProbeGarbageError: the server is not Loki.
    """
    source = entry.sources["loki"]
    selector = field(source, "selector", kind="loki", service=entry.name)
    lines, missing = await _lines(ctx, source, selector, start_s=start_s, end_s=end_s)
    partial = in_words(missing) if missing else ""
    if len(lines) < MOST_LINES:
        read_all = LogRead(
            service=entry.name, lines=lines, start_s=start_s, end_s=end_s, path=selector, partial=partial
        )
        return read_all, [partial] if partial else []
    wanted = f"{selector} {source.get('errors', ERRORS)}"
    asked = asyncio.create_task(_counts(ctx, source, wanted, start_s=start_s, end_s=end_s))
    try:
        lines, missing = await _lines(ctx, source, wanted, start_s=start_s, end_s=end_s)
        bins, uncounted = await asked
    finally:
        asked.cancel()
    missing = tuple(dict.fromkeys([*missing, *uncounted]))
    partial = in_words(missing) if missing else ""
    cut = len(lines) >= MOST_LINES
    covered_s = lines[0].at_s if cut else start_s
    limit = f"there are more than {MOST_LINES} lines, so only those that mention errors were read"
    since = f", since {clock_time(moment(covered_s))}; older ones were only counted" if cut else ""
    share = sum(line.is_error for line in lines) / max(1, len(lines))
    width_s = bin_s(start_s, end_s)
    return LogRead(
        service=entry.name,
        lines=lines,
        start_s=covered_s,
        end_s=end_s,
        path=wanted,
        error_times_s=moments(bins, width_s=width_s, share=share) if cut else (),
        counted_from_s=start_s,
        partial=partial,
    ), [f"{limit}{since}", *([partial] if partial else [])]


async def _lines(
    ctx: Context, source: Source, query: str, *, start_s: float, end_s: float
) -> tuple[list[ParsedLine], tuple[str, ...]]:
    """Return the lines, oldest first, and why they are only a part of the data."""
    params = {"limit": str(MOST_LINES), "direction": "backward"}
    answer = await _ask(ctx, source, query, params, start_s=start_s, end_s=end_s)
    try:
        streams = _StreamAnswer.model_validate(answer).data.result
        found = [
            of_text(value[1], at_s=int(value[0]) / _NANO, labels=stream.stream)
            for stream in streams
            for value in stream.values
        ]
    except (ValidationError, ValueError) as error:
        raise ProbeGarbageError("The server did not answer as Loki does.") from error
    return sorted(found, key=lambda line: line.at_s), missing_of(answer)


async def _counts(
    ctx: Context, source: Source, query: str, *, start_s: float, end_s: float
) -> tuple[Sequence[Bin], tuple[str, ...]]:
    width_s = bin_s(start_s, end_s)
    counted = f"sum(count_over_time({query} [{width_s}s]))"
    # The value at a time counts the lines before it: the first bin ends one width after the start.
    params = {"step": str(width_s)}
    answer = await _ask(ctx, source, counted, params, start_s=start_s + width_s, end_s=end_s)
    try:
        series = _MatrixAnswer.model_validate(answer).data.result
        return [(at_s, float(count)) for each in series for at_s, count in each.values], missing_of(answer)
    except (ValidationError, ValueError) as error:
        raise ProbeGarbageError("The server did not count as Loki does.") from error


async def _ask(
    ctx: Context, source: Source, query: str, params: Mapping[str, str], *, start_s: float, end_s: float
) -> object:
    headers = {"X-Scope-OrgID": source["tenant"]} if source.get("tenant") else None
    window = {"start": str(round(start_s * _NANO)), "end": str(round(end_s * _NANO))}
    answer: object = await fetch(
        ctx,
        f"{source['url'].rstrip('/')}/loki/api/v1/query_range",
        name="Loki",
        source=source,
        params={"query": query, **window, **params},
        headers=headers,
        share=FIRST_SHARE,
    )
    return answer
