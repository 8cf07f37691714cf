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
from bot.adapters.redis.lanes import GROUP
from bot.adapters.redis.store import RedisStore
from bot.adapters.redis.stores.inbox import RedisInbox
from bot.adapters.redis.stores.journal import RedisJournal
from bot.adapters.slack.failures import SLACK_ERRORS
from bot.adapters.slack.messages import EVENT_TYPE
from bot.domain.clock import SystemClock
from bot.domain.errors import NotFoundError, StoreUnavailableError
from bot.domain.intent import CastVote, StartRun
from bot.domain.people import Person
from bot.domain.runs.event import Origin
from bot.domain.runs.run import Run, fold
from bot.services.run_starter import run_id_of

ANA, BEN, CHIKA = (
    Person(id="U0ANA00001", name="ana"),
    Person(id="U0BEN00001", name="ben"),
    Person(id="U0CHIKA001", name="chika"),
)
_LOOK_S = 0.01
_AWAY_S = 60.0
T = TypeVar("T")


OF_AN_APPROVAL = frozenset({"ask", "remind"})
"""Messages whose slots end with an id that is another in each run."""


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
    left: dict[str, object] = field(default_factory=dict)
    """Where a run that did not end in time was left: the trial's step, the run, its queue, its topic."""


class Deadline:
    """A time that is looked at between two questions.

    redis-py can swallow a cancellation that meets an answer (``asyncio.wait_for`` does, before Python 3.12),
    so neither ``asyncio.timeout`` nor ``Task.cancel`` ends a loop that asks the store again and again.
    """

    def __init__(self, within_s: float) -> None:
        """Begin to count."""
        self._until = time.monotonic() + within_s

    @property
    def is_over(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() >= self._until

    def check(self) -> None:
        """Raise TimeoutError once the time is over."""
        if self.is_over:
            raise TimeoutError


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
        """Play one run; one that does not end within ``within_s`` seconds is told as not ended."""
        told = Told(run_id_of(key))
        ending = asyncio.Event()
        watching = asyncio.create_task(self._watch(told, ending))
        try:
            await self._play(told, key, Deadline(within_s))
        except TimeoutError:
            told.left |= await _persist(self._standing, told.run_id)
        finally:
            ending.set()
            await watching
        await self.account(told)
        return told

    async def _play(self, told: Told, key: str, deadline: Deadline) -> None:
        told.left = {"step": "ask"}
        await self._ask(key)
        told.left = {"step": "approve"}
        await self._approve(told.run_id, key, deadline)
        told.left = {"step": "end"}
        await self._until_ended(told, deadline)
        told.ended = True
        told.left = {"step": "say"}
        await self._until_said(told, deadline)
        told.left = {}

    async def _standing(self, run_id: str) -> dict[str, object]:
        """Read where a run stands: its state, the messages that stand for it, and what is to be shown."""
        client, shard = self._store.client, self._store.keys.of(run_id)
        queue = shard.queue("urgent")
        return {
            "state, epoch, length": await client.hmget(shard.run(run_id), ["st", "ep", "n"]),
            "due": await client.zscore(shard.due, run_id),
            "dirty": await client.zscore(shard.dirty, f"run:{run_id}"),
            "posted": list(await client.hgetall(shard.messages(f"run:{run_id}"))),
            "queue": await client.xrange(queue),
            "inbox": [message_id for message_id, _ in await client.xrange(shard.inbox)],
            "pending": await client.xpending_range(queue, GROUP, "-", "+", 100),
            "beats": await client.hgetall(shard.beats),
            "now": self._clock.now().isoformat(),
        }

    async def _ask(self, key: str) -> None:
        origin = Origin(kind="command", channel=CHANNEL)
        ask = StartRun(
            key=key, at=self._clock.now(), runbook="crash", params={"service": SERVICE}, by=ANA, origin=origin
        )
        for _ in range(2):  # as Slack does when it delivers again
            await _persist(self._inbox.put, ask)

    async def _approve(self, run_id: str, key: str, deadline: Deadline) -> None:
        run = await self._run_when(run_id, lambda run: bool(run.approvals), deadline)
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

    async def _until_ended(self, told: Told, deadline: Deadline) -> None:
        run = await self._run_when(told.run_id, lambda run: run.outcome is not None, deadline)
        told.signature = signature_of(run)

    async def _until_said(self, told: Told, deadline: Deadline) -> None:
        while "final" not in (await self._messages(told.run_id)):
            deadline.check()
            await asyncio.sleep(0.1)

    async def _run_when(self, run_id: str, true: Callable[[Run], bool], deadline: Deadline) -> Run:
        while True:
            deadline.check()
            try:
                run = fold(run_id, await _persist(self._journal.load, run_id))
            except NotFoundError:
                pass
            else:
                if true(run):
                    return run
            await asyncio.sleep(_LOOK_S)

    async def _watch(self, told: Told, ending: asyncio.Event) -> None:
        """Note when the journal moves, which is how one sees that somebody carries the run on."""
        key = self._store.keys.of(told.run_id).run(told.run_id)
        before = (0, 0)
        while not ending.is_set():
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
        # A reply that is also shown in the channel is counted in its thread.
        seen = [m for m in history["messages"] if _slot(m, run_id)]
        roots = [m for m in seen if m.get("thread_ts") in (None, m["ts"])]
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
    if about["id"] != run_id:
        return ""
    kind, _, _ = slot = str(about["slot"]).partition(":")
    return kind if kind in OF_AN_APPROVAL else "".join(slot)


async def _persist(call: Callable[..., Awaitable[T]], *arguments: object) -> T:
    """Ask again while the store is away: in some trials it is killed, and asking twice changes nothing."""
    deadline = Deadline(_AWAY_S)
    while True:
        try:
            return await call(*arguments)
        except (OSError, RedisError, StoreUnavailableError) as error:
            if deadline.is_over:
                raise StoreUnavailableError(f"The store has been away for {_AWAY_S:g} s.") from error
            await asyncio.sleep(0.05)
