"""Helpers for every target: its settings, its effect, and HTTP changes with a key and a fencing token."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import httpx

from bot.domain.address import without_login
from bot.domain.diagnoses.change import Change, ChangeKind
from bot.domain.errors import ActionFailedError, ActionInDoubtError, StaleEpochError
from bot.domain.model import JsonObject, JsonValue
from bot.domain.runs.effect import Effect
from bot.engine.plugins import Context

ACTOR = "pilothouse"
"""The author that targets see."""

PATIENCE = 0.9
"""The share of a step's time that an action waits, so that the action itself can report what is known."""

_IN_A_HEADER = ":/+@=,;!#$&'()*[]?~ "
_CONFLICT = 409
_STALE = "stale_fencing_token"
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


def effect_of(ctx: Context) -> Effect:
    """Return the effect of the current step.

    Raises:
        ActionFailedError: there is none, so nothing may be changed.
    """
    if ctx.effect is None:
        raise ActionFailedError("An action was called without an idempotency key.")
    return ctx.effect


def settings_of(ctx: Context, service: str, *, where: str, kind: str) -> Mapping[str, str]:
    """Return the settings of a service's target; ``where`` is ``sources`` or ``target``.

    Raises:
        ActionFailedError: the catalogue has none, or the service is external.
    """
    found = ctx.service(service)
    if found.external:
        raise ActionFailedError(
            f"{service} is an external service: the bot can read it, not change it.", code="external_service"
        )
    settings = (found.sources if where == "sources" else found.target).get(kind)
    if not settings:
        raise ActionFailedError(
            f"The catalogue has no `{kind}` settings for {service}.",
            hint=f"Add `{where}: {{{kind}: …}}` to {service} in the catalogue.",
            code="target_not_configured",
        )
    return settings


def field_of(settings: Mapping[str, str], name: str, *, service: str, kind: str) -> str:
    """Return one field of a target's settings.

    Raises:
        ActionFailedError: the field is missing.
    """
    if not settings.get(name):
        raise ActionFailedError(
            f"The catalogue's `{kind}` of {service} has no `{name}`.",
            hint=f"Add `{name}` to it in the catalogue.",
            code="target_not_configured",
        )
    return settings[name]


def change_of(
    ctx: Context,
    *,
    kind: ChangeKind,
    service: str,
    summary: str,
    before: JsonValue = "",
    after: JsonValue = "",
    data: JsonObject | None = None,
) -> Change:
    """Return the ledger's entry; its id is the effect's key, so that it is recorded once."""
    return Change(
        id=effect_of(ctx).key,
        at=ctx.clock.now(),
        kind=kind,
        service=service,
        summary=summary,
        author=ACTOR,
        before=str(before),
        after=str(after),
        data=data or {},
    )


async def write(ctx: Context, method: str, url: str, *, body: JsonObject, part: str = "") -> httpx.Response:
    """Send a change with the effect's key and fencing token; return the 2xx answer.

    An effect of several requests names each of them by ``part``, so that each has a key of its own.

    Raises:
        ActionFailedError: it was not sent, or the target refused it (4xx); ``code`` is the target's own.
        ActionInDoubtError: it was sent and no clear answer came.
        StaleEpochError: the target has seen a newer owner of this effect.
    """
    effect, named = effect_of(ctx), without_login(url)
    headers = {
        # A header is ASCII: what else a version may have is escaped.
        "Idempotency-Key": f"{effect.key}:{quote(part, safe=_IN_A_HEADER)}" if part else effect.key,
        "X-Fencing-Token": str(effect.epoch),
        "X-Actor": ACTOR,
    }
    try:
        response = await ctx.http.request(
            method, url, json={**body, "author": ACTOR}, headers=headers, timeout=ctx.timeout_s * PATIENCE
        )
    except (*_NOTHING_SENT, httpx.InvalidURL) as error:
        raise ActionFailedError(
            f"{named} cannot be reached: {type(error).__name__}.",
            hint="Check that it is up, and its address in the catalogue.",
            code="target_unavailable",
        ) from error
    except httpx.HTTPError as error:
        raise ActionInDoubtError(
            f"{named} got the request and did not answer: {type(error).__name__}."
        ) from error
    if response.is_server_error:
        raise ActionInDoubtError(f"{named} answered {response.status_code}{_message(response)}.")
    if not response.is_success:
        raise _refusal(named, response)
    return response


async def look(ctx: Context, url: str) -> JsonObject:
    """Return a JSON object read from the target.

    Raises:
        ActionFailedError: it cannot be read; nothing was changed.
    """
    found = await look_if_any(ctx, url)
    return {} if found is None else found


async def look_if_any(ctx: Context, url: str, *, missing: frozenset[int] = frozenset()) -> JsonObject | None:
    """Return a JSON object read from the target; none where it answers with one of the codes ``missing``.

    Raises:
        ActionFailedError: it cannot be read; nothing was changed.
    """
    named = without_login(url)
    try:
        response = await ctx.http.get(url, timeout=ctx.timeout_s * PATIENCE)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ActionFailedError(
            f"{named} did not answer: {type(error).__name__}.",
            hint="Check that it is up, and its address in the catalogue.",
            code="target_unavailable",
        ) from error
    if response.status_code in missing:
        return None
    if not response.is_success:
        raise _refusal(named, response)
    found = _object(response)
    if found is None:
        raise ActionFailedError(f"{named} did not answer with a JSON object.", code="target_garbage")
    return found


def _refusal(named: str, response: httpx.Response) -> ActionFailedError | StaleEpochError:
    code = (_object(response) or {}).get("error")
    if response.status_code == _CONFLICT and code == _STALE:
        return StaleEpochError(f"{named} has seen a newer owner of this run{_message(response)}.")
    return ActionFailedError(
        f"{named} refused with {response.status_code}{_message(response)}.",
        hint="Nothing was changed. Check the target's message, then decide by hand.",
        code=code if isinstance(code, str) else "target_refused",
    )


def _message(response: httpx.Response) -> str:
    message = (_object(response) or {}).get("message")
    return f": {message[:300].rstrip('.')}" if isinstance(message, str) and message else ""


def _object(response: httpx.Response) -> JsonObject | None:
    try:
        found = response.json()
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def path_segment(text: str) -> str:
    """Return a text as one segment of a URL's path.

    Raises:
        ActionFailedError: it is empty, or means another folder; clients would leave it out.
    """
    if text in ("", ".", ".."):
        raise ActionFailedError(f"{text!r} cannot be part of an address.", code="bad_argument")
    return quote(text, safe="")
