"""A command as a deployment target: the catalogue lists the command lines; typed arguments are filled in."""

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
_ARGUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,127}")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


Which = Literal["deploy", "rollback", "version", "versions"]


class CommandSettings(TargetSettings):
    """Command lines, each run without a shell; ``{service}`` and ``{version}`` are filled in."""

    version: str = Field(description="Prints the version that serves, on its first line.")
    deploy: str = Field(default="", description="Deploys `{version}` of `{service}`.")
    versions: str = Field(
        default="", description="Prints every version that can be deployed, one a line; optional."
    )
    rollback: str = Field(default="", description="Rolls `{service}` back to `{version}`.")


class CommandTarget(SingleVersionTarget):
    """A target that your own scripts deploy to.

    ``deploy``, ``rollback`` and ``version`` in the catalogue are command lines.  A command that exits with 0
    has done everything, with any other code nothing; it gets the effect's key and epoch in
    ``IDEMPOTENCY_KEY`` and ``FENCING_TOKEN``.
    """

    def __init__(self, ctx: Context, service: str, settings: CommandSettings) -> None:
        """Store the command lines; the step's time starts now."""
        super().__init__(_NAME)
        self._ctx, self._service, self._settings = ctx, service, settings
        self._until_s = asyncio.get_running_loop().time() + ctx.timeout_s * PATIENCE

    async def observe(self) -> TargetState:
        """Return the version that the ``version`` command prints on its first line."""
        return self._serving(self._service, await self._version())

    async def releases(self) -> tuple[str, ...] | None:
        """Return the versions that the ``versions`` command prints, if the catalogue has one."""
        if not self._settings.versions:
            return None
        ran = await self._run(self._line("versions"))
        if ran.code:
            raise ActionFailedError(
                f"The `versions` command of {self._service} exited with code {ran.code}: {ran.complaint}",
                code="target_unavailable",
            )
        return tuple(line.strip() for line in ran.out.splitlines() if line.strip())

    async def way_back(self, version: str) -> RollbackCheck:
        """Return whether a rollback is possible: there is a command for it, and the version can be read."""
        if not self._settings.rollback:
            because = "the catalogue has no `rollback` command"
            return RollbackCheck(verdict="impossible", because=because, checked=())
        self._line("rollback", version=version)
        checked = (f"the version is {await self._version()}", "there is a `rollback` command")
        return RollbackCheck(verdict="safe", because="there is a `rollback` command", checked=checked)

    async def promote(self, version: str, *, keep_warm: bool) -> ChangeResult:  # noqa: ARG002  # nothing is kept warm
        """Run the ``deploy`` command."""
        return await self._change("deploy", version)

    async def rollback(self, to_version: str, *, keep_candidate: bool) -> ChangeResult:  # noqa: ARG002  # it has none
        """Run the ``rollback`` command."""
        if not to_version:
            raise ActionFailedError(
                f"The version to roll {self._service} back to is not known.",
                hint="Name it with `to_version`.",
                code="nothing_to_revert",
            )
        return await self._change("rollback", to_version)

    async def reapply(self, version: str, before: JsonObject) -> ChangeResult:  # noqa: ARG002  # the target reports the version
        """Deploy again the version that served before the rollback."""
        return await self._change("deploy", version_before(before))

    async def _change(self, which: Which, version: str) -> ChangeResult:
        line, before = self._line(which, version=version), await self._version()
        if before == version:
            return ChangeResult(summary=f"{self._service} was already at {version}", changed=False)
        ran = await self._run(line)
        if ran.code:
            raise ActionFailedError(
                f"`{line[0]}` exited with code {ran.code}: {ran.complaint or 'it printed no error'}",
                hint="The command reports that nothing changed. Check its output.",
                code="target_refused",
            )
        return ChangeResult(
            summary=f"{self._service} is at {version} (was {before})",
            before={"version": before},
            after={"version": version},
        )

    async def _version(self) -> str:
        ran = await self._run(self._line("version"))
        printed = ran.out.strip().splitlines()
        if ran.code or not printed:
            raise ActionFailedError(
                f"The `version` command of {self._service} exited with code {ran.code}: {ran.complaint}",
                code="target_unavailable",
            )
        return printed[0].strip()

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
    """Return a template's words, filled in; an argument stays one word and never becomes an option; pure.

    Raises:
        ActionFailedError: the template has an unknown placeholder, or an argument has a forbidden character.
    """
    for name, value in arguments.items():
        if not _ARGUMENT.fullmatch(value):
            raise ActionFailedError(
                f"{value!r} cannot be the {name} of a command.",
                hint="Use letters, digits and `.` `_` `+` `@` `-`; begin with a letter or digit.",
                code="bad_argument",
            )
    asked = set(_PLACEHOLDER.findall(template))
    if not asked <= set(arguments):
        unknown = ", ".join(sorted(asked - set(arguments)))
        raise ActionFailedError(
            f"A command in the catalogue has the unknown placeholder {unknown}.",
            hint=f"It may use {', '.join(f'{{{name}}}' for name in arguments)}.",
            code="target_not_configured",
        )
    return [_PLACEHOLDER.sub(lambda found: arguments[found[1]], word) for word in shlex.split(template)]


KIND = TargetKind(name=_NAME, settings=CommandSettings, make=CommandTarget, precedence=30)
