"""What the record of deployments, `/deploy history` and `/deploy stats` show of an incident's rollback."""

from __future__ import annotations

import re

from bot.domain.deployments.deployment import Deployment
from bot.domain.errors import NotFoundError
from bot.domain.model import Model
from bot.domain.runs.run import Run
from bot.services.delivery_metrics import delivery
from demo.scenarios.acting import ASKS
from demo.scenarios.stage import DemoStage
from demo.scenarios.waiting import until
from localslack.outcomes import VisibleMessage

_CHANNEL = "deploys"
_ANSWER_S = 20.0
_DAYS = 1
_ROLLBACKS = re.compile(r"Rollbacks:\*? (\d+) requested")


class RollbackRecord(Model):
    """The record of one rollback, and what people read of it; times are in seconds."""

    service: str
    version: str
    previous_version: str
    outcome: str
    approved_by: tuple[str, ...]
    takes_back: str
    """The run that deployed the rolled-back version; empty if the bot did not deploy it."""
    once: bool
    """Whether the incident's run has one record."""
    in_history: bool
    """Whether `/deploy history` lists it first."""
    rollbacks: int
    """As in `/deploy stats`; 0 if nothing was deployed in this time."""
    failures: int
    """Deployments that failed or were rolled back."""
    recovery_s: float | None
    """The median time to restore."""
    right: bool


async def recorded(on: DemoStage, run: Run, *, deployed: str) -> RollbackRecord | None:
    """Return what the record and Slack show of a run's rollback; none where it has no record."""
    try:
        one = await on.deployments.get(run.id)
    except NotFoundError:
        return None
    known = await on.deployments.of(one.service, limit=50)
    figures = delivery(known, service=one.service, days=_DAYS, until=on.clock.now())
    history = await _typed(on, f"history {one.service}", "latest")
    in_history = _is_first(one, history)
    rollbacks = await _rollbacks_shown(on, one.service) if figures.deployments else 0
    taken_back = next((other for other in known if other.id == deployed), None)
    return RollbackRecord(
        service=one.service,
        version=one.version,
        previous_version=one.previous_version,
        outcome=one.outcome,
        approved_by=tuple(person.name or person.id for person in one.approved_by),
        takes_back=one.rollback_of,
        once=sum(other.id == run.id for other in known) == 1,
        in_history=in_history,
        rollbacks=rollbacks,
        failures=figures.failures.some,
        recovery_s=figures.recovery.median_s if figures.recovery else None,
        right=one.is_rollback
        and (one.outcome, one.rollback_of, in_history) == ("succeeded", deployed, True)
        and (taken_back is None or (rollbacks == figures.rollbacks and figures.failures.some > 0)),
    )


async def _typed(on: DemoStage, words: str, wanted: str) -> str:
    """Type a subcommand of `/deploy`; return the answer that only that person sees."""
    at = on.clock.now().timestamp()
    await on.slack.slash("/deploy", words, user=ASKS, channel=_CHANNEL)

    async def answer() -> str | None:
        return next((m.text for m in await _since(on, at) if m.is_ephemeral and wanted in m.text), None)

    return await until(answer, f"the answer to /deploy {words}", _ANSWER_S)


async def _rollbacks_shown(on: DemoStage, service: str) -> int:
    at = on.clock.now().timestamp()
    await on.slack.slash("/deploy", f"stats {service} {_DAYS}d", user=ASKS, channel=_CHANNEL)

    async def shown() -> int | None:
        found = (_ROLLBACKS.search(message.text) for message in await _since(on, at))
        return next((int(match[1]) for match in found if match), None)

    return await until(shown, f"the figures of {service}", _ANSWER_S)


async def _since(on: DemoStage, at: float) -> list[VisibleMessage]:
    messages = await on.slack.messages(_CHANNEL, user=ASKS)
    return [message for message in messages if float(message.ts) >= at - 1]


def _is_first(one: Deployment, history: str) -> bool:
    """Return whether the newest line of a history is that of a rollback."""
    line = next((line for line in history.splitlines()[1:] if line.strip()), "")
    return one.version in line and "rollback" in line
