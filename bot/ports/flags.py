"""The port for feature flags, and the provider that answers from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.domain.deployments.flag import EvaluationContext, EvaluationDetails, Flag, evaluate, failed
from bot.domain.errors import ProbeNotConfiguredError, ProbeUnavailableError


class Flags(Protocol):
    """The flags of all services, by the service's address and the flag's key."""

    async def find(self, service: str, key: str) -> Flag | None:
        """Read a flag; none if it was never set.

        Raises:
            ProbeUnavailableError: it cannot be read.
        """
        ...

    async def put(self, service: str, flag: Flag, *, run_id: str, epoch: int) -> None:
        """Set a flag.

        Raises:
            StaleEpochError: a newer owner of this run has set flags; nothing was written.
            ActionInDoubtError: the store did not answer.
        """
        ...


class NoFlags:
    """Where nobody keeps flags, that is said instead of calling every one unknown."""

    async def find(self, service: str, key: str) -> Flag | None:
        """Refuse.

        Raises:
            ProbeNotConfiguredError: always.
        """
        raise ProbeNotConfiguredError(f"No flags are kept here, so {key} of {service} cannot be read.")

    async def put(self, service: str, flag: Flag, *, run_id: str, epoch: int) -> None:  # noqa: ARG002  # the port's
        """Refuse, as ``find`` does."""
        await self.find(service, flag.key)


@dataclass(frozen=True, kw_only=True)
class FlagProvider:
    """Answers for one service, as a provider of the OpenFeature specification does: it never raises."""

    flags: Flags
    service: str

    async def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001  # as the specification has it
        context: EvaluationContext,
    ) -> EvaluationDetails:
        """Answer for a context; the default where there is no flag, or it cannot be read."""
        try:
            flag = await self.flags.find(self.service, flag_key)
        except ProbeUnavailableError as error:
            return failed(flag_key, "PROVIDER_NOT_READY", str(error), default=default_value)
        if flag is None:
            said = f"{self.service} has no flag {flag_key}."
            return failed(flag_key, "FLAG_NOT_FOUND", said, default=default_value)
        return evaluate(flag, context, default=default_value)
