"""A feature flag as a deployment target: the candidate is the code behind the flag."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from bot.domain.deployments.flag import Flag, FlagKey
from bot.domain.errors import ActionFailedError, ProbeUnavailableError
from bot.domain.model import JsonObject
from bot.engine.plugins import Context
from bot.ports.targets import Capabilities, ChangeResult, FlagChange, RollbackCheck, TargetState, VersionState
from bot.targets.support.earlier_state import share_before
from bot.targets.support.http_effects import effect_of
from bot.targets.support.kind import TargetKind, TargetSettings
from bot.targets.support.unsupported import SingleVersionTarget

_NAME = "flags"
_WHOLE = 100
_OFF = "off"
"""The name of the side without the feature."""


class FlagsSettings(TargetSettings):
    """A flag that the bot stores."""

    flag: FlagKey = Field(description="The key of the flag; another one is refused.")


class FlagsTarget(SingleVersionTarget):
    """One flag of a service; routes are tenants.  Rules against a tenant are set by people, and stay."""

    def __init__(self, ctx: Context, service: str, settings: FlagsSettings) -> None:
        """Store the flag's key."""
        super().__init__(_NAME)
        self._ctx, self._service = ctx, service
        self._key = settings.flag

    async def observe(self) -> TargetState:
        """Return the flag's share; a flag does not know which versions run."""
        flag = await self._find()
        candidate = VersionState(version=self._key, weight_percent=flag.percent, healthy=True, instances=0)
        return TargetState(
            target=_NAME,
            tells_version=False,
            stable=VersionState(
                version=_OFF, weight_percent=_WHOLE - flag.percent, healthy=True, instances=0
            ),
            candidate=candidate if flag.percent or _routes(flag) else None,
            instances=(),
            can=Capabilities(shift=True, routes=True, instant_back=True, lease=False),
        )

    async def releases(self) -> tuple[str, ...]:
        """Return the one flag of the catalogue."""
        return (self._key,)

    async def way_back(self, version: str) -> RollbackCheck:
        """Return whether a rollback is possible: the flag can be read, and is the requested one."""
        if version != self._key:
            return RollbackCheck(
                verdict="impossible", because=self._other(version), checked=("the catalogue's flag",)
            )
        await self._find()
        return RollbackCheck(
            verdict="safe", because="the flag can be turned off", checked=("the flags can be read",)
        )

    async def stage(self, version: str) -> ChangeResult:
        """Start nothing: the code behind the flag already runs."""
        self._check(version)
        await self._find()
        return ChangeResult(summary=f"{version} is already behind the flag {self._key}", changed=False)

    async def unstage(self, version: str) -> ChangeResult:
        """Stop nothing."""
        return await self.stage(version)

    async def shift(self, version: str, *, percent: int, routes: Sequence[str]) -> ChangeResult:
        """Turn the flag on for a share of the users, and for these tenants."""
        self._check(version)
        found = await self._find()
        against = {tenant: on for tenant, on in found.tenants.items() if not on}
        wanted = Flag(key=self._key, percent=percent, tenants={**against, **dict.fromkeys(routes, True)})
        before = {"percent": found.percent, "routes": _routes(found)}
        after = {"percent": percent, "routes": sorted(routes)}
        text = f"{self._key} of {self._service} is on for {percent} %"
        turned = FlagChange(target=_NAME, key=self._key, before=_audience(found), after=_audience(wanted))
        if found == wanted:
            return ChangeResult(
                summary=f"{text} already",
                changed=False,
                before={**before},
                after={**after},
                flag=turned,
            )
        epoch = effect_of(self._ctx).epoch
        await self._ctx.flags.put(self._service, wanted, run_id=self._ctx.run_id, epoch=epoch)
        return ChangeResult(
            summary=f"{text} (was {found.percent} %)",
            before={**before},
            after={**after},
            flag=turned,
        )

    async def promote(self, version: str, *, keep_warm: bool) -> ChangeResult:  # noqa: ARG002  # the port's
        """Turn the flag on for every user whom no rule excludes."""
        return await self.shift(version, percent=_WHOLE, routes=())

    async def rollback(self, to_version: str, *, keep_candidate: bool) -> ChangeResult:  # noqa: ARG002  # the port's
        """Turn the flag off for every user."""
        return await self.shift(self._key, percent=0, routes=())

    async def reapply(self, version: str, before: JsonObject) -> ChangeResult:
        """Turn the flag on again for the users who had it."""
        return await self.shift(version, **share_before(before))

    def _check(self, version: str) -> None:
        """Raise an error for a flag that is not the catalogue's: the wrong one would be turned on."""
        if version != self._key:
            raise ActionFailedError(
                f"{self._other(version)}.",
                hint=f"Type `/deploy flag {self._service} {self._key}`, or set `flag` in the catalogue.",
                code="another_flag",
            )

    def _other(self, version: str) -> str:
        return f"the flag of {self._service} is {self._key}, not {version}"

    async def _find(self) -> Flag:
        try:
            found = await self._ctx.flags.find(self._service, self._key)
        except ProbeUnavailableError as error:
            raise ActionFailedError(str(error), hint=error.hint, code="target_unavailable") from error
        return found or Flag(key=self._key)


def _audience(flag: Flag) -> str:
    """Return who has the feature, as text; rules against tenants are left out."""
    tenants = _routes(flag)
    if not flag.percent and not tenants:
        return "off"
    share = [f"{flag.percent} %"] if flag.percent else []
    return f"on for {', '.join((*share, *tenants))}"


def _routes(flag: Flag) -> list[str]:
    return sorted(tenant for tenant, on in flag.tenants.items() if on)


KIND = TargetKind(name=_NAME, settings=FlagsSettings, make=FlagsTarget, precedence=90)
