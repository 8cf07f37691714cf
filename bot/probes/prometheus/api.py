"""Queries Prometheus and reads its answers."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError, model_validator

from bot.domain.address import without_login
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import duration
from bot.domain.monitoring.slo import Slo
from bot.engine.plugins import Context
from bot.probes._shared.json_api import fetch
from bot.probes._shared.partial_answer import missing_of


class SeriesResult(BaseModel):
    """One series of an answer, or a scalar; its numbers are text, as in Prometheus' JSON."""

    metric: dict[str, str] = Field(default_factory=dict)
    values: list[tuple[float, str]] = Field(default_factory=list)
    value: tuple[float, str] | None = None
    histogram: Any = None
    histograms: list[Any] = Field(default_factory=list)

    @property
    def is_histogram(self) -> bool:
        """Whether it is a native histogram and holds no number of its own."""
        return bool(self.histogram or self.histograms) and not self.values and self.value is None


class _Data(BaseModel):
    result: list[SeriesResult]

    @model_validator(mode="before")
    @classmethod
    def _as_series(cls, data: object) -> object:
        """Read a scalar as one series without labels, and no result at all as none."""
        if not isinstance(data, dict):
            return data
        if data.get("resultType") in {"scalar", "string"}:
            return {**data, "result": [{"value": data.get("result")}]}
        return {**data, "result": []} if "result" in data and data["result"] is None else data


class _Answer(BaseModel):
    status: Literal["success"]
    data: _Data


_Form = TypeVar("_Form", bound=BaseModel)


async def ask(
    ctx: Context, source: Mapping[str, str], path: str, params: Mapping[str, str]
) -> list[SeriesResult]:
    """Return the series that ``path`` below ``/api/v1/`` answers with these parameters.

    Raises:
        ProbeUnavailableError: no answer, a question that it cannot answer, or only a part of the data.
        ProbeGarbageError: the server is not Prometheus.
    """
    found, missing = await ask_part(ctx, source, path, params)
    _refuse_part(missing)
    return found


async def ask_part(
    ctx: Context, source: Mapping[str, str], path: str, params: Mapping[str, str]
) -> tuple[list[SeriesResult], tuple[str, ...]]:
    """Return the series as ``ask`` does, and why they are only a part of the data; empty if they are whole.

    Raises:
        ProbeUnavailableError: no answer, a question that Prometheus cannot answer, or native histograms.
        ProbeGarbageError: the server that answers is not a Prometheus.
    """
    answer = await _fetch(ctx, source, path, params)
    found = _validated(answer, _Answer).data.result
    if any(series.is_histogram for series in found):
        raise ProbeUnavailableError(
            "Prometheus answered with a native histogram, which is not a number.",
            hint="Ask for a number of it: `histogram_quantile(0.99, …)` or `histogram_count(…)`.",
        )
    return found, missing_of(answer)


async def read(
    ctx: Context,
    source: Mapping[str, str],
    path: str,
    form: type[_Form],
    params: Mapping[str, str] | None = None,
) -> _Form:
    """Return what is at ``path`` below ``/api/v1/`` as a ``form``.

    Raises:
        ProbeUnavailableError: as ``ask``.
        ProbeGarbageError: as ``ask``.
    """
    answer = await _fetch(ctx, source, path, params)
    found = _validated(answer, form)
    _refuse_part(missing_of(answer))
    return found


async def _fetch(
    ctx: Context, source: Mapping[str, str], path: str, params: Mapping[str, str] | None
) -> object:
    url = f"{base_of(source)}/api/v1/{path}"
    answer: object = await fetch(ctx, url, name="Prometheus", source=source, params=params)
    return answer


def _refuse_part(missing: Sequence[str]) -> None:
    if missing:
        raise ProbeUnavailableError(
            f"Prometheus reports that its answer is partial: {'; '.join(missing)}.",
            hint="A part of the data cannot give a figure. Look at the stores behind Prometheus.",
        )


def _validated(answer: object, form: type[_Form]) -> _Form:
    try:
        return form.model_validate(answer)
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
