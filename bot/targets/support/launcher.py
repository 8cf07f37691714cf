"""The launcher: starts a version of a service in a slot, reports what runs there, and stops it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.domain.address import without_login
from bot.domain.errors import ActionFailedError
from bot.engine.plugins import Context
from bot.targets.support.http_effects import look, look_if_any, write

_NO_LIST = frozenset({404, 405, 501})
"""What a launcher answers that does not list releases."""


class Slot(BaseModel):
    """What runs in a slot; other fields of the launcher's answer are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    version: str = ""
    state: Literal["running", "starting", "stopped"]


class _Releases(BaseModel):
    """Every version that can be started; a mapping's keys are the versions."""

    releases: list[str] | dict[str, object]


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

    async def releases(self) -> tuple[str, ...] | None:
        """Return every version that it could start; none where it does not list them.

        Raises:
            ActionFailedError: the launcher cannot be read, or gives another answer.
        """
        address = f"{self.url.rstrip('/')}/{quote(self.service, safe='@')}"
        found = await look_if_any(self.ctx, address, missing=_NO_LIST)
        if found is None:
            return None
        try:
            return tuple(_Releases.model_validate(found).releases)
        except ValidationError as error:
            raise ActionFailedError(
                f"{without_login(address)} did not list its releases.", code="target_garbage"
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
