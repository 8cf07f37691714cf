"""Fetches JSON from an HTTP API within the step's time, and reports plainly why there is none."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import httpx

from bot.domain.catalogue import Service
from bot.domain.errors import ProbeGarbageError, ProbeNotConfiguredError, ProbeUnavailableError
from bot.domain.formatting import figure
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.probes._shared.connect import SHARE_OF_TIME, problem_of

Source = Mapping[str, str]
"""The catalogue's entry for one source: its address and its login."""

MOST_BYTES = 10_000_000
"""The longest answer that is read, in bytes; a longer one is refused."""

_MOST_REASON_CHARS = 200
_LOGIN = re.compile(r"//[^/\s@]*@")
_SHUT_OUT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_T = TypeVar("_T")


async def fetch(
    ctx: Context,
    url: str,
    *,
    name: str,
    source: Source,
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    body: JsonObject | None = None,
    share: float = SHARE_OF_TIME,
) -> Any:  # noqa: ANN401  # JSON
    """Return the JSON fetched by GET, or by POST if there is a ``body``.

    ``name`` is the server's name in messages: its address is never shown, as it may hold a password.
    ``source`` may have a ``token`` (sent as Bearer), or ``user`` and ``password``; ``share`` is the share of
    the step's time that the request may take.

    Raises:
        ProbeNotConfiguredError: the address is not a URL, or the login cannot be sent.
        ProbeUnavailableError: no answer, none in time, or one that is not 2xx.
        ProbeGarbageError: a 2xx answer that is not JSON, or longer than 10 MB.
    """
    limit_s = ctx.timeout_s * share
    try:
        async with asyncio.timeout(limit_s):
            request = ctx.http.build_request(
                "GET" if body is None else "POST",
                url,
                params=params,
                headers={**_login(source), **(headers or {})},
                json=body,
                timeout=limit_s,
            )
            answer, content = await _read(ctx, request, name=name, auth=_basic(source))
    except (TimeoutError, httpx.TimeoutException) as error:
        raise ProbeUnavailableError(f"{name} did not answer within {figure(limit_s, 's')}.") from error
    except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeEncodeError) as error:
        raise ProbeNotConfiguredError(
            f"The address or the login of {name} in the catalogue is not valid."
        ) from error
    except httpx.HTTPError as error:
        _, why = problem_of(error, host="of its host")
        raise ProbeUnavailableError(f"{name} cannot be reached: {why}.") from error
    _refuse(answer, content, name=name)
    return _json(content, name=name)


async def together(calls: Iterable[Awaitable[_T]]) -> list[_T]:
    """Run several calls at once and wait for all of them, even if one fails: none is left running.

    Raises:
        BotError: the error of the first call that failed.
    """
    results = await asyncio.gather(*calls, return_exceptions=True)
    answers: list[_T] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        answers.append(result)
    return answers


async def of_each(
    entries: Iterable[Service], ask: Callable[[Service], Awaitable[_T]]
) -> tuple[dict[str, _T], list[str]]:
    """Ask for several services at once; return the answers by service, and why other services have none.

    Raises:
        ProbeUnavailableError: no service has an answer; the reason is the first one's.
    """
    asked = list(entries)
    results = await asyncio.gather(*(ask(entry) for entry in asked), return_exceptions=True)
    answers: dict[str, _T] = {}
    failures: dict[str, ProbeUnavailableError] = {}
    for entry, result in zip(asked, results, strict=True):
        if isinstance(result, ProbeUnavailableError):
            failures[entry.name] = result
        elif isinstance(result, BaseException):
            raise result
        else:
            answers[entry.name] = result
    if failures and not answers:
        raise next(iter(failures.values()))
    return answers, [f"{name}: {why}" for name, why in failures.items()]


def field(source: Source, name: str, *, kind: str, service: str) -> str:
    """Return a field that a service's source of one ``kind`` must have.

    Raises:
        ProbeNotConfiguredError: the field is missing.
    """
    value = source.get(name, "")
    if not value:
        raise ProbeNotConfiguredError(f"The `{kind}` source of {service} has no `{name}`.")
    return value


def having(
    ctx: Context, service: str, *, kind: str, fields: Sequence[str], callers: bool = False
) -> list[Service]:
    """Return the service and its dependencies that have a source of one ``kind`` with one of ``fields``.

    With ``callers``, also those that call the service directly, at most eight of them.

    Raises:
        ProbeNotConfiguredError: none of them has one.
    """
    scope = ctx.catalogue.around(service) if callers else ctx.catalogue.downstream(service)
    found = [entry for entry in scope if any(entry.sources.get(kind, {}).get(name) for name in fields)]
    if not found:
        named = " or ".join(f"`{name}`" for name in fields)
        raise ProbeNotConfiguredError(
            f"Neither {service} nor anything it depends on has a `{kind}` source with {named}."
        )
    return found


async def _read(
    ctx: Context, request: httpx.Request, *, name: str, auth: httpx.BasicAuth | None
) -> tuple[httpx.Response, bytes]:
    answer = await ctx.http.send(request, stream=True, auth=auth, follow_redirects=False)
    try:
        content = bytearray()
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > MOST_BYTES:
                raise ProbeGarbageError(f"{name} answered with more than {figure(MOST_BYTES, 'bytes')}.")
        return answer, bytes(content)
    finally:
        await answer.aclose()


def _refuse(answer: httpx.Response, said: bytes, *, name: str) -> None:
    status = answer.status_code
    # GitHub answers 403 where others answer 429.
    spent = status == HTTPStatus.FORBIDDEN and answer.headers.get("x-ratelimit-remaining") == "0"
    if spent or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ProbeUnavailableError(f"{name} is limiting the bot's requests ({status}). Try again later.")
    if status in _SHUT_OUT:
        raise ProbeUnavailableError(
            f"{name} denied the bot access ({status}).", hint="Check its login in the catalogue."
        )
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        why = _reason(said)
        raise ProbeUnavailableError(f"{name} answered {status}{f': {why}' if why else ''}.")


def _reason(said: bytes) -> str:
    """Return why a server refuses, by the ``error`` or ``message`` of its JSON; nothing without one."""
    try:
        answer = json.loads(said)
    except (ValueError, RecursionError):
        return ""
    error = answer.get("error") or answer.get("message") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        causes = error.get("root_cause")
        first = causes[0] if isinstance(causes, list) and causes and isinstance(causes[0], dict) else error
        error = first.get("reason") or first.get("message")
    reason = _LOGIN.sub("//", " ".join(error.split())) if isinstance(error, str) else ""
    return reason[:_MOST_REASON_CHARS].rstrip(".")


def _json(content: bytes, *, name: str) -> Any:  # noqa: ANN401  # JSON
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ProbeGarbageError(f"{name} did not answer with JSON.") from error


def _login(source: Source) -> dict[str, str]:
    return {"Authorization": f"Bearer {source['token']}"} if source.get("token") else {}


def _basic(source: Source) -> httpx.BasicAuth | None:
    if source.get("token") or not source.get("user"):
        return None
    return httpx.BasicAuth(source["user"], source.get("password", ""))
