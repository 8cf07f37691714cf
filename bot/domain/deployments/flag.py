"""Feature flags: who sees what, by rules that give each person the same answer every time.

The words are those of the OpenFeature specification: targeting key, variant, reason, error code.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.domain.model import Model

FlagKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Reason = Literal["TARGETING_MATCH", "SPLIT", "STATIC", "ERROR"]
ErrorCode = Literal["", "FLAG_NOT_FOUND", "TARGETING_KEY_MISSING", "PROVIDER_NOT_READY"]
Variant = Literal["on", "off", ""]

_WHOLE = 100
_RANGE = 2**64


class Flag(Model):
    """One flag of a service: on for ``percent`` of the targeting keys, 0 to 100; a tenant's own rule wins."""

    key: FlagKey
    percent: int = Field(default=0, ge=0, le=100)
    tenants: dict[str, bool] = Field(default_factory=dict)


class EvaluationContext(Model):
    """Whom an evaluation is about."""

    targeting_key: str = ""
    """Who stays on the same side while the percentage does not change: a user, a session, a cart."""
    tenant: str = ""


class EvaluationDetails(Model):
    """The answer, and why; ``value`` is the default where there is an ``error_code``."""

    flag_key: str
    value: bool
    variant: Variant
    reason: Reason
    error_code: ErrorCode = ""
    error_message: str = ""


def evaluate(flag: Flag, context: EvaluationContext, *, default: bool) -> EvaluationDetails:
    """Return the flag's value for a context, and why."""
    if context.tenant in flag.tenants:
        return _answer(flag, value=flag.tenants[context.tenant], reason="TARGETING_MATCH")
    if flag.percent in {0, _WHOLE}:
        return _answer(flag, value=flag.percent == _WHOLE, reason="STATIC")
    if not context.targeting_key:
        return failed(flag.key, "TARGETING_KEY_MISSING", "A split needs a targeting key.", default=default)
    return _answer(flag, value=bucket(flag.key, context.targeting_key) < flag.percent, reason="SPLIT")


def bucket(flag_key: str, targeting_key: str) -> float:
    """Place a targeting key, evenly and for good, in 0 to 100; another flag places it elsewhere.

    So a ramp only ever adds people, and the same people are not the first for every flag.
    """
    digest = hashlib.sha256(f"{flag_key}\0{targeting_key}".encode()).digest()
    return int.from_bytes(digest[:8]) / _RANGE * _WHOLE


def failed(flag_key: str, code: ErrorCode, message: str, *, default: bool) -> EvaluationDetails:
    """Return the default, and why."""
    return EvaluationDetails(
        flag_key=flag_key, value=default, variant="", reason="ERROR", error_code=code, error_message=message
    )


def _answer(flag: Flag, *, value: bool, reason: Reason) -> EvaluationDetails:
    return EvaluationDetails(flag_key=flag.key, value=value, variant="on" if value else "off", reason=reason)
