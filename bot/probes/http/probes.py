"""Checks health addresses: a service's own, and those of its dependencies in the catalogue."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

import httpx
from pydantic import AliasChoices, BaseModel, Field, ValidationError

from bot.domain.address import without_login
from bot.domain.catalogue import Service
from bot.domain.diagnoses.finding import Evidence, Finding, FindingKind, Findings, Measurement
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import figure, listed
from bot.domain.model import JsonObject, JsonValue
from bot.domain.pattern import Pattern
from bot.engine.plugins import Context, probe
from bot.probes._shared.connect import SHARE_OF_TIME, unresolved
from bot.probes.http.check import ExpectedAnswer, ask, measured

_SLOW_S = 0.5
_SLOW_RATIO = 3.0
_NOT_THERE = frozenset({401, 403, 404, 405, 410})
"""Status codes that mean a wrong address, not an unhealthy service."""

_State = Literal["ok", "not_ready", "timeout", "refused", "broken", "unknown"]


class _Dependency(BaseModel):
    ok: bool
    ms: float | None = Field(default=None, validation_alias=AliasChoices("ms", "latency_ms"))
    error: str = ""


class _Readiness(BaseModel):
    status: str = ""
    dependencies: dict[str, _Dependency] = Field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Check:
    service: Service
    url: str
    state: _State
    took_s: float
    why: str = ""
    dependencies: dict[str, _Dependency] = field(default_factory=dict)


@probe(specialist="network")
async def dependencies(ctx: Context, *, service: str, timeout_each_s: float = 1.5) -> Findings:
    """Which health addresses of a service and its dependencies fail or are slow; all are checked at once.

    Each has ``timeout_each_s`` seconds.  A readiness answer may list its own dependencies as JSON:
    ``{"status": …, "dependencies": {name: {"ok": bool, "ms": number, "error": text}}}``.

    Raises:
        ProbeNotConfiguredError: none of these services has a health address.
        ProbeUnavailableError: no address could be reached (each is wrong, or its name does not resolve).
    """
    scope = ctx.catalogue.downstream(service)
    asked = [entry for entry in scope if entry.sources.get("http", {}).get("health")]
    if not asked:
        raise ProbeNotConfiguredError(
            f"Neither {service} nor anything it depends on has an `http` source with `health`."
        )
    checks = await asyncio.gather(*(_check(ctx, entry, timeout_s=timeout_each_s) for entry in asked))
    known = [check for check in checks if check.state != "unknown"]
    if not known:
        raise ProbeUnavailableError(f"No health address could be checked: {checks[0].why}.")
    found = [finding for check in known for finding in _findings(ctx, check, slow_s=_slow_from(known))]
    return Findings(
        items=tuple(found),
        looked_at=f"health of {listed([check.service.name for check in known], most=8)}",
        normal=tuple(
            f"{check.service.name} answers its health check in {figure(check.took_s, 's')}"
            for check in known
            if check.state == "ok" and check.took_s < _slow_from(known)
        ),
        gaps=tuple(f"{check.service.name}: {check.why}" for check in checks if check.state == "unknown"),
    )


@probe(specialist="network")
async def health(ctx: Context, *, service: str) -> Measurement:
    """Whether a service's own health address reports it healthy: 1 if it does, 0 if not or unreachable.

    Raises:
        ProbeNotConfiguredError: the service has no health address.
        ProbeUnavailableError: the address is wrong or its name does not resolve; the service may be healthy.
    """
    if not ctx.source(service, "http").get("health"):
        raise ProbeNotConfiguredError(f"The `http` source of {service} has no `health` address.")
    check = await _check(ctx, ctx.service(service), timeout_s=ctx.timeout_s * SHARE_OF_TIME)
    if check.state == "unknown":
        raise ProbeUnavailableError(f"The health of {service} could not be checked: {check.why}.")
    healthy = check.state == "ok"
    return Measurement(
        value=float(healthy),
        unit="1 = healthy",
        at=ctx.clock.now(),
        url=check.url,
        text=f"{service} is healthy" if healthy else f"{service} is not healthy: {check.why}",
    )


@probe(specialist="network")
async def check(
    ctx: Context,
    *,
    service: str,
    address: str = "health",
    path: str = "",
    method: Literal["GET", "HEAD"] = "GET",
    status: tuple[int, ...] = (),
    body_contains: str = "",
    body_matches: Pattern | None = None,
    body_json: dict[str, JsonValue] | None = None,
    within_s: Annotated[float, Field(gt=0)] | None = None,
) -> Measurement:
    """Whether an address answers as it should: 1 if it does, 0 if not; ``data.took_s`` is the time it took.

    Requests ``address`` of the service's ``http`` source, or ``path`` on it.  The answer is as expected if it
    has one of ``status`` (default: any 2xx) and a body that contains ``body_contains``, matches the pattern
    ``body_matches`` (no look-around, no back references) and has the fields ``body_json`` (dotted names to
    values), all within ``within_s`` seconds (default: the step's time).  Redirects are not followed: a 301 is
    an answer, expected only if it is listed.  ``data`` holds ``took_s``, ``status`` (0 without an answer),
    ``problem`` and, for a redirect, ``location``.

    The value is 0 when the connection is refused, breaks, hangs or has a bad certificate, and when the host
    name does not exist.

    Raises:
        ProbeNotConfiguredError: the service has no ``http`` source of that ``address``.
        ProbeUnavailableError: the address is not a URL, or no name server answered; the service may be up.
    """
    base = ctx.source(service, "http").get(address)
    if not base:
        raise ProbeNotConfiguredError(f"The `http` source of {service} has no `{address}`.")
    expected = ExpectedAnswer(
        status=frozenset(status),
        contains=body_contains,
        matches=body_matches,
        fields=body_json or {},
        within_s=within_s,
    )
    answer = await ask(ctx, base, path=path, method=method, expected=expected)
    return measured(ctx, answer, service=service)


async def _check(ctx: Context, entry: Service, *, timeout_s: float) -> _Check:
    url = entry.sources["http"]["health"]
    limit_s = min(timeout_s, ctx.timeout_s * SHARE_OF_TIME)
    started = time.perf_counter()
    state: _State
    listed: dict[str, _Dependency] = {}
    try:
        async with asyncio.timeout(limit_s):
            answer = await ctx.http.get(url, timeout=limit_s)
        state, why, listed = _judge(answer)
    except (TimeoutError, httpx.TimeoutException):
        state, why = "timeout", f"no answer within {figure(limit_s, 's')}"
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        state, why = "unknown", "the health address in the catalogue is not a URL"
    except httpx.ConnectError as error:
        state, why = ("unknown", "its host name does not resolve") if unresolved(error) else _refused(error)
    except httpx.HTTPError as error:
        state, why = "broken", f"the connection broke ({type(error).__name__})"
    took_s = time.perf_counter() - started
    shown = without_login(url)
    return _Check(service=entry, url=shown, state=state, took_s=took_s, why=why, dependencies=listed)


def _judge(answer: httpx.Response) -> tuple[_State, str, dict[str, _Dependency]]:
    if answer.status_code in _NOT_THERE:
        return "unknown", f"the health address answers {answer.status_code}", {}
    try:
        readiness = _Readiness.model_validate_json(answer.content)
    except ValidationError:
        # Not every health address answers with JSON; the status code decides then.
        readiness = _Readiness()
    failing = [name for name, found in readiness.dependencies.items() if not found.ok]
    if answer.is_success and not failing and readiness.status.lower() not in {"down", "unavailable"}:
        return "ok", "", readiness.dependencies
    why = f"{listed(failing, most=4)} not available to it" if failing else f"it answers {answer.status_code}"
    return "not_ready", why, readiness.dependencies


def _refused(error: httpx.ConnectError) -> tuple[_State, str]:
    return "refused", f"the connection is not accepted ({error})"


def _slow_from(checks: Sequence[_Check]) -> float:
    """Return the seconds from which an answer is slow; if even the fastest is, the delay is the bot's."""
    return max(_SLOW_S, _SLOW_RATIO * min(check.took_s for check in checks)) if len(checks) > 1 else _SLOW_S


def _findings(ctx: Context, check: _Check, *, slow_s: float) -> Iterator[Finding]:
    name = check.service.name
    failing = {key: found for key, found in check.dependencies.items() if not found.ok}
    if check.state == "ok":
        if check.took_s >= slow_s:
            strength = check.took_s / (check.took_s + 1.0)
            yield _own(
                check,
                FindingKind.DEPENDENCY_SLOW,
                f"{name} takes {figure(check.took_s, 's')} to answer its health check",
                strength,
            )
    elif not failing:
        kind = FindingKind.DEPENDENCY_DOWN if check.service.external else FindingKind.SERVICE_DOWN
        yield _own(check, kind, f"{name} fails its health check: {check.why}", _STRENGTH[check.state])
    known = set(ctx.catalogue.names)
    for dependency, found in failing.items():
        yield _reported(check, dependency, found, catalogued=dependency in known)


_STRENGTH: dict[_State, float] = {"refused": 0.95, "timeout": 0.85, "broken": 0.8, "not_ready": 0.7}


def _own(check: _Check, kind: FindingKind, text: str, strength: float) -> Finding:
    return _finding(
        check,
        kind=kind,
        component="",
        text=text,
        strength=strength,
        data={"state": check.state, "took_s": round(check.took_s, 3), "direct": True},
    )


def _reported(check: _Check, dependency: str, found: _Dependency, *, catalogued: bool) -> Finding:
    detail = f": {found.error}" if found.error else ""
    detail += "" if found.ms is None else f" (after {figure(found.ms / 1000, 's')})"
    return _finding(
        check,
        kind=FindingKind.DEPENDENCY_DOWN,
        component=dependency,
        text=f"{check.service.name} reports that {dependency} is not available to it{detail}",
        strength=0.7,
        data={
            "caller": check.service.name,
            "dependency": dependency,
            "error": found.error,
            "catalogued": catalogued,
            "direct": False,
        },
    )


def _finding(
    check: _Check, *, kind: FindingKind, component: str, text: str, strength: float, data: JsonObject
) -> Finding:
    name = check.service.name
    return Finding(
        id=":".join(part for part in ("dependencies", kind.value, name, component) if part),
        source="dependencies",
        kind=kind,
        service=name,
        component=component,
        summary=f"{text}.",
        strength=min(strength, 0.99),
        evidence=(
            Evidence(text=text, query=f"GET {check.url}", url=check.url, value=check.took_s, unit="s"),
        ),
        data=data,
    )
