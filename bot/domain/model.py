"""The base of every noun: frozen, closed, aware of time zones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, StringConstraints

__all__ = ["Instant", "JsonObject", "JsonValue", "Model", "Name", "Share"]


class Model(BaseModel):
    """A frozen model that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    def but(self, **changes: object) -> Self:
        """Copy with some fields changed, unchecked: ``model_copy`` at a fifth of its cost."""
        copy = type(self).__new__(type(self))
        object.__setattr__(copy, "__dict__", {**self.__dict__, **changes})
        object.__setattr__(copy, "__pydantic_fields_set__", self.__pydantic_fields_set__ | changes.keys())
        object.__setattr__(copy, "__pydantic_extra__", None)
        object.__setattr__(copy, "__pydantic_private__", None)
        return copy


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An aware moment, kept in UTC."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
"""What people call a service, phase, step or runbook: lower case, digits, dashes."""

Share = Annotated[float, Field(ge=0, le=1)]
"""A share of a whole, 0 to 1."""

JsonObject = dict[str, JsonValue]
