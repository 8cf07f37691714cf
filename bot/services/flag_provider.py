"""Answers feature flag evaluations for one service."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.deployments.flag import EvaluationContext, EvaluationDetails, evaluate, failed
from bot.domain.errors import ProbeUnavailableError
from bot.ports.flags import FlagStore


@dataclass(frozen=True, kw_only=True)
class FlagProvider:
    """Answers for one service, as a provider of the OpenFeature specification does: it never raises."""

    flags: FlagStore
    service: str

    async def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001  # as the specification has it
        context: EvaluationContext,
    ) -> EvaluationDetails:
        """Return the flag's value for a context; the default where the flag is missing or cannot be read."""
        try:
            flag = await self.flags.find(self.service, flag_key)
        except ProbeUnavailableError as error:
            return failed(flag_key, "PROVIDER_NOT_READY", str(error), default=default_value)
        if flag is None:
            said = f"{self.service} has no flag {flag_key}."
            return failed(flag_key, "FLAG_NOT_FOUND", said, default=default_value)
        return evaluate(flag, context, default=default_value)
