"""What a kind of target declares, so that it is found by scanning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import model_validator

from bot.domain.model import Model
from bot.engine.plugins import Context
from bot.ports.targets import DeploymentTarget


class TargetSettings(Model):
    """What the catalogue says of one target; an empty text counts as not set."""

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
    """What it is called under ``target:`` in the catalogue, and as ``by`` of a step."""
    settings: type[S]
    make: Callable[[Context, str, S], DeploymentTarget]
    """Makes the target of a service within one step's time."""
    precedence: int
    """Where a service has several and a step names none, the lowest is meant: what carries its traffic."""
