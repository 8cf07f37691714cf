"""Asks one HTTP address and compares its answer with what was expected of it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import httpx

from bot.domain.address import without_login
from bot.domain.diagnoses.finding import Measurement
from bot.domain.errors import ProbeUnavailableError
from bot.domain.formatting import figure, listed
from bot.domain.model import JsonValue
from bot.domain.pattern import Pattern
from bot.engine.plugins import Context
from bot.probes._shared.connect import SHARE_OF_TIME, problem_of

_MOST_BYTES = 1_000_000
_SHOWN = 80


@dataclass(frozen=True, kw_only=True)
class ExpectedAnswer:
    """What an answer must be like; nothing given means any 2xx within the step's time."""

    status: frozenset[int] = frozenset()
    contains: str = ""
    matches: Pattern | None = None
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    """Dotted names of fields in a JSON body, and their values."""
    within_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """What came back, or why nothing did; ``body`` is at most a megabyte of it."""

    url: str
    """Without user name, password and query, which are nobody's business."""
    took_s: float
    status: int = 0
    location: str = ""
    body: bytes = b""
    problem: str = ""
    """A word: refused, timeout, broken, name, tls, status, slow, body or field; empty if all is right."""
    why: str = ""


async def ask(ctx: Context, base: str, *, path: str, method: str, expected: ExpectedAnswer) -> HttpAnswer:
    """Ask, wait no longer than is allowed, and judge what came back.

    Raises:
        ProbeUnavailableError: the address is no URL, or no name server could be asked.
    """
    url = _join(base, path)
    limit_s = min(expected.within_s or ctx.timeout_s, ctx.timeout_s * SHARE_OF_TIME)
    started = time.perf_counter()
    answer = HttpAnswer(url=without_login(str(url)), took_s=0)
    try:
        async with asyncio.timeout(limit_s):
            answer = await _fetch(ctx, url, method=method, answer=answer)
    except (TimeoutError, httpx.TimeoutException):
        answer = replace(answer, problem="timeout", why=f"no answer within {figure(limit_s, 's')}")
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise ProbeUnavailableError("The address in the catalogue is no URL.") from error
    except httpx.TransportError as error:
        problem, why = problem_of(error, host=url.host)
        answer = replace(answer, problem=problem, why=why)
    except httpx.HTTPError as error:
        answer = replace(answer, problem="broken", why=f"the answer is broken ({type(error).__name__})")
    answer = replace(answer, took_s=time.perf_counter() - started)
    return answer if answer.problem else judge(answer, expected)


def judge(answer: HttpAnswer, expected: ExpectedAnswer) -> HttpAnswer:
    """Say what is wrong with an answer, the weightiest first; pure."""
    right = answer.status in expected.status if expected.status else 200 <= answer.status < 300  # noqa: PLR2004  # any 2xx
    if not right:
        to = f" and leads to {answer.location}" if answer.location else ""
        return replace(answer, problem="status", why=f"it answers {answer.status}{to}")
    if expected.within_s is not None and answer.took_s > expected.within_s:
        return replace(answer, problem="slow", why=f"it takes {figure(answer.took_s, 's')}")
    text = answer.body.decode("utf-8", "replace")
    if expected.contains not in text:
        return replace(answer, problem="body", why=f"`{expected.contains[:_SHOWN]}` is not in its answer")
    if expected.matches is not None and not expected.matches.found_in(text):
        pattern = expected.matches.text[:_SHOWN]
        return replace(answer, problem="body", why=f"its answer does not match `{pattern}`")
    wrong = _wrong_fields(text, expected.fields) if expected.fields else ""
    return replace(answer, problem="field", why=wrong) if wrong else answer


def measured(ctx: Context, answer: HttpAnswer, *, service: str) -> Measurement:
    """Turn an answer into the measurement: 1 as expected, 0 not."""
    said = f"answers as expected in {figure(answer.took_s, 's')}" if not answer.problem else answer.why
    data: dict[str, JsonValue] = {
        "took_s": round(answer.took_s, 4),
        "status": answer.status,
        "problem": answer.problem,
    }
    if answer.location:
        data["location"] = answer.location
    return Measurement(
        value=0.0 if answer.problem else 1.0,
        unit="1 = as expected",
        at=ctx.clock.now(),
        url=answer.url,
        text=f"{service}: {answer.url}: {said}" if answer.problem else f"{service}: {answer.url} {said}",
        data=data,
    )


async def _fetch(ctx: Context, url: httpx.URL, *, method: str, answer: HttpAnswer) -> HttpAnswer:
    async with ctx.http.stream(method, url, follow_redirects=False, timeout=ctx.timeout_s) as response:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= _MOST_BYTES:
                break
        location = response.headers.get("location", "") if response.is_redirect else ""
        shown = without_login(str(response.url.join(location))) if location else ""
        return replace(answer, status=response.status_code, location=shown, body=bytes(body[:_MOST_BYTES]))


def _join(base: str, path: str) -> httpx.URL:
    try:
        url = httpx.URL(base)
        url = url.join(path) if path else url
    except httpx.InvalidURL as error:
        raise ProbeUnavailableError("The address in the catalogue is no URL.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ProbeUnavailableError("The address in the catalogue is no URL.")
    return url


def _wrong_fields(text: str, fields: Mapping[str, JsonValue]) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "its answer is no JSON"
    wrong = [name for name, value in fields.items() if _field(document, name) != (True, value)]
    return (
        f"its answer's {listed([f'`{name}`' for name in wrong], most=4)} is not as expected" if wrong else ""
    )


def _field(document: JsonValue, name: str) -> tuple[bool, JsonValue]:
    """Follow a dotted name; whether it is there, and its value."""
    here = document
    for part in name.split("."):
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            return False, None
    return True, here
