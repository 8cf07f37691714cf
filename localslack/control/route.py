"""What a control route is, and how its body and query are read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from localslack.core import Core
from localslack.errors import ActError
from localslack.shapes import Json

Handler = Callable[[Core, web.Request], Awaitable[Json | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the control API; its handler's docstring describes it."""

    method: str
    path: str
    handler: Handler

    @property
    def summary(self) -> str:
        """Return the first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0]


class Body(BaseModel):
    """A body of the control API: closed, so that a misspelt field is an error."""

    model_config = ConfigDict(extra="forbid")


B = TypeVar("B", bound=Body)


async def body_of(request: web.Request, kind: type[B]) -> B:
    """Return the JSON body as ``kind``.

    Raises:
        ActError: ``invalid_body``, with every fault.
    """
    text = await request.text()
    try:
        return kind.model_validate(json.loads(text or "{}"))
    except ValidationError as exc:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in exc.errors())
        raise ActError("invalid_body", faults) from exc
    except ValueError as exc:
        raise ActError("invalid_body", f"The body is not JSON: {exc}.") from exc


def needed(request: web.Request, name: str) -> str:
    """Return a required query parameter.

    Raises:
        ActError: ``missing_parameter``.
    """
    value = request.query.get(name)
    if not value:
        raise ActError("missing_parameter", f"The query needs {name!r}.")
    return value


def number(request: web.Request, name: str, *, default: float, most: float) -> float:
    """Return a query parameter that is a number from 0 to ``most``.

    Raises:
        ActError: ``invalid_parameter``.
    """
    given = request.query.get(name)
    try:
        value = default if given is None else float(given)
    except ValueError:
        value = -1
    if not 0 <= value <= most:
        raise ActError("invalid_parameter", f"{name} must be a number from 0 to {most:g}.")
    return value
