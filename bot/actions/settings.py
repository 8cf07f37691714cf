"""Changes a service's setting in its settings store."""

from __future__ import annotations

import math
from urllib.parse import quote

from bot.actions._shared.targets import change_of, field_of, look, settings_of, write
from bot.domain.address import without_login
from bot.domain.errors import ActionFailedError
from bot.domain.model import JsonValue
from bot.domain.runs.effect import ActionResult
from bot.engine.plugins import Context, action

Value = bool | int | float | str
"""What a setting may hold."""


async def is_put(
    ctx: Context, *, service: str, key: str, value: Value, expect: Value | None = None
) -> ActionResult | None:
    """Tell whether the setting holds the value already; asked only when an interrupted try may have put it.

    Raises:
        ActionFailedError: the store cannot be read.
    """
    current = await _current(ctx, service, key)
    wanted = _like(value, current)
    if not _same(current, wanted):
        return None
    before = None if expect is None else _like(expect, current)
    return _done(ctx, service, key, before=before, after=wanted)


@action(specialist="configuration", in_doubt="retry", look=is_put)
async def put(
    ctx: Context, *, service: str, key: str, value: Value, expect: Value | None = None
) -> ActionResult:
    """Set ``key`` of ``service`` to ``value``, in the type the store holds it in.

    With ``expect`` it is set only where that is the value that stands there.  ``before`` of the result
    holds ``value``: what stood there.

    Raises:
        ActionFailedError: another value stands there than expected, or the store refused; nothing was
            changed.
        ActionInDoubtError: the store was asked and did not answer clearly.
        StaleEpochError: the store has seen a newer owner of this run.
    """
    current = await _current(ctx, service, key)
    wanted = _like(value, current)
    if _same(current, wanted):
        return ActionResult(
            summary=f"{service}/{key} was {_shown(wanted)} already",
            changed=False,
            before={"value": current},
            after={"value": wanted},
        )
    if expect is not None and not _same(current, _like(expect, current)):
        raise ActionFailedError(
            f"{service}/{key} is {_shown(current)}, not {_shown(expect)}; somebody changed it meanwhile.",
            hint="Look at who changed it and why, then start again.",
            code="not_as_expected",
        )
    # What was read is what must still stand there, so that ``before`` is true.
    await write(ctx, "PUT", _url(ctx, service, key), body={"value": wanted, "expect": current})
    return _done(ctx, service, key, before=current, after=wanted)


def _url(ctx: Context, service: str, key: str) -> str:
    settings = settings_of(ctx, service, where="sources", kind="settings")
    base = field_of(settings, "url", service=service, kind="settings").rstrip("/")
    return f"{base}/settings/{quote(service, safe='')}/{quote(key, safe='')}"


async def _current(ctx: Context, service: str, key: str) -> JsonValue:
    url = _url(ctx, service, key)
    entry = await look(ctx, url)
    if "value" not in entry:
        raise ActionFailedError(f"{without_login(url)} answered without a value.", code="target_garbage")
    return entry["value"]


def _like(value: Value, current: JsonValue) -> JsonValue:
    """Read a text as the type that stands there: a ledger may know ``2000`` only as text."""
    if not isinstance(value, str):
        return value
    match current:
        case bool():
            return {"true": True, "false": False}.get(value.lower(), value)
        case int() | float():
            try:
                number = type(current)(value)
            except ValueError:
                return value
            return number if math.isfinite(number) else value
        case _:
            return value


def _same(one: JsonValue, other: JsonValue) -> bool:
    """Compare without taking ``True`` for ``1``."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shown(value: JsonValue) -> str:
    return f"`{value}`" if not isinstance(value, bool) else f"`{str(value).lower()}`"


def _done(ctx: Context, service: str, key: str, *, before: JsonValue, after: JsonValue) -> ActionResult:
    was = "" if before is None else f" (was {_shown(before)})"
    summary = f"{service}/{key} set to {_shown(after)}{was}"
    known: dict[str, JsonValue] = {} if before is None else {"value": before}
    return ActionResult(
        summary=summary,
        before=known,
        after={"value": after},
        change=change_of(
            ctx,
            kind="flag" if isinstance(after, bool) else "config",
            service=service,
            summary=summary,
            before="" if before is None else before,
            after=after,
            data={"key": key, "before": before, "after": after},
        ),
    )
