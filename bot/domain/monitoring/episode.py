"""The life of an alert's episode: what a report changes, and how it is closed without one."""

from __future__ import annotations

from datetime import datetime

from bot.domain.monitoring.alert import Alert
from bot.domain.people import Person

NEWER_EPISODE = "a newer alert with the same labels has begun"


def after_report(known: Alert | None, reported: Alert) -> Alert | None:
    """Return an episode after a report; ``None`` if the report adds nothing.

    An episode that was over and fires again is open again, with ``times`` raised by one.  If its earlier end
    is delivered again after that, it stays open.
    """
    if known is None or known == reported:
        return None if known is not None else reported
    if known.status == "resolved":
        if reported.status == "resolved":
            return None
        ended = known.ends_at or reported.ended_before
        return reported.model_copy(update={"times": known.times + 1, "ended_before": ended})
    ends, before = reported.ends_at, known.ended_before
    if reported.status == "resolved" and ends is not None and before is not None and ends <= before:
        return None
    kept = {"times": max(known.times, reported.times), "ended_before": known.ended_before}
    updated = reported.model_copy(update=kept)
    return None if updated == known else updated


def closed(alert: Alert, *, at: datetime, because: str = "", by: Person | None = None) -> Alert:
    """Return an alert that is over, though its source did not report an end."""
    update = {"status": "resolved", "ends_at": at, "closed_because": because, "closed_by": by}
    return alert.model_copy(update=update)
