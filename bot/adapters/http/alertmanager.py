"""Reads alerts from Alertmanager's webhook; a field or record that cannot be read is left out and named."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from bot.domain.errors import BotError
from bot.domain.monitoring.alert import Alert

MAX_BYTES = 8_000_000
"""The longest body that is read, in bytes: some seven thousand alerts of a kilobyte each."""

_FIRST_YEAR = 1  # Go's zero time, which Alertmanager writes for "not ended"
_OURS = frozenset({"alerts", "commonLabels", "groupKey", "receiver"})
"""Fields of which a notification has at least one, beside its status."""
_GRAVE = "critical"
_MOST_NAMED = 5
_NAME = re.compile(r"[\w.-]{1,128}", re.ASCII)


class WebhookError(BotError):
    """A webhook's body cannot be read; ``code`` is the reason, and nothing was started."""

    reason = "webhook_refused"


@dataclass(frozen=True, kw_only=True)
class ReportedAlert:
    """One alert of a notification."""

    alert: Alert
    has_start: bool
    """False where the sender gave no start that can be read; it is then the moment of the report."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """The content of one notification: alerts in its order, resolved ones included, and what is missing."""

    alerts: tuple[ReportedAlert, ...]
    unreadable: tuple[str, ...]
    """The records that were left out, each with its place and the reason."""
    left_out: ReportedAlert
    """Represents the alerts of the group that were not sent; resolved if all were."""


def parse(body: bytes, *, now: datetime) -> Notification:
    """Return the content of one notification; ``now`` replaces a start that cannot be read.

    A field that cannot be read is left out, and so is a record without labels.

    Raises:
        WebhookError: the body is not JSON (``webhook_not_json``), or JSON of another kind
            (``webhook_not_alertmanager``).
    """
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        raise WebhookError("The body is not JSON.", code="webhook_not_json") from None
    if (
        not isinstance(sent, Mapping)
        or not _OURS & sent.keys()
        or not isinstance(sent.get("alerts"), list | None)
    ):
        raise WebhookError(
            "This is not an Alertmanager notification: it has no list `alerts`.",
            hint="Point a webhook_config of Alertmanager at this address.",
            code="webhook_not_alertmanager",
        )
    records = sent.get("alerts") or []
    common = _texts(sent.get("commonLabels"))
    unreadable: list[str] = []
    found: list[ReportedAlert] = []
    for place, record in enumerate(records):
        read = _alert(sent, record, common=common, now=now)
        if isinstance(read, str):
            unreadable.append(f"alerts.{place}: {read}")
        else:
            found.append(read)
    if records and not found and not common:
        raise WebhookError(
            f"None of the {len(records)} alerts can be read: {'; '.join(unreadable[:_MOST_NAMED])}.",
            hint="Point a webhook_config of Alertmanager at this address.",
            code="webhook_not_alertmanager",
        )
    missing = _count(sent.get("truncatedAlerts"))
    return Notification(
        alerts=tuple(_distinct(found)),
        unreadable=tuple(unreadable),
        left_out=_left_out(sent, found, unreadable, truncated=missing, now=now),
    )


def _alert(
    sent: Mapping[str, object], record: object, *, common: Mapping[str, str], now: datetime
) -> ReportedAlert | str:
    """Return one alert, or why it cannot be read."""
    if not isinstance(record, Mapping):
        return "is not an object"
    own = _texts(record.get("labels"))
    labels = {**common, **own}
    if not labels:
        return "has no labels"
    annotations = {**_texts(sent.get("commonAnnotations")), **_texts(record.get("annotations"))}
    starts_at, ends_at = _moment(record.get("startsAt")), _moment(record.get("endsAt"))
    status = _status(record.get("status")) or _status(sent.get("status")) or "firing"
    fingerprint = record.get("fingerprint")
    is_name = isinstance(fingerprint, str) and _NAME.fullmatch(fingerprint)
    alert = Alert(
        fingerprint=str(fingerprint) if is_name else _fingerprint(own or labels),
        name=labels.get("alertname", "alert"),
        service=labels.get("service") or labels.get("job", ""),
        severity=labels.get("severity", ""),
        summary=annotations.get("summary", ""),
        description=annotations.get("description") or annotations.get("message", ""),
        status=status,
        starts_at=starts_at or now,
        ends_at=(ends_at or None) if status == "resolved" else None,
        labels=labels,
        url=_link(record.get("generatorURL")) or _link(sent.get("externalURL")),
    )
    return ReportedAlert(alert=alert, has_start=starts_at is not None)


def _distinct(found: Sequence[ReportedAlert]) -> Iterator[ReportedAlert]:
    """Yield the alerts; different ones with the same fingerprint get fingerprints of their own."""
    marks = {(one.alert.fingerprint, _fingerprint(one.alert.labels), one.alert.starts_at) for one in found}
    times = Counter(fingerprint for fingerprint, _, _ in marks)
    of_labels = Counter((fingerprint, labels) for fingerprint, labels, _ in marks)
    for one in found:
        alert = one.alert
        if times[alert.fingerprint] == 1:
            yield one
            continue
        labels = _fingerprint(alert.labels)
        start = alert.starts_at.isoformat() if of_labels[alert.fingerprint, labels] > 1 else ""
        own = _fingerprint({"fingerprint": alert.fingerprint, "labels": labels, "startsAt": start})
        yield replace(one, alert=alert.model_copy(update={"fingerprint": own}))


def _left_out(
    sent: Mapping[str, object],
    found: Sequence[ReportedAlert],
    unreadable: Sequence[str],
    *,
    truncated: int,
    now: datetime,
) -> ReportedAlert:
    """Return an alert that represents the group's alerts that were not sent.

    It has the labels by which Alertmanager groups: only these apply to every alert of the group.
    """
    labels = _texts(sent.get("groupLabels"))
    key = sent.get("groupKey")
    group = key if isinstance(key, str) and key else json.dumps(labels, sort_keys=True)
    number = truncated + len(unreadable)
    named = ", ".join(f"{name}={value}" for name, value in labels.items()) or "all alerts"
    reasons = [f"{truncated} by the receiver's `max_alerts`"] if truncated else []
    reasons += [f"{len(unreadable)} unreadable ({'; '.join(unreadable[:_MOST_NAMED])})"] if unreadable else []
    alert = Alert(
        fingerprint=_fingerprint({"left out of": group}),
        name="AlertsLeftOut",
        service=labels.get("service") or labels.get("job", ""),
        severity=labels.get("severity", _GRAVE),
        summary=f"{number} of {number + len(found)} alerts of the group {named} are not shown"
        if number
        else "",
        description=f"Left out: {' and '.join(reasons)}." if reasons else "",
        status="firing" if number and _status(sent.get("status")) != "resolved" else "resolved",
        starts_at=min((one.alert.starts_at for one in found), default=now),
        ends_at=None if number else now,
        labels=labels,
        url=_link(sent.get("externalURL")),
        left_out=number,
    )
    return ReportedAlert(alert=alert, has_start=False)


def _texts(value: object) -> dict[str, str]:
    """Return a mapping of texts; what is not a text, a number or a boolean is left out."""
    if not isinstance(value, Mapping):
        return {}
    return {str(name): text for name, each in value.items() if (text := _text(each)) is not None}


def _text(value: object) -> str | None:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()  # without lone surrogates
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:
            return None


def _status(value: object) -> Literal["firing", "resolved"] | None:
    word = value.casefold() if isinstance(value, str) else ""
    return "firing" if word == "firing" else "resolved" if word == "resolved" else None


def _moment(value: object) -> datetime | None:
    """Return a moment in UTC; one without a zone is taken for UTC; ``None`` if it cannot be read."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(_to_microseconds(value.strip()))
        moment = (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if moment.year == _FIRST_YEAR else moment


def _to_microseconds(text: str) -> str:
    """Return a moment without the digits beyond microseconds, which Go writes and Python does not read."""
    whole, point, rest = text.partition(".")
    if not point:
        return text
    digits = len(rest) - len(rest.lstrip("0123456789"))
    return f"{whole}.{rest[:digits][:6]}{rest[digits:]}"


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _fingerprint(labels: Mapping[str, str]) -> str:
    """Return the fingerprint that a sender left out; the same labels are the same alert."""
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _link(url: object) -> str:
    """Return a URL if it is safe to show as a link, else an empty text."""
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else ""
