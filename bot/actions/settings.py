"""Changes a service's setting in its settings store."""

from __future__ import annotations

import math

from bot.actions._shared.targets import change_of, field_of, look, path_segment, settings_of, write
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
    """Return a result if the setting already has the value; used only after an interrupted attempt.

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
    """Set ``key`` of ``service`` to ``value``, in the type of its current value.

    With ``expect`` it is set only if that is its current value.  ``before`` of the result holds ``value``:
    the earlier one.

    Raises:
        ActionFailedError: the current value is not the expected one, or the store refused; nothing was
            changed.
        ActionInDoubtError: the store got the request and did not answer clearly.
        StaleEpochError: the store has seen a newer owner of this run.
    """
    current = await _current(ctx, service, key)
    wanted = _like(value, current)
    if _same(current, wanted):
        return ActionResult(
            summary=f"{service}/{key} was already {_shown(wanted)}",
            changed=False,
            before={"value": current},
            after={"value": wanted},
        )
    if expect is not None and not _same(current, _like(expect, current)):
        raise ActionFailedError(
            f"{service}/{key} is {_shown(current)}, not {_shown(expect)}; it was changed in the meantime.",
            hint="Find out who changed it and why, then start again.",
            code="not_as_expected",
        )
    # The store must still hold the value that was read, so that ``before`` is correct.
    await write(ctx, "PUT", _url(ctx, service, key), body={"value": wanted, "expect": current})
    return _done(ctx, service, key, before=current, after=wanted)


def _url(ctx: Context, service: str, key: str) -> str:
    settings = settings_of(ctx, service, where="sources", kind="settings")
    base = field_of(settings, "url", service=service, kind="settings").rstrip("/")
    return f"{base}/settings/{path_segment(service)}/{path_segment(key)}"


async def _current(ctx: Context, service: str, key: str) -> JsonValue:
    url = _url(ctx, service, key)
    entry = await look(ctx, url)
    if "value" not in entry:
        raise ActionFailedError(f"{without_login(url)} answered without a value.", code="target_garbage")
    return entry["value"]


def _like(value: Value, current: JsonValue) -> JsonValue:
    """Return a text as the current value's type: a ledger may have ``2000`` only as text."""
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
    """Return whether two values are equal; ``True`` does not equal ``1``."""
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
