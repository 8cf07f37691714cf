"""A handler context without servers: in-memory ports, a small catalogue and a small runbook."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from bot.domain.catalogue import Catalogue
from bot.domain.clock import SystemClock
from bot.domain.errors import IdentityUnknownError, NotFoundError
from bot.domain.intent import Intent, Notice
from bot.domain.people import GroupMembers, Profile, Standing
from bot.domain.runs.runbook import Runbook
from bot.engine.stores import Stores
from bot.ports.directory import Directory
from bot.ports.links import Links
from bot.ports.notifier import Notifier
from bot.testing.links import MemoryLinks
from bot.testing.stores import memory_stores
from handlers.context import HandlerContext

TRIAGE = Runbook.model_validate(
    {
        "name": "triage",
        "summary": "Find out what is wrong.",
        "params": {
            "service": {"type": "service", "required": True},
            "since": {"type": "duration", "default": 1800.0},
        },
        "phases": [
            {
                "kind": "explore",
                "id": "ground",
                "steps": [{"id": "a", "probe": "worlds.read", "with": {"name": "a"}}],
            }
        ],
    }
)
CATALOGUE = Catalogue.model_validate(
    {
        "services": [
            {
                "name": "checkout",
                "channel": "checkout-oncall",
                "depends_on": ["payments"],
                "monitors": [
                    {
                        "id": "errors",
                        "title": "Failed requests",
                        "probe": "worlds.measure",
                        "expect": "result.value < 5",
                        "every": "30s",
                    }
                ],
            },
            {"name": "payments"},
            {"name": "storefront"},
        ],
        "groups": {"oncall": {"usergroup": "oncall"}},
    }
)


@dataclass
class SmallLibrary:
    """A library of a few runbooks."""

    runbooks: dict[str, Runbook] = field(default_factory=lambda: {"triage": TRIAGE})

    def get(self, name: str) -> Runbook:
        if name not in self.runbooks:
            raise NotFoundError(f"There is no runbook `{name}`.")
        return self.runbooks[name]

    def names(self) -> tuple[str, ...]:
        return tuple(self.runbooks)


@dataclass
class RecordingInbox:
    """An inbox that exposes its intents; ``before`` may fail or wait."""

    intents: list[Intent] = field(default_factory=list)
    puts: int = 0
    before: Callable[[], Awaitable[None]] | None = None

    async def put(self, intent: Intent) -> bool:
        self.puts += 1
        if self.before is not None:
            await self.before()
        if any(kept.key == intent.key for kept in self.intents):
            return False
        self.intents.append(intent)
        return True


@dataclass
class Members:
    """A directory of people who are members unless ``standing`` says otherwise, and in no group."""

    standing: Standing | None = "member"
    """None where it cannot be asked."""

    async def profile(self, user_id: str) -> Profile:
        if self.standing is None:
            raise IdentityUnknownError("I cannot check who you are right now, so I did nothing.")
        return Profile(id=user_id, name=user_id, standing=self.standing)

    async def groups_of(self, user_id: str, *, among: Sequence[str], fresh: bool = False) -> frozenset[str]:
        return frozenset()

    async def members_of(self, group: str) -> GroupMembers:
        return GroupMembers()


@dataclass
class RecordingNotifier:
    """A notifier that records its notices."""

    notices: list[Notice] = field(default_factory=list)

    async def notify(self, notice: Notice) -> None:
        self.notices.append(notice)


def memory_desk(
    stores: Stores | None = None,
    *,
    directory: Directory | None = None,
    notifier: Notifier | None = None,
    links: Links | None = None,
    catalogue: Catalogue = CATALOGUE,
) -> HandlerContext:
    """Return a handler context; what is not given is empty."""
    return HandlerContext(
        stores=stores or replace(memory_stores(), inbox=RecordingInbox()),
        library=SmallLibrary(),
        catalogue=catalogue,
        clock=SystemClock(),
        directory=directory or Members(),
        notifier=notifier or RecordingNotifier(),
        links=links or MemoryLinks(),
    )
