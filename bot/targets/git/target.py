"""A Git repository as a deployment target: the version is in a file, which another program syncs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from bot.domain.deployments.version import is_one_line
from bot.domain.errors import ActionFailedError, ActionInDoubtError
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.ports.targets import ChangeResult, RollbackCheck, TargetState
from bot.targets.git.repository import Repository
from bot.targets.git.version_file import version_in, with_version
from bot.targets.support.earlier_state import version_before
from bot.targets.support.http_effects import PATIENCE, effect_of
from bot.targets.support.kind import TargetKind, TargetSettings
from bot.targets.support.unsupported import SingleVersionTarget

_NAME = "git"
_TRIES = 8
_EFFECT, _VERSION = "Pilothouse-Effect", "Pilothouse-Version"


class GitSettings(TargetSettings):
    """A file in a repository that another program syncs from."""

    remote: str = Field(description="The repository, as `git push` takes it.")
    branch: str = Field(default="main", description="The branch that is synced.")
    file: str = Field(description="The YAML or JSON file with the version.")
    key: str = Field(description="The dotted path of the version in that file, such as `image.tag`.")
    clone: Path = Field(description="A folder for the bot's own bare clone; each worker may have one.")


@dataclass(frozen=True, kw_only=True)
class VersionLocation:
    """The repository, file and key of the version."""

    repository: Repository
    file: str
    key: str


class GitTarget(SingleVersionTarget):
    """One file of one branch; nothing is ever forced, and a rollback is a commit of its own."""

    def __init__(self, ctx: Context, service: str, settings: GitSettings) -> None:
        """Store the version's location; the step's time starts now."""
        super().__init__(_NAME)
        self._ctx, self._service = ctx, service
        self._location = _location_of(ctx, settings)

    async def observe(self) -> TargetState:
        """Return the version that the branch asks for; Git does not know whether it runs."""
        version = await self._version(await self._location.repository.fetch())
        return self._serving(self._location.file, version)

    async def way_back(self, version: str) -> RollbackCheck:
        """Return whether a rollback is possible: fetch, read the previous version, rehearse the push."""
        repository, checked = self._location.repository, list[str]()
        head = await repository.fetch()
        checked.append("the remote can be read")
        await repository.push(head, rehearse=True)
        checked.append("the remote accepts a push")
        now = await self._version(head)
        if now != version:
            because = f"the branch is still at {now}"
            return RollbackCheck(verdict="safe", because=because, checked=tuple(checked))
        before = await self._before(head, now)
        if not before:
            because = f"no commit of this bot deployed {version}, so there is nothing known to revert"
            return RollbackCheck(verdict="impossible", because=because, checked=tuple(checked))
        because = f"the revert to {before} applies cleanly"
        return RollbackCheck(verdict="safe", because=because, checked=(*checked, because))

    async def promote(self, version: str, *, keep_warm: bool) -> ChangeResult:  # noqa: ARG002  # nothing is kept warm in Git
        """Commit the version to the branch and push it."""
        return await self._write(version, title=f"{self._service}: Deploy {version}", back=False)

    async def rollback(self, to_version: str, *, keep_candidate: bool) -> ChangeResult:  # noqa: ARG002  # it has none
        """Commit the revert, because the next sync would otherwise deploy the bad version again."""
        if not to_version:
            raise ActionFailedError(
                f"The version to roll {self._service} back to is not known.",
                hint="Name it with `to_version`.",
                code="nothing_to_revert",
            )
        return await self._write(to_version, title=f"{self._service}: Go back to {to_version}", back=True)

    async def reapply(self, version: str, before: JsonObject) -> ChangeResult:  # noqa: ARG002  # Git has the version
        """Commit again the version that the branch asked for before the rollback."""
        return await self.promote(version_before(before), keep_warm=False)

    async def _write(self, version: str, *, title: str, back: bool) -> ChangeResult:
        if not is_one_line(version):  # another line in the message would be a trailer
            raise ActionFailedError(f"{version[:80]!r} cannot be a version.", code="bad_argument")
        repository, location = self._location.repository, self._location
        for _ in range(_TRIES):
            head = await repository.fetch()
            if pushed := await self._pushed(head):
                return await self._result_of(pushed)
            text = await repository.read(head, location.file)
            before = version_in(text, location.key)
            if before == version:
                return ChangeResult(summary=f"{location.file} already had {version}", changed=False)
            changed = with_version(text, location.key, version)
            reverts = await self._bringing(head, before) if back else ""
            message = self._message(title, version, reverts=reverts)
            commit = await repository.commit(head, file=location.file, text=changed, message=message)
            if await repository.push(commit):
                return _moved(location.file, before, version, commit)
        raise ActionInDoubtError(
            f"The branch {repository.branch} moved on before each of {_TRIES} pushes.", code="busy_branch"
        )

    def _message(self, title: str, version: str, *, reverts: str) -> str:
        effect = effect_of(self._ctx)
        body = [f"This reverts commit {reverts}.", ""] if reverts else []
        trailers = (
            f"{_EFFECT}: {effect.key}",
            f"{_VERSION}: {version}",
            f"Pilothouse-Epoch: {effect.epoch}",
        )
        return "\n".join((title, "", *body, *trailers, ""))

    async def _pushed(self, head: str) -> str:
        """Return the commit that an earlier attempt of this effect has pushed; empty if none."""
        line = f"{_EFFECT}: {effect_of(self._ctx).key}"
        return await self._location.repository.find(head, file=self._location.file, line=line)

    async def _result_of(self, commit: str) -> ChangeResult:
        before, after = await self._version(f"{commit}^"), await self._version(commit)
        return _moved(self._location.file, before, after, commit)

    async def _bringing(self, head: str, version: str) -> str:
        if not is_one_line(version):
            return ""
        line = f"{_VERSION}: {version}"
        return await self._location.repository.find(head, file=self._location.file, line=line)

    async def _before(self, head: str, version: str) -> str:
        commit = await self._bringing(head, version)
        return await self._version(f"{commit}^") if commit else ""

    async def _version(self, commit: str) -> str:
        return version_in(
            await self._location.repository.read(commit, self._location.file), self._location.key
        )


def _moved(file: str, before: str, after: str, commit: str) -> ChangeResult:
    return ChangeResult(
        summary=f"{file} asks for {after} (was {before}), in commit {commit[:10]}",
        before={"version": before},
        after={"version": after, "commit": commit},
    )


def _location_of(ctx: Context, settings: GitSettings) -> VersionLocation:
    repository = Repository(
        remote=settings.remote,
        branch=settings.branch,
        clone=settings.clone,
        until_s=asyncio.get_running_loop().time() + ctx.timeout_s * PATIENCE,
    )
    return VersionLocation(repository=repository, file=settings.file, key=settings.key)


KIND = TargetKind(name=_NAME, settings=GitSettings, make=GitTarget, precedence=20)
