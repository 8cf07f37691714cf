"""A command as a deployment's target: the catalogue allows a few lines and fills in typed arguments."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from bot.domain.errors import ActionFailedError
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.ports.targets import ChangeResult, RollbackCheck, TargetState
from bot.targets.support.earlier_state import version_before
from bot.targets.support.http_effects import PATIENCE
from bot.targets.support.kind import TargetKind, TargetSettings
from bot.targets.support.processes import CompletedProgram, run
from bot.targets.support.unsupported import SingleVersionTarget

_NAME = "command"
_ARGUMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}$")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


Which = Literal["deploy", "rollback", "version"]


class CommandSettings(TargetSettings):
    """Command lines, each run without a shell; ``{service}`` and ``{version}`` are filled in."""

    version: str = Field(description="Prints the version that serves, in its first line.")
    deploy: str = Field(default="", description="Brings `{version}` of `{service}`.")
    rollback: str = Field(default="", description="Brings `{version}` of `{service}` back.")


class CommandTarget(SingleVersionTarget):
    """Whatever one's own scripts deploy to.

    ``deploy``, ``rollback`` and ``version`` of the catalogue are command lines.  One that ends with 0 has
    done all, with anything else nothing; it finds the effect's key and epoch in ``IDEMPOTENCY_KEY`` and
    ``FENCING_TOKEN``.
    """

    def __init__(self, ctx: Context, service: str, settings: CommandSettings) -> None:
        """Keep the command lines; the time of the step runs from now."""
        super().__init__(_NAME)
        self._ctx, self._service, self._settings = ctx, service, settings
        self._until_s = asyncio.get_running_loop().time() + ctx.timeout_s * PATIENCE

    async def observe(self) -> TargetState:
        """Take the first line that the ``version`` command prints for the version."""
        return self._serving(self._service, await self._version())

    async def way_back(self, version: str) -> RollbackCheck:
        """Look whether there is a command for it, and whether the version can be told."""
        if not self._settings.rollback:
            because = "the catalogue has no `rollback` command"
            return RollbackCheck(verdict="impossible", because=because, checked=())
        self._line("rollback", version=version)
        checked = (f"the version is {await self._version()}", "there is a `rollback` command")
        return RollbackCheck(verdict="safe", because="there is a command for it", checked=checked)

    async def promote(self, version: str, *, keep_warm: bool) -> ChangeResult:  # noqa: ARG002  # nothing is kept warm
        """Run the ``deploy`` command."""
        return await self._change("deploy", version)

    async def rollback(self, to_version: str, *, keep_candidate: bool) -> ChangeResult:  # noqa: ARG002  # it has none
        """Run the ``rollback`` command."""
        if not to_version:
            raise ActionFailedError(
                f"Which version {self._service} is to go back to is not known.",
                hint="Name it with `to_version`.",
                code="nothing_to_revert",
            )
        return await self._change("rollback", to_version)

    async def reapply(self, version: str, before: JsonObject) -> ChangeResult:  # noqa: ARG002  # the target has told
        """Deploy again what served before the rollback."""
        return await self._change("deploy", version_before(before))

    async def _change(self, which: Which, version: str) -> ChangeResult:
        line, before = self._line(which, version=version), await self._version()
        if before == version:
            return ChangeResult(summary=f"{self._service} was at {version} already", changed=False)
        ran = await self._run(line)
        if ran.code:
            raise ActionFailedError(
                f"`{line[0]}` ended with {ran.code}: {ran.complaint or 'it said nothing'}",
                hint="Nothing was changed, if the command keeps its word. Look at what it says.",
                code="target_refused",
            )
        return ChangeResult(
            summary=f"{self._service} is at {version} (was {before})",
            before={"version": before},
            after={"version": version},
        )

    async def _version(self) -> str:
        ran = await self._run(self._line("version"))
        said = ran.out.strip().splitlines()
        if ran.code or not said:
            raise ActionFailedError(
                f"The `version` command of {self._service} ended with {ran.code}: {ran.complaint}",
                code="target_unavailable",
            )
        return said[0].strip()

    def _line(self, which: Which, **arguments: str) -> list[str]:
        template: str = getattr(self._settings, which)
        if not template:
            raise ActionFailedError(
                f"The catalogue's `{_NAME}` of {self._service} has no `{which}`.",
                hint=f"Add `{which}` to it in the catalogue.",
                code="target_not_configured",
            )
        return command_line(template, {"service": self._service, **arguments})

    async def _run(self, line: list[str]) -> CompletedProgram:
        left_s = max(0.1, self._until_s - asyncio.get_running_loop().time())
        effect = self._ctx.effect
        env = {"IDEMPOTENCY_KEY": effect.key, "FENCING_TOKEN": str(effect.epoch)} if effect else {}
        return await run(line, within_s=left_s, env=env)


def command_line(template: str, arguments: Mapping[str, str]) -> list[str]:
    """Fill a template's words; an argument stays one word and never becomes an option; pure.

    Raises:
        ActionFailedError: the template asks for something else, or an argument has odd signs.
    """
    for name, value in arguments.items():
        if not _ARGUMENT.match(value):
            raise ActionFailedError(
                f"{value!r} cannot be the {name} of a command.",
                hint="Letters, digits and `.` `_` `+` `@` `-`, a letter or digit first.",
                code="bad_argument",
            )
    asked = set(_PLACEHOLDER.findall(template))
    if not asked <= set(arguments):
        unknown = ", ".join(sorted(asked - set(arguments)))
        raise ActionFailedError(
            f"A command of the catalogue asks for {unknown}.",
            hint=f"It may ask for {', '.join(f'{{{name}}}' for name in arguments)}.",
            code="target_not_configured",
        )
    return [_PLACEHOLDER.sub(lambda found: arguments[found[1]], word) for word in shlex.split(template)]


KIND = TargetKind(name=_NAME, settings=CommandSettings, make=CommandTarget, precedence=30)
