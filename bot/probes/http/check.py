"""Requests one HTTP address and compares its answer with the expected one."""

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
    """What an answer must be; by default any 2xx within the step's time."""

    status: frozenset[int] = frozenset()
    contains: str = ""
    matches: Pattern | None = None
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    """Dotted names of fields in a JSON body, and their values."""
    within_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class HttpAnswer:
    """An answer, or why there is none; ``body`` is at most its first megabyte."""

    url: str
    """Without user name, password and query, which may be secret."""
    took_s: float
    status: int = 0
    location: str = ""
    body: bytes = b""
    problem: str = ""
    """A code: refused, timeout, broken, name, tls, status, slow, body or field; empty if as expected."""
    why: str = ""


async def ask(ctx: Context, base: str, *, path: str, method: str, expected: ExpectedAnswer) -> HttpAnswer:
    """Return the answer to one request within the time limit, compared with the expected one.

    Raises:
        ProbeUnavailableError: the address is not a URL, or no name server answered.
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
        raise ProbeUnavailableError("The address in the catalogue is not a URL.") from error
    except httpx.TransportError as error:
        problem, why = problem_of(error, host=url.host)
        answer = replace(answer, problem=problem, why=why)
    except httpx.HTTPError as error:
        answer = replace(answer, problem="broken", why=f"the answer is broken ({type(error).__name__})")
    answer = replace(answer, took_s=time.perf_counter() - started)
    return answer if answer.problem else judge(answer, expected)


def judge(answer: HttpAnswer, expected: ExpectedAnswer) -> HttpAnswer:
    """Return the answer with its first problem, the most important one first; pure."""
    right = answer.status in expected.status if expected.status else 200 <= answer.status < 300  # noqa: PLR2004  # any 2xx
    if not right:
        to = f" and redirects to {answer.location}" if answer.location else ""
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
    """Return the measurement for an answer: 1 if it is as expected, 0 if not."""
    text = f"answers as expected in {figure(answer.took_s, 's')}" if not answer.problem else answer.why
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
        text=f"{service}: {answer.url}: {text}" if answer.problem else f"{service}: {answer.url} {text}",
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
        raise ProbeUnavailableError("The address in the catalogue is not a URL.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ProbeUnavailableError("The address in the catalogue is not a URL.")
    return url


def _wrong_fields(text: str, fields: Mapping[str, JsonValue]) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "its answer is not JSON"
    wrong = [name for name, value in fields.items() if _field(document, name) != (True, value)]
    return (
        f"its answer's {listed([f'`{name}`' for name in wrong], most=4)} is not as expected" if wrong else ""
    )


def _field(document: JsonValue, name: str) -> tuple[bool, JsonValue]:
    """Return whether a dotted name is in the document, and its value."""
    here = document
    for part in name.split("."):
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdecimal() and int(part) < len(here):
            here = here[int(part)]
        else:
            return False, None
    return True, here
