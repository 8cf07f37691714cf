"""Checks and converts the parameters of a runbook, and fills in defaults."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from bot.domain.catalogue import Catalogue
from bot.domain.deployments.version import RULE, is_version
from bot.domain.durations import MAX_DURATION_S, parse_duration
from bot.domain.errors import UnknownServiceError, UsageError
from bot.domain.model import JsonObject, JsonValue
from bot.domain.nearest import did_you_mean
from bot.domain.pattern import Pattern
from bot.domain.runs.runbook import Param, Runbook
from bot.domain.visible import bare_name, visible

_MAX_ECHO = 40


_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")


_BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def complete_params(runbook: Runbook, given: Mapping[str, JsonValue], *, catalogue: Catalogue) -> JsonObject:
    """Return a program's parameters, checked and completed with defaults, by name.

    A duration may be a number of seconds or text such as ``30m``.

    Raises:
        UsageError: one is missing, unknown or of the wrong form.
        UnknownServiceError: a service is not in the catalogue.
    """
    unknown = [name for name in given if name not in runbook.params]
    if unknown:
        raise UsageError(f"Unknown parameter `{echo(unknown[0])}`{did_you_mean(unknown[0], runbook.params)}.")
    return _checked(runbook, given, catalogue=catalogue)


def _checked(runbook: Runbook, given: Mapping[str, JsonValue], *, catalogue: Catalogue) -> JsonObject:
    checked: JsonObject = {}
    for name, param in runbook.params.items():
        value = given[name] if given.get(name) is not None else param.default
        if value is None and param.required:
            raise UsageError("Which service?" if param.type == "service" else f"`{name}` is missing.")
        checked[name] = None if value is None else _convert(name, param, value, catalogue=catalogue)
    return checked


def _convert(name: str, param: Param, value: JsonValue, *, catalogue: Catalogue) -> JsonValue:
    match param.type, value:
        case "service", str():
            return find_service(value, catalogue)
        case "version", str():
            return _version(value)
        case "duration", _:
            return _duration(name, value)
        case "boolean", bool():
            return value
        case "boolean", str() if value.casefold() in _BOOLEANS:
            return _BOOLEANS[value.casefold()]
        case "integer", int() if not isinstance(value, bool):
            return value
        case "integer", str() if _INTEGER.fullmatch(value):
            return int(value)
        case "string", str() if value:
            if param.pattern and not Pattern.of_whole(param.pattern).found_in(value):
                like = f"such as `{param.default}`" if param.default else f"that matches `{param.pattern}`"
                raise UsageError(f"`{name}` must be something {like}, not `{echo(value)}`.")
            return value
        case _:
            wanted = {"boolean": "`yes` or `no`", "integer": "a whole number"}.get(param.type, "text")
            raise UsageError(f"`{name}` must be {wanted}, not `{echo(value)}`.")


def find_service(word: str, catalogue: Catalogue) -> str:
    """Return the name of the service that was typed.

    Raises:
        UnknownServiceError: the catalogue has no service of that name.
    """
    name = catalogue.named(word)
    if name:
        return name
    known = ", ".join(f"`{known}`" for known in catalogue.names) or "no service yet"
    raise UnknownServiceError(
        f"Unknown service `{echo(visible(word))}`{did_you_mean(bare_name(word), catalogue.names)}.",
        hint=f"The catalogue has {known}.",
    )


def _version(word: str) -> str:
    if not is_version(word):
        raise UsageError(f"`{echo(word)}` is not a valid version.", hint=f"It has {RULE}.")
    return word


def _duration(name: str, value: JsonValue) -> float:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError as error:
            raise UsageError(f"`{name}`: `{echo(value)}` {error}.") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"`{name}` must be a duration such as `30m`.")
    if not math.isfinite(value) or not 0 < value <= MAX_DURATION_S:
        raise UsageError(f"`{name}` must be more than 0 s and at most 30 days.")
    return float(value)


def echo(value: object) -> str:
    """Return what was given, shortened and on one line, without what would end its code span."""
    text = " ".join(str(value).replace("`", "'").split())
    return text if len(text) <= _MAX_ECHO else text[: _MAX_ECHO - 1] + "…"
