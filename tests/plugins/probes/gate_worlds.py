"""A shop with a freeze, and what the bot itself knows of it, for the gates to be asked about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.domain.errors import GateClosedError
from bot.domain.monitoring.alert import Alert
from bot.domain.runs.runbook import Runbook
from bot.engine.plugins import Plugins, plugins_in
from bot.probes import gates
from bot.testing.stores import memory_stores
from tests.support.worlds import HandClock, world_plugins

WEEKEND = {
    "id": "weekend",
    "reason": "Few people are around",
    "time_zone": "Europe/Berlin",
    "from": "fri 16:00",
    "until": "mon 08:00",
}
SATURDAY = datetime(2026, 11, 28, 12, tzinfo=UTC)
TUESDAY = datetime(2026, 11, 24, 12, tzinfo=UTC)


def clock(at: datetime) -> HandClock:
    return HandClock(at)


SHOP = (
    {"name": "checkout", "depends_on": ["payments"], "freezes": [WEEKEND]},
    {"name": "payments", "depends_on": ["bank"]},
    {"name": "bank"},
    {"name": "search"},
)
TRIAGE = Runbook.model_validate(
    {
        "name": "triage",
        "summary": "Find out.",
        "params": {"service": {"type": "service"}},
        "phases": [{"kind": "explore", "id": "a", "steps": [{"id": "a", "probe": "x.y"}]}],
    }
)


def all_plugins() -> Plugins:
    """The gates, and what checklists are tried with."""
    return Plugins({**world_plugins().by_name, **{found.name: found for found in plugins_in(gates)}})


class State:
    """What the bot itself knows, in memory, at a moment."""

    def __init__(self, context, at: datetime = TUESDAY, *services) -> None:
        self.clock = HandClock(at)
        self.stores = memory_stores(self.clock)
        self.store, self.alerts = self.stores.journal, self.stores.alerts
        self.locks, self.checklists = self.stores.deploy_locks, self.stores.checklists
        self.ctx = context(*(services or SHOP), clock=self.clock, stores=self.stores, plugins=all_plugins())

    async def fires(self, service: str, severity: str = "critical", *, status: str = "firing") -> None:
        at, ends = self.clock.now(), {"ends_at": self.clock.now()} if status == "resolved" else {}
        named = {"fingerprint": service, "name": "Errors", "service": service, "severity": severity}
        await self.alerts.report(Alert.model_validate({**named, "status": status, "starts_at": at, **ends}))

    async def incident(self, service: str) -> tuple:
        data = (await gates.incident(self.ctx, service=service)).data
        return data["verdict"], data["code"], data["why"]

    async def all(self, **more):
        return await gates.all(self.ctx, service="checkout", version="1.4.2", strategy="canary", **more)

    async def closed(self, **more) -> tuple[str, str, str]:
        with pytest.raises(GateClosedError) as refused:
            await self.all(**more)
        return refused.value.code, str(refused.value), refused.value.hint
