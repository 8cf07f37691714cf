"""The language of templates: what expressions may read and do, and how what they yield becomes data."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from typing import Any, Final

from jinja2 import Environment, StrictUndefined, Undefined
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from jinja2.utils import missing
from pydantic import BaseModel

from bot.domain.durations import format_duration
from bot.domain.formatting import percent
from bot.domain.model import JsonValue
from bot.domain.nearest import did_you_mean

MAX_RESULT: Final = 20_000
"""Characters of text, or items and characters together of data, that one template may yield."""

_MAX_RANGE = 1000
_FILTERS = """
abs capitalize count d default dictsort first float int items last length list lower map max min reject
rejectattr reverse round select selectattr sort string sum title trim truncate unique upper
"""
"""Jinja2's filters that cannot make a small value huge."""


class _Missing(StrictUndefined):
    """Names what is missing and what is available; never shows a value."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        name, owner = self._undefined_name, self._undefined_obj
        if self._undefined_hint or name is None:
            return self._undefined_hint or "something is undefined"
        if owner is missing:
            return f"nothing is called `{name}` here"
        if not isinstance(owner, Mapping | BaseModel):
            return f"a {_kind_of(owner)} has no `{name}`"
        known = list(owner if isinstance(owner, Mapping) else type(owner).model_fields)
        has = ", ".join(f"`{key}`" for key in known[:8]) or "nothing"
        return f"there is no `{name}`{did_you_mean(str(name), map(str, known))}; there is {has}"


class _Sandbox(SandboxedEnvironment):
    """Data can be read, not called: keys of mappings, fields of models, items of lists, and `range`."""

    intercepted_binops = frozenset({"*", "%", "**"})

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401  # Jinja2's own signature
        return self._read(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401  # Jinja2's own signature
        if isinstance(argument, str):
            return self._read(obj, argument)
        if isinstance(obj, Undefined):
            return obj
        if isinstance(obj, list | tuple | str | range):
            try:
                return obj[argument]
            except (LookupError, TypeError):
                return self.undefined(obj=obj, name=argument)
        return self.undefined(obj=obj, name=argument)

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ANN401  # Jinja2's own signature
        return obj is _range

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401  # as above
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"`{operator}` takes numbers only" if operator != "**" else "`**` is refused")
        return super().call_binop(context, operator, left, right)

    def _read(self, obj: object, name: str) -> object:
        if isinstance(obj, Undefined):
            return obj  # so that the message names the first missing part, and `default` works at any depth
        if name.startswith("_"):
            return self.undefined(f"`{name}` may not be read", obj=obj, name=name, exc=SecurityError)
        if isinstance(obj, Mapping):
            return obj[name] if name in obj else self.undefined(obj=obj, name=name)
        if isinstance(obj, BaseModel) and _is_readable(type(obj), name):
            return getattr(obj, name)
        return self.undefined(obj=obj, name=name)


def _is_readable(model: type[BaseModel], name: str) -> bool:
    return name in model.model_fields or isinstance(getattr(model, name, None), property)


def _kind_of(value: object) -> str:
    names: dict[type, str] = {str: "text", bool: "truth value", int: "number", float: "number", list: "list"}
    return names.get(type(value), type(value).__name__)


def _range(*bounds: int) -> range:
    made = range(*bounds)
    if len(made) > _MAX_RANGE:
        raise ValueError(f"a range of {len(made)}; at most {_MAX_RANGE} are allowed")
    return made


def _join(values: Iterable[object], separator: str = "") -> str:
    texts = [as_text(value) for value in values]
    check_size(sum(map(len, texts)) + len(texts) * len(separator))
    return separator.join(texts)


def _split(text: str, separator: str = ",") -> list[str]:
    """Split a text into its parts, stripped and without empty ones."""
    return [part.strip() for part in text.split(separator) if part.strip()]


def _chunks(values: Iterable[object], size: int) -> list[list[object]]:
    """Split a list into parts of ``size``; the last one may be shorter."""
    if size < 1:
        raise ValueError("parts of less than one item")
    items = list(values)
    return [items[start : start + size] for start in range(0, len(items), size)]


def _tojson(value: object) -> str:
    return json.dumps(as_json(value))


def check_size(characters: int) -> None:
    """Raise a ``ValueError`` for more than ``MAX_RESULT`` characters."""
    if characters > MAX_RESULT:
        raise ValueError(f"yields {characters} characters; at most {MAX_RESULT} are allowed")


def _environment() -> Environment:
    made = _Sandbox(undefined=_Missing, keep_trailing_newline=True, cache_size=0)
    ours = {
        "join": _join,
        "split": _split,
        "chunks": _chunks,
        "percent": percent,
        "tojson": _tojson,
        "duration": format_duration,
    }
    made.filters = {name: made.filters[name] for name in _FILTERS.split()} | ours
    made.globals = {"range": _range}
    return made


def as_text(value: object) -> str:
    """Return a value as text: a whole number without a point, lists and objects as JSON.

    Raises:
        ValueError: the value is none, too large, or not data.
        UndefinedError: a referenced name is missing.
    """
    data = as_json(value)
    if data is None:
        raise ValueError("yields nothing; give it a `default`")
    if isinstance(data, str):
        return data
    if isinstance(data, float) and data.is_integer():
        return str(int(data))
    return json.dumps(data, ensure_ascii=False)


def as_json(value: object) -> JsonValue:
    """Return the value of an expression as plain JSON data.

    Raises:
        ValueError: the value is too large, or not data.
        UndefinedError: a referenced name is missing.
    """
    return _plain(value, [MAX_RESULT])


def _plain(value: object, left: list[int]) -> JsonValue:
    """Return a value as plain JSON, counting down what is ``left`` of its allowance."""
    left[0] -= 1 + (len(value) if isinstance(value, str) else 0)
    if left[0] < 0:
        raise ValueError(f"yields more than {MAX_RESULT} characters or items")
    match value:
        case Undefined():
            raise UndefinedError(value._undefined_message)  # noqa: SLF001  # the only source of the message
        case Enum():
            return _plain(value.value, left)
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
        case datetime():
            return value.isoformat()
        case BaseModel():
            return _plain(value.model_dump(mode="json"), left)
        case Mapping():
            return {str(key): _plain(item, left) for key, item in value.items()}
        case Iterable() if not isinstance(value, bytes):
            return [_plain(item, left) for item in value]
        case _:
            raise ValueError(f"yields {value!r:.40}, which is not data")


ENVIRONMENT: Final = _environment()
"""Holds the filters, the tests and `range`, and no state of any run."""
