"""One run through one disturbance, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from redis.exceptions import RedisError
from slack_sdk.web.async_client import AsyncWebClient

from bench.crashing.outside import TARGETS, Outside
from bench.crashing.world import CHANNEL, SERVICE
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.slack.failures import SLACK_ERRORS
from bot.adapters.slack.messages import EVENT_TYPE
from bot.domain.clock import SystemClock
from bot.domain.errors import NotFoundError
from bot.domain.intent import CastVote, StartRun
from bot.domain.people import Person
from bot.domain.runs.event import Origin
from bot.domain.runs.run import Run, fold
from bot.services.intent_handler import run_id_of

ANA, BEN, CHIKA = (
    Person(id="U0ANA00001", name="ana"),
    Person(id="U0BEN00001", name="ben"),
    Person(id="U0CHIKA001", name="chika"),
)
_LOOK_S = 0.01
T = TypeVar("T")


@dataclass
class Told:
    """How one run went."""

    run_id: str
    ended: bool = False
    signature: tuple[str, ...] = ()
    effects: dict[str, int] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    epochs: int = 0
    """How often the run was taken."""
    steps_at: list[tuple[float, int, int]] = field(default_factory=list)
    """When the journal was seen to change (monotonic seconds), its length and its epoch."""


class Trial:
    """Asks for a run, lets two people approve it, each of them twice, and waits until all has been said."""

    def __init__(self, store: RedisStore, client: AsyncWebClient, targets: Outside) -> None:
        """Keep what the run is watched through."""
        self._store = store
        self._journal = RedisJournal(store)
        self._inbox = RedisInbox(store)
        self._client = client
        self._targets = targets
        self._clock = SystemClock()

    async def __call__(self, key: str, *, within_s: float) -> Told:
        """Play one run; one that does not end in time is told as not ended."""
        told = Told(run_id_of(key))
        watching = asyncio.create_task(self._watch(told))
        try:
            async with asyncio.timeout(within_s):
                await self._ask(key)
                await self._approve(told.run_id, key)
                await self._until_ended(told)
                told.ended = True
                await self._until_said(told)
        except TimeoutError:
            pass
        finally:
            watching.cancel()
        await self.account(told)
        return told

    async def _ask(self, key: str) -> None:
        origin = Origin(kind="command", channel=CHANNEL)
        ask = StartRun(
            key=key, at=self._clock.now(), runbook="crash", params={"service": SERVICE}, by=ANA, origin=origin
        )
        for _ in range(2):  # as Slack does when it delivers again
            await _persist(self._inbox.put, ask)

    async def _approve(self, run_id: str, key: str) -> None:
        run = await self._run_when(run_id, lambda run: bool(run.approvals))
        (approval_id,) = run.approvals
        votes = [
            CastVote(
                key=f"{key}-{by.name}",
                at=self._clock.now(),
                approval_id=approval_id,
                verdict="approve",
                by=by,
                channel=CHANNEL,
            )
            for by in (BEN, CHIKA, BEN)
        ]
        await asyncio.gather(*(_persist(self._inbox.put, vote) for vote in votes))

    async def _until_ended(self, told: Told) -> None:
        run = await self._run_when(told.run_id, lambda run: run.outcome is not None)
        told.signature = signature_of(run)

    async def _until_said(self, told: Told) -> None:
        while "final" not in (await self._messages(told.run_id)):  # noqa: ASYNC110  # Slack says nothing by itself
            await asyncio.sleep(0.1)

    async def _run_when(self, run_id: str, true: Callable[[Run], bool]) -> Run:
        while True:
            try:
                run = fold(run_id, await _persist(self._journal.load, run_id))
            except NotFoundError:
                pass
            else:
                if true(run):
                    return run
            await asyncio.sleep(_LOOK_S)

    async def _watch(self, told: Told) -> None:
        """Note when the journal moves, which is how one sees that somebody carries the run on."""
        key = self._store.keys.of(told.run_id).run(told.run_id)
        before = (0, 0)
        while True:
            length, epoch = await _persist(self._store.client.hmget, key, ["n", "ep"])
            now = (int(length or 0), int(epoch or 0))
            if now != before:
                told.steps_at.append((time.monotonic(), *now))
                told.epochs = now[1]
                before = now
            await asyncio.sleep(_LOOK_S)

    async def account(self, told: Told) -> None:
        """Count what is there now: effects at the targets, messages in Slack."""
        told.effects = {target: self._targets.times(target, told.run_id) for target in TARGETS}
        told.messages = await self._messages(told.run_id)

    async def _messages(self, run_id: str) -> Counter[str]:
        """Count the messages of a run by slot, as Slack has them; asked again while it is away."""
        while True:
            try:
                return await self._counted(run_id)
            except SLACK_ERRORS:
                await asyncio.sleep(0.1)

    async def _counted(self, run_id: str) -> Counter[str]:
        found: Counter[str] = Counter()
        history = await self._client.conversations_history(
            channel=CHANNEL, include_all_metadata=True, limit=200
        )
        roots = [m for m in history["messages"] if _slot(m, run_id)]
        for root in roots:
            replies = await self._client.conversations_replies(
                channel=CHANNEL, ts=root["ts"], include_all_metadata=True, limit=200
            )
            found.update(slot for m in replies["messages"] if (slot := _slot(m, run_id)))
        return found


def signature_of(run: Run) -> tuple[str, ...]:
    """Say all of a run's ending that must not depend on who died."""
    phases = (f"{phase.id}={phase.outcome}" for phase in run.phases.values())
    steps = (f"{p.id}.{s.id}={s.outcome}" for p in run.phases.values() for s in p.steps.values())
    return (str(run.outcome), *phases, *steps)


def _slot(message: dict[str, object], run_id: str) -> str:
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return ""
    about = metadata["event_payload"]
    return str(about["slot"]) if about["id"] == run_id else ""


async def _persist(call: Callable[..., Awaitable[T]], *arguments: object) -> T:
    """Ask again while the store is away: in some trials it is killed."""
    while True:
        try:
            return await call(*arguments)
        except (OSError, RedisError):
            await asyncio.sleep(0.05)
