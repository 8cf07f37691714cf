"""Reads alerts from Alertmanager's webhook."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)

from bot.domain.errors import BotError
from bot.domain.monitoring.alert import Alert

MAX_BYTES = 8_000_000
"""The longest body that is read, in bytes: some seven thousand alerts of a kilobyte each."""

_FIRST_YEAR = 1  # Go's zero time, which Alertmanager writes for "not ended"


class WebhookError(BotError):
    """A webhook's body cannot be read; ``code`` is the reason, and nothing was started."""

    reason = "webhook_refused"


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside the range of a calendar") from None


def _or_never(value: datetime) -> datetime | None:
    return None if value.year == _FIRST_YEAR else _in_utc(value)


def _or_empty(value: object) -> object:
    return {} if value is None else value


_Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
_MomentOrZero = Annotated[AwareDatetime, AfterValidator(_or_never)]
_Texts = Annotated[dict[str, str], BeforeValidator(_or_empty)]
_Status = Literal["firing", "resolved"]


class _Wire(BaseModel):
    """A part of the webhook; unknown fields are ignored, because senders add their own."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True
    )


class _WireAlert(_Wire):
    labels: dict[str, str] = Field(min_length=1)
    annotations: _Texts = Field(default_factory=dict)
    starts_at: _Moment = Field(alias="startsAt")
    ends_at: _MomentOrZero | None = Field(default=None, alias="endsAt")
    status: _Status | None = None
    fingerprint: str = ""
    generator_url: str = Field(default="", alias="generatorURL")


class _Notification(_Wire):
    """Version 4 of the webhook's format; the alerts left out by ``truncatedAlerts`` cannot be known."""

    status: _Status
    alerts: tuple[_WireAlert, ...]
    common_labels: _Texts = Field(default_factory=dict, alias="commonLabels")
    common_annotations: _Texts = Field(default_factory=dict, alias="commonAnnotations")
    external_url: str = Field(default="", alias="externalURL")


def parse(body: bytes) -> tuple[Alert, ...]:
    """Return the alerts of one notification, in its order, resolved ones included.

    Raises:
        WebhookError: the body is not JSON (``webhook_not_json``), or JSON of another kind
            (``webhook_not_alertmanager``).
    """
    try:
        notification = _Notification.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None  # the cause holds the body
    return tuple(_alert(notification, wire) for wire in notification.alerts)


def _refusal(error: ValidationError) -> WebhookError:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    if first["type"] == "json_invalid":
        return WebhookError("The body is not JSON.", code="webhook_not_json")
    place = ".".join(str(part) for part in first["loc"]) or "the body"
    return WebhookError(
        f"This is not an Alertmanager notification: {place}: {first['msg']}.",
        hint="Point a webhook_config of Alertmanager at this address.",
        code="webhook_not_alertmanager",
    )


def _alert(notification: _Notification, wire: _WireAlert) -> Alert:
    labels = {**notification.common_labels, **wire.labels}
    annotations = {**notification.common_annotations, **wire.annotations}
    status = wire.status or notification.status
    return Alert(
        fingerprint=wire.fingerprint or _fingerprint(wire.labels),
        name=labels.get("alertname", "alert"),
        service=labels.get("service") or labels.get("job", ""),
        severity=labels.get("severity", ""),
        summary=annotations.get("summary", ""),
        description=annotations.get("description") or annotations.get("message", ""),
        status=status,
        starts_at=wire.starts_at,
        ends_at=wire.ends_at if status == "resolved" else None,
        labels=labels,
        url=_link(wire.generator_url) or _link(notification.external_url),
    )


def _fingerprint(labels: dict[str, str]) -> str:
    """Return the fingerprint that a sender left out; the same labels are the same alert."""
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _link(url: str) -> str:
    """Return a URL if it is safe to show as a link, else an empty text."""
    return url if url.startswith(("http://", "https://")) else ""
