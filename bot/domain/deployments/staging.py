"""Staging before production: whether exactly this version has served elsewhere, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.deployments.gate import GateResult, proceed, reject, unknown
from bot.domain.diagnoses.change import Change
from bot.domain.formatting import duration


@dataclass(frozen=True, kw_only=True)
class ServingPeriod:
    """A time in which a version was the stable one."""

    since: datetime
    until: datetime | None
    """None while it serves."""
    taken_back: bool
    """It was ended by a rollback, not by a version after it."""

    def lasted_s(self, *, at: datetime) -> float:
        """Return how long it lasted, or has lasted at a moment, in seconds."""
        return ((self.until or at) - self.since).total_seconds()


def last_span(version: str, changes: Sequence[Change]) -> ServingPeriod | None:
    """Find the last time in which a version was the stable one; none if it never was.

    A change's ``serves`` is the version that is stable from then on; changes without it are left out.
    """
    serving = sorted(
        (change for change in changes if change.data.get("serves")), key=lambda change: change.at
    )
    since: datetime | None = None
    found: ServingPeriod | None = None
    for change in serving:
        if change.data["serves"] == version:
            since = since or change.at
        elif since is not None:
            found = ServingPeriod(since=since, until=change.at, taken_back=change.kind == "rollback")
            since = None
    return found if since is None else ServingPeriod(since=since, until=None, taken_back=False)


def rule_staging(
    there: str,
    version: str,
    changes: Sequence[Change],
    *,
    at: datetime,
    soak_s: float,
    strategy: str = "canary",
) -> GateResult:
    """Rule whether a version has proved itself at the address ``there``; only its last time there counts.

    ``strategy`` is how the service is usually deployed there.
    """
    service, _, environment = there.partition("@")
    go_there = f"`/deploy {strategy} {service} {version} {environment}`"
    if not version:
        return unknown(
            "staging",
            why=f"Whether a version has served at {there} can be checked only with the version's name.",
            way_out=f"Name it: `/deploy why {service} <version>`.",
        )
    span = last_span(version, changes)
    if span is None or span.taken_back:
        had = (
            f"{version} was rolled back at {there} on {_moment(span.until or at)}."
            if span is not None
            else f"{version} has not served at {there} yet."
        )
        return reject("staging", code="not_in_staging", why=had, way_out=f"Deploy it there: {go_there}.")
    lasted = f"{version} served at {there} from {_moment(span.since)}"
    lasted += f" to {_moment(span.until)}." if span.until is not None else " and still does."
    if span.lasted_s(at=at) >= soak_s:
        return proceed("staging", lasted)
    until = span.since + timedelta(seconds=soak_s) if span.until is None else None
    wait = "Wait until then" if until is not None else f"Deploy it there again ({go_there}) and let it serve"
    return reject(
        "staging",
        code="soak_too_short",
        why=f"{lasted} It must serve there for {duration(soak_s)}.",
        way_out=f"{wait}, or declare an emergency.",
        until=until,
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
