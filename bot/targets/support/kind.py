"""The declaration by which a kind of target is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import model_validator

from bot.domain.model import Model
from bot.engine.plugins import Context
from bot.ports.targets import DeploymentTarget


class TargetSettings(Model):
    """The catalogue's settings of one target; empty text counts as not set."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:  # noqa: ANN401  # as pydantic calls it
        if not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if value != ""}


S = TypeVar("S", bound=TargetSettings)


@dataclass(frozen=True, kw_only=True)
class TargetKind(Generic[S]):
    """One kind of target; a module of ``bot.targets`` or of a plugin package declares it as ``KIND``."""

    name: str
    """Its name under ``target:`` in the catalogue, and as ``by`` of a step."""
    settings: type[S]
    make: Callable[[Context, str, S], DeploymentTarget]
    """Returns the target of a service, within one step's time."""
    precedence: int
    """If a service has several and a step names none, the lowest is used: it carries the traffic."""
