"""The alerts of one incident, as the checks hand them over."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from bot.domain.documentation import DOCS
from bot.domain.errors import UsageError
from bot.domain.model import Model

MetricAlert = tuple[str, str, str] | tuple[str, str, str, str]
"""``(instance, metric, up | down)``, or with the host in second place."""
LogAlert = tuple[str, str]
"""``(instance, template)``."""
TraceAlert = tuple[str, str, str, str]
"""``(calling instance, called instance, operation, kind)``; the same instance twice is a span of its own."""


class AlertsInvalidError(UsageError):
    """The input is not a case of alerts."""

    reason = "alerts_invalid"
    default_hint = f"See {DOCS}/reference/rank-alerts.md for the fields and an example."


class AlertCase(Model):
    """What alerted at about the same time; ``nodes`` are the instances that could be to blame.

    Fields that are not named here are ignored: collectors of alerts keep notes beside them.
    """

    model_config = ConfigDict(extra="ignore")

    nodes: Annotated[tuple[str, ...], Field(min_length=1)]
    metric_alerts: tuple[MetricAlert, ...] = ()
    log_alerts: tuple[LogAlert, ...] = ()
    trace_alerts: tuple[TraceAlert, ...] = ()


_CASES: TypeAdapter[tuple[AlertCase, ...]] = TypeAdapter(tuple[AlertCase, ...])


def read_cases(text: str | bytes) -> tuple[AlertCase, ...]:
    """Read one case or a list of them from JSON.

    Raises:
        AlertsInvalidError: it is not JSON, or does not fit; the message names the first bad field.
    """
    raw = text.encode() if isinstance(text, str) else text
    try:
        if raw.lstrip()[:1] == b"[":
            return _CASES.validate_json(raw)
        return (AlertCase.model_validate_json(raw),)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise AlertsInvalidError(
            f"These alerts cannot be ranked: {path or 'the input'}: {first['msg']}."
        ) from error
