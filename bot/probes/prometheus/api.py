"""Queries Prometheus and reads its answers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError

from bot.domain.address import without_login
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration
from bot.domain.monitoring.slo import Slo
from bot.engine.plugins import Context
from bot.probes._shared.json_api import fetch


class SeriesResult(BaseModel):
    """One series of an answer; its numbers are text, as in Prometheus' JSON."""

    metric: dict[str, str] = Field(default_factory=dict)
    values: list[tuple[float, str]] = Field(default_factory=list)
    value: tuple[float, str] | None = None


class _Data(BaseModel):
    result: list[SeriesResult]


class _Answer(BaseModel):
    status: Literal["success"]
    data: _Data


_Form = TypeVar("_Form", bound=BaseModel)


async def ask(
    ctx: Context, source: Mapping[str, str], path: str, params: Mapping[str, str]
) -> list[SeriesResult]:
    """Return the series that ``path`` below ``/api/v1/`` has for these parameters.

    Raises:
        ProbeUnavailableError: no answer, or a query that Prometheus cannot answer.
        ProbeGarbageError: the server is not Prometheus.
    """
    return (await read(ctx, source, path, _Answer, params)).data.result


async def read(
    ctx: Context,
    source: Mapping[str, str],
    path: str,
    form: type[_Form],
    params: Mapping[str, str] | None = None,
) -> _Form:
    """Return the answer at ``path`` below ``/api/v1/``, parsed as a ``form``.

    Raises:
        ProbeUnavailableError: as ``ask``.
        ProbeGarbageError: as ``ask``.
    """
    url = f"{base_of(source)}/api/v1/{path}"
    try:
        return form.model_validate(await fetch(ctx, url, name="Prometheus", source=source, params=params))
    except ValidationError as error:
        raise ProbeGarbageError("The server did not answer as Prometheus does.") from error


async def slo_ratio(ctx: Context, source: Mapping[str, str], slo: Slo, *, window_s: float) -> float:
    """Return the error ratio of an SLO, 0 to 1, over the last ``window_s`` seconds.

    Raises:
        ProbeUnavailableError: no answer, or no traffic in the window; that is not a ratio of 0.
        ProbeGarbageError: as ``ask_now``.
    """
    queries = slo.queries(window_s=window_s)
    values = await asyncio.gather(*(ask_now(ctx, source, query) for query in queries.values()))
    ratio = slo.ratio_of(**dict(zip(queries, values, strict=True)))
    if ratio is None:
        raise ProbeUnavailableError(
            f"Prometheus has no traffic for the SLO {slo.name} over {duration(window_s)}.",
            hint=f"Query: {' and '.join(queries.values())}",
        )
    return ratio


async def ask_now(ctx: Context, source: Mapping[str, str], expr: str) -> float:
    """Return one number as of now; ``nan`` if there is no data.

    Raises:
        ProbeUnavailableError: no answer; that is not a value of 0.
        ProbeGarbageError: more than one series, or the server is not Prometheus.
    """
    params = {"query": expr, "time": f"{ctx.clock.now().timestamp():.3f}"}
    result = await ask(ctx, source, "query", params)
    if len(result) > 1:
        raise ProbeGarbageError(
            f"The query returned {len(result)} series, not one.", hint=f"Aggregate it, as with sum(): {expr}"
        )
    return number(result[0].value[1]) if result and result[0].value else math.nan


def number(text: str) -> float:
    """Return a number from Prometheus' text.

    Raises:
        ProbeGarbageError: ``text`` is not a number.
    """
    try:
        return float(text)
    except ValueError as error:
        raise ProbeGarbageError(f"Prometheus answered {text[:40]!r} instead of a number.") from error


def base_of(source: Mapping[str, str]) -> str:
    """Return the base URL of a ``prometheus`` source.

    Raises:
        ProbeNotConfiguredError: the source has no ``url``.
    """
    url = source.get("url", "").rstrip("/")
    if not url:
        raise ProbeNotConfiguredError("The `prometheus` source has no `url`.")
    return url


def selector_of(source: Mapping[str, str]) -> str:
    """Return the label matchers of a ``prometheus`` source, without braces.

    Raises:
        ProbeNotConfiguredError: the source has no ``selector``.
    """
    selector = source.get("selector", "").strip().strip("{}")
    if not selector:
        raise ProbeNotConfiguredError("The `prometheus` source has no `selector`.")
    return selector


def graph_of(source: Mapping[str, str], expr: str, *, since_s: float) -> str:
    """Return a link to the query's graph over the last ``since_s`` seconds."""
    minutes = max(1, math.ceil(since_s / 60))
    base, asked = without_login(base_of(source)), quote(expr, safe="")
    return f"{base}/graph?g0.expr={asked}&g0.tab=0&g0.range_input={minutes}m"
