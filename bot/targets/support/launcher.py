"""The launcher: starts a version of a service in a slot, reports what runs there, and stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.targets.support.http_effects import look, write


class Slot(BaseModel):
    """What runs in a slot; other fields of the launcher's answer are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    version: str = ""
    state: Literal["running", "starting", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Launcher:
    """The launcher behind ``url`` for one service's slots."""

    ctx: Context
    url: str
    service: str

    async def slot(self, name: str) -> Slot:
        """Return what runs in a slot.

        Raises:
            ActionFailedError: the launcher cannot be read, or gives another answer.
        """
        found = await look(self.ctx, self._address(name))
        try:
            return Slot.model_validate(found)
        except ValidationError as error:
            raise ActionFailedError(
                f"{self._address(name)} did not report what runs there.", code="target_garbage"
            ) from error

    async def start(self, name: str, version: str) -> None:
        """Start a version in a slot, in place of what runs there; it may take a while to come up.

        Raises:
            ActionFailedError: the launcher refused; the earlier version still runs.
            ActionInDoubtError: no clear answer came.
            StaleEpochError: the launcher has seen a newer owner of this effect.
        """
        address = self._address(name)
        await write(self.ctx, "PUT", address, body={"version": version}, part=f"{name}:{version}")

    async def stop(self, name: str) -> None:
        """Stop what runs in a slot; raises as ``start`` does."""
        await write(self.ctx, "DELETE", self._address(name), body={}, part=f"{name}:stop")

    def _address(self, name: str) -> str:
        return f"{self.url.rstrip('/')}/{quote(self.service, safe='@')}/{quote(name, safe='')}"
