"""Locks are people's: taken, kept, handed over and taken off by whom the rules say, and never in silence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from bot.domain.catalogue import Catalogue
from bot.domain.errors import GateClosedError
from bot.domain.intent import AskWhyNot, HandOverLocks, LockDeploys, UnlockDeploys
from bot.domain.monitoring.alert import Alert
from bot.engine.plugins import Plugins, plugins_in
from bot.ports.gates import DeployLockStore
from bot.probes import gates
from bot.services.gate_state import StateGatekeeper
from bot.services.intent_handler import IntentHandler
from bot.testing.links import MemoryLinks
from bot.views.locks import locks_text
from tests.support.worlds import ANA, BEN, CHI
from tests.unit.engine.small_world import World

NIGHT = {"id": "night", "reason": "<!channel> sleeps", "time_zone": "UTC", "from": "02:00", "until": "06:00"}
CATALOGUE = Catalogue.model_validate(
    {"services": [{"name": "checkout"}, {"name": "payments", "depends_on": ["checkout"], "freezes": [NIGHT]}]}
)


@dataclass
class Counter:
    """A desk before which people stand, and the locks behind it."""

    world: World
    desk: IntentHandler

    @property
    def locks(self) -> DeployLockStore:
        return self.world.stores.deploy_locks

    async def ask(self, kind, *, by=ANA, key="k", at=None, **more) -> str:
        at = at or self.world.clock.now()
        await self.desk.handle(kind(key=key, at=at, by=by, channel="C1", thread="1.0", **more))
        notice = self.world.told.notices[-1]
        assert (notice.user, notice.channel, notice.thread) == (by.id, "C1", "1.0")
        return notice.text

    async def lock(self, *, by=ANA, service="checkout", reason="the fair", seconds=7200, **more) -> str:
        return await self.ask(LockDeploys, by=by, service=service, reason=reason, seconds=seconds, **more)

    async def listed(self) -> str:
        return locks_text(await self.locks.held(CATALOGUE.names))

    async def owners(self) -> dict[str, str]:
        return {lock.service: lock.by.id for lock in await self.locks.held(CATALOGUE.names)}


@pytest.fixture
def counter(world):
    world.people.groups["oncall"] = {CHI.id}
    plugins = Plugins({plugin.name: plugin for plugin in plugins_in(gates)})
    deps = replace(world.deps, catalogue=CATALOGUE, plugins=plugins)
    return Counter(world, IntentHandler(deps, directory=world.people, notifier=world.told))


async def test_a_lock_counts_from_when_it_was_asked_for_however_often_that_is_delivered(counter):
    asked = counter.world.clock.now()
    counter.world.clock.forward(60)
    for _ in range(2):
        assert "`checkout` is locked until 2026-03-04 05:00 UTC" in await counter.lock(at=asked)
    (lock,) = await counter.locks.held(("checkout",))
    assert (lock.by, lock.reason, lock.until) == (ANA, "the fair", asked + timedelta(hours=2))


async def test_the_second_person_is_told_who_was_first_and_why(counter):
    await counter.lock()
    told = await counter.lock(by=BEN, reason="mine")
    assert told.startswith(f"<@{ANA.id}> has locked `checkout` until 2026-03-04 05:00 UTC: the fair.")
    assert f"Ask <@{ANA.id}>" in told
    assert await counter.owners() == {"checkout": ANA.id}


async def test_who_is_no_member_locks_nothing(counter):
    counter.world.people.outsiders.add(ANA.id)
    assert "you are a guest" in await counter.lock()
    assert await counter.owners() == {}


async def test_the_owner_takes_the_lock_off(counter):
    await counter.lock()
    assert "no longer locked" in await counter.ask(UnlockDeploys, service="checkout")
    assert await counter.owners() == {}
    assert "is not locked" in await counter.ask(UnlockDeploys, service="checkout")


async def test_whoever_is_neither_owner_nor_approver_takes_no_lock_off(counter):
    await counter.lock()
    told = await counter.ask(UnlockDeploys, by=BEN, service="checkout")
    assert f"Only <@{ANA.id}> or a member of `oncall`" in told
    assert await counter.owners() == {"checkout": ANA.id}


async def test_an_approver_takes_anybodys_lock_off_and_its_owner_and_the_log_are_told(counter, caplog):
    await counter.lock()
    await counter.ask(UnlockDeploys, by=CHI, service="checkout")
    assert await counter.owners() == {}
    told = {notice.user: notice.text for notice in counter.world.told.notices}
    assert told[ANA.id] == f"🔓 <@{CHI.id}> removed your lock on `checkout`."
    (broken,) = [record for record in caplog.records if record.msg == "deploy_lock_broken"]
    assert (broken.levelname, broken.owner, broken.by) == ("WARNING", ANA.id, CHI.id)


async def test_all_ones_locks_go_to_another_member_with_their_reason_and_end(counter):
    await counter.lock()
    await counter.lock(service="payments", key="k2")
    told = await counter.ask(HandOverLocks, to=BEN.id)
    assert told == f"🔒 <@{BEN.id}> now holds the lock on `checkout`, `payments`."
    assert await counter.owners() == {"checkout": BEN.id, "payments": BEN.id}
    assert any(notice.user == BEN.id and "handed you" in notice.text for notice in counter.world.told.notices)
    assert "You hold no lock" in await counter.ask(HandOverLocks, to=BEN.id)


async def test_no_lock_goes_to_a_guest(counter):
    await counter.lock()
    counter.world.people.outsiders.add(BEN.id)
    assert "only members can" in await counter.ask(HandOverLocks, to=BEN.id)
    assert await counter.owners() == {"checkout": ANA.id}


async def test_the_list_shows_what_is_locked_now_and_pings_nobody_by_a_reason(counter):
    assert await counter.listed() == "Nothing is locked."
    await counter.lock(reason="<!channel> look")
    assert await counter.listed() == (
        f"🔒 <@{ANA.id}> has locked `checkout` until 2026-03-04 05:00 UTC: &lt;!channel&gt; look."
    )
    counter.world.clock.forward(7200)
    assert await counter.listed() == "Nothing is locked."


async def test_why_not_tells_every_closed_gate_first_with_its_end_and_what_opens_it(counter):
    await counter.lock(service="payments")
    fires = {"fingerprint": "f", "name": "Errors", "service": "checkout", "severity": "page"}
    at = counter.world.clock.now()
    await counter.world.stores.alerts.report(
        Alert.model_validate({**fires, "status": "firing", "starts_at": at})
    )
    told = (await counter.ask(AskWhyNot, service="payments", version="1.4.2")).splitlines()
    assert told[0] == "*`payments` 1.4.2 cannot be deployed now*: 3 of 6 gates are closed."
    assert told[1].startswith(
        "🔴 *freeze*: The freeze `night` is in force (02:00 to 06:00, UTC): &lt;!channel&gt; sleeps."
    )
    assert "2026-03-04 06:00 (UTC)" in told[1]
    assert told[2].endswith("It can be waived in an emergency.")
    assert told[3] == "🔴 *lock*: Ana has locked `payments`: the fair. The lock expires in 2 h."
    assert told[4].endswith("It cannot be waived in an emergency.")
    assert told[5].startswith("🔴 *incident*: An incident is open at `checkout`")
    assert "press “Mark as over” on the alert's message" in told[6]
    assert told[7].startswith("🟢 *error_budget*")


@pytest.mark.parametrize(
    ("hidden", "is_open"),
    [
        ({"service": "checkout", "severity": "critical"}, False),
        ({"service": "", "severity": "page"}, False),  # nothing is known of whose they are
        ({"service": "checkout", "severity": "warning"}, True),
        ({"service": "elsewhere", "severity": "critical"}, True),
    ],
)
async def test_alerts_that_were_left_out_of_a_notification_close_the_gate_unless_they_cannot_matter(
    counter, hidden, is_open
):
    at = counter.world.clock.now()
    left_out = Alert(
        fingerprint="f",
        name="AlertsLeftOut",
        summary="37 of 38 alerts of the group a=b are not shown",
        status="firing",
        starts_at=at,
        left_out=37,
        **hidden,
    )
    await counter.world.stores.alerts.report(left_out)
    told = await counter.ask(AskWhyNot, service="checkout")
    assert ("🟠 *incident*" not in told) is is_open
    assert is_open or "37 of 38 alerts of the group a=b are not shown" in told


async def test_why_not_says_so_when_nothing_is_in_the_way(counter):
    told = await counter.ask(AskWhyNot, service="checkout")
    assert told.startswith("*You may deploy `checkout` now*: all 4 gates are open.")
    assert told.splitlines()[-2:] == [
        "⚪ *staging* and *checklist* apply to one version: `/deploy why checkout <version>`.",
        "👤 A member of `@oncall` must approve it; you are not one.",
    ]


async def test_why_not_says_to_an_approver_that_another_one_must_approve(counter):
    told = await counter.ask(AskWhyNot, by=CHI, service="checkout")
    assert told.endswith(
        "👤 Another member of `@oncall` must approve it: you cannot approve your own deployment."
    )


@pytest.mark.parametrize(
    ("who", "told"),
    [
        (ANA, "It is your own lock: `/deploy unlock checkout` removes it."),
        (BEN, "Ask Ana, or an approver of `checkout`, to remove the lock."),
        (CHI, "Ask Ana first. As an approver you can remove it: `/deploy unlock checkout`."),
    ],
)
async def test_why_not_says_of_a_lock_what_the_one_who_asks_can_do_about_it(counter, who, told):
    await counter.lock(by=ANA)
    answer = await counter.ask(AskWhyNot, by=who, service="checkout")
    assert "*lock*: Ana has locked `checkout`" in answer
    assert f"→ {told} It cannot be waived in an emergency." in answer


async def test_why_not_says_to_a_guest_who_may_read_that_only_members_deploy(counter):
    open_to_guests = Catalogue.model_validate({"services": [{"name": "checkout"}], "read": {"guests": True}})
    counter.world.people.outsiders.add(BEN.id)
    deps = replace(counter.desk._deps, catalogue=open_to_guests)
    counter.desk = IntentHandler(deps, directory=counter.world.people, notifier=counter.world.told)
    told = await counter.ask(AskWhyNot, by=BEN, service="checkout")
    assert told.startswith(
        "*You cannot deploy `checkout`*: you are a guest in this workspace. Ask a member of the workspace."
    )
    assert "must approve" not in told


async def test_a_gate_that_an_alert_keeps_closed_says_how_it_opens_and_links_to_its_message(counter):
    fires = {"fingerprint": "f", "name": "Errors", "service": "checkout", "severity": "page"}
    alert = Alert.model_validate({**fires, "status": "firing", "starts_at": counter.world.clock.now()})
    await counter.world.stores.alerts.report(alert)
    stores = counter.world.stores
    links = MemoryLinks()
    links.known[alert.id] = "https://chat.example/archives/C1/p1"
    keeper = StateGatekeeper(
        locks=stores.deploy_locks,
        checklists=stores.checklists,
        alerts=stores.alerts,
        journal=stores.journal,
        links=links,
    )
    deps = replace(counter.desk._deps, gatekeeper=keeper)
    counter.desk = IntentHandler(deps, directory=counter.world.people, notifier=counter.world.told)
    told = await counter.ask(AskWhyNot, service="payments")
    assert "`/triage checkout` finds the cause, `/rollback checkout` takes back the last release" in told
    assert "<https://chat.example/archives/C1/p1|Open the message>" in told
    with pytest.raises(GateClosedError) as refused:
        await gates.all(deps.context("r1", "gates", timeout_s=20), service="checkout", version="1")
    assert refused.value.hint.endswith("Or declare an emergency. https://chat.example/archives/C1/p1")


async def test_a_gate_that_cannot_be_asked_is_told_as_closed(counter, monkeypatch):
    async def away(self, services):
        raise OSError

    monkeypatch.setattr(StateGatekeeper, "troubles", away)
    told = await counter.ask(AskWhyNot, service="checkout")
    assert "1 of 4 gates is closed" in told
    assert (
        "🟠 *incident*: The gate could not be checked: gates.incident crashed: OSError.\n      → Try again"
        in told
    )
