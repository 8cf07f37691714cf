"""A deployment as text: its announcement, its line in a list, and its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.domain.board import DesiredMessage
from bot.domain.deployments.deployment import Deployment, DeploymentOutcome
from bot.domain.formatting import duration, listed, several
from bot.domain.model import JsonObject
from bot.views.blocks import context, header, message, section
from bot.views.limits import bold, code, prose
from bot.views.phrases import (
    ALARM,
    BAD,
    BUSY,
    DONE,
    ENDED,
    FAILED,
    GOOD,
    NEEDS_YOU,
    RUNNING,
    SKIPPED,
    UNDONE,
    WARNING,
    local_day,
    who,
)
from bot.views.steering import steered_line

OUTCOME_WORDS: Mapping[DeploymentOutcome, tuple[str, str, str]] = {
    "running": (RUNNING, BUSY, "in progress"),
    "succeeded": (GOOD, DONE, "deployed"),
    "rolled_back": (NEEDS_YOU, UNDONE, "rolled back"),
    "failed": (BAD, FAILED, "failed"),
    "rejected": (ENDED, SKIPPED, "rejected"),
    "expired": (ENDED, SKIPPED, "expired without a decision"),
    "withdrawn": (ENDED, SKIPPED, "plan withdrawn"),
    "cancelled": (ENDED, SKIPPED, "cancelled"),
}
"""Colour, mark and words of each outcome of a deployment."""

MOST_LISTED = 20
_VERSION_CHARS = 60


def announcement(deployment: Deployment) -> DesiredMessage:
    """Return the announcement of a deployment, one message from its first change to its end."""
    colour, _, words = OUTCOME_WORDS[deployment.outcome]
    about = f"{deployment.service} {deployment.version}".strip()
    title = f"{colour} {about}: {words}"
    if deployment.is_rollback and deployment.outcome == "succeeded":
        title = f"{colour} {deployment.service}: rolled back to {deployment.version or 'an unnamed version'}"
    blocks: list[JsonObject] = [header(f"{ALARM} EMERGENCY · {title}" if deployment.emergency else title)]
    lines = [_what(deployment), _people(deployment), _steered(deployment), _why(deployment)]
    blocks.append(section(*lines))
    if deployment.finished_at is not None and deployment.summary:
        blocks.append(section(prose(deployment.summary, 600)))
    blocks.append(context(*_small_print(deployment)))
    steering = (one.by for one in deployment.steered)
    people = (deployment.requested_by, deployment.decided_by, *deployment.approved_by, *steering)
    ended = deployment.outcome != "running"
    names = {person.id: person.name or person.id for person in people if person is not None}
    return message("deployment", blocks, names=names, urgent=ended or bool(deployment.emergency))


def history_lines(deployments: Sequence[Deployment], *, service: str = "", now: datetime) -> list[str]:
    """Return deployments, newest first, a line each; ``service`` is the one asked for, empty for all."""
    of = f" of {bold(prose(service, 130))}" if service else ""
    if not deployments:
        return [f"I have no record of a deployment{of}.", "Run `/deploy` to see how to start one."]
    head = f"*The latest {several(len(deployments), 'deployment')}*{of}, newest first:"
    return [head, *(_line(one, named=not service, now=now) for one in deployments)]


def _line(deployment: Deployment, *, named: bool, now: datetime) -> str:
    _, mark, words = OUTCOME_WORDS[deployment.outcome]
    about = f"{prose(deployment.service, 130)} " if named else ""
    loud = f"{ALARM} " if deployment.emergency else ""
    parts = [
        f"{mark} {loud}{about}{_versions(deployment)}",
        f"{prose(deployment.strategy, 40)}, {words}",
        f"by {who(deployment.requested_by)}",
        local_day(deployment.requested_at),
        _waited(deployment),
        _took(deployment, now=now),
        f"emergency: {prose(deployment.emergency, 80)}" if deployment.emergency else "",
    ]
    return " · ".join(part for part in parts if part)


def _took(deployment: Deployment, *, now: datetime) -> str:
    if deployment.duration_s is None:
        return f"for {duration(max(0.0, (now - deployment.started_at).total_seconds()))} so far"
    return f"in {duration(deployment.duration_s)}" if deployment.changed else "nothing was changed"


def _waited(deployment: Deployment) -> str:
    """Return how long it waited before it began, and between its changes; empty if it did not."""
    if not deployment.changed:
        return ""
    first_s = (deployment.started_at - deployment.requested_at).total_seconds()
    waits = [f"began after {duration(first_s)}"] if round(first_s) > 0 else []
    if round(deployment.waited_s) > 0:
        waits.append(f"waited {duration(deployment.waited_s)} in between")
    return ", ".join(waits)


def _versions(deployment: Deployment) -> str:
    there = code(deployment.version, _VERSION_CHARS) if deployment.version else "an unnamed version"
    before = deployment.previous_version
    return f"{code(before, _VERSION_CHARS)} → {there}" if before and before != deployment.version else there


def _what(deployment: Deployment) -> str:
    where = f" in {prose(deployment.environment, 63)}" if deployment.environment else ""
    how = "a rollback" if deployment.is_rollback else f"by {prose(deployment.strategy, 40)}"
    return f"{bold(prose(deployment.service, 130))}: {_versions(deployment)}{where}, {how}."


def _people(deployment: Deployment) -> str:
    asked = f"Requested by {who(deployment.requested_by)}"
    if deployment.approved_by:
        return f"{asked}, approved by {listed([who(person) for person in deployment.approved_by])}."
    return f"{asked}; no approval was requested."


def _steered(deployment: Deployment) -> str:
    """Return who paused, promoted, aborted or cancelled it; empty if no one did."""
    cancelled = deployment.outcome == "cancelled" and deployment.decided_by is not None
    return " ".join(
        line
        for line in (
            steered_line(deployment.steered),
            f"Cancelled by {who(deployment.decided_by)}." if cancelled else "",
        )
        if line
    )


def _why(deployment: Deployment) -> str:
    if deployment.emergency:
        return f"{WARNING} *Gates bypassed:* {prose(deployment.emergency, 300)}"
    return f"*Why:* {prose(deployment.why, 300)}" if deployment.why else ""


def _small_print(deployment: Deployment) -> list[str]:
    took = deployment.duration_s
    parts = [
        f"started {local_day(deployment.started_at)}",
        f"took {duration(took)}" if took is not None else "",
        f"rolls back run {code(deployment.rollback_of, 80)}" if deployment.rollback_of else "",
        f"run {code(deployment.id, 80)}",
    ]
    return [part for part in parts if part]
