"""The Home tab shows the runs, and the decisions that wait for the viewer."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from bot.domain.monitoring.alert import Alert
from bot.domain.monitoring.monitor import MonitorState
from bot.domain.monitoring.watching import Episode, MonitorHistory
from bot.domain.people import Person
from bot.domain.runs.approval import Approval
from bot.domain.runs.event import ApprovalRequested, Origin, RunStarted
from bot.domain.runs.runbook import ApprovalPolicy
from tests.handlers.desks import TRIAGE
from tests.handlers.fronts import ANA, BEN, ONCALL, Front
from tests.support.waiting import until

NOW = datetime.now(UTC)  # noqa: TID251  # the gate must not be long over


async def _home(front: Front, *, user: str) -> str:
    await front.people.open_home(user=user)
    view = await until(lambda: front.people.home(user=user), what="a Home tab")
    return json.dumps(view["blocks"])


async def _waiting_run(front: Front) -> None:
    origin = Origin(kind="command", channel=ONCALL)
    event = RunStarted(
        at=NOW, runbook=TRIAGE, params={"service": "checkout"}, requested_by=Person(id=ANA), origin=origin
    )
    await front.store.start("r1", event)
    taken = await front.store.take("r1")
    assert taken is not None
    gate = Approval(
        id="r1.gate",
        phase="ground",
        plan_hash="h",
        policy=ApprovalPolicy(),
        groups=("oncall",),
        requested_by=Person(id=ANA),
        requested_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )
    await front.store.append("r1", [ApprovalRequested(at=NOW, approval=gate)], epoch=taken.epoch)


async def test_a_newcomer_sees_how_to_begin(front: Front):
    shown = await _home(front, user="ana")
    assert "All quiet" in shown
    assert "/triage checkout" in shown


async def test_a_run_waits_for_those_who_may_decide_it(front: Front):
    await _waiting_run(front)
    assert "Waiting for you" in await _home(front, user="ben")


async def test_a_run_does_not_wait_for_its_requester_or_for_people_outside_the_group(front: Front):
    await _waiting_run(front)
    assert "Waiting for you" not in await _home(front, user="ana")
    assert "Waiting for you" not in await _home(front, user="dev")


async def test_the_tab_is_shown_although_groups_cannot_be_looked_up(front: Front):
    await _waiting_run(front)
    async with front.people.faulty(fail={"usergroups.list": "internal_error"}):
        shown = await _home(front, user="ben")
    assert "Triage checkout" in shown


async def test_what_fires_and_how_the_monitors_are_is_shown(front: Front):
    alert = Alert(fingerprint="fp", name="Slow", service="payments", status="firing", starts_at=NOW)
    await front.stores.alerts.report(alert)
    await front.stores.alerts.acknowledge(alert.id, by=Person(id=BEN), at=NOW)
    watched = MonitorHistory(slot_s=NOW.timestamp(), ok=False, episode=Episode(began_s=NOW.timestamp()))
    await front.stores.monitors.keep(
        "checkout/errors", MonitorState(watched=watched, value="9 errors", seen_at=NOW)
    )
    shown = await _home(front, user="ana")
    assert "payments: Slow" in shown
    assert f"acknowledged by <@{BEN}>" in shown
    assert "1 firing" in shown
    assert "`checkout/errors`: firing \\u00b7 9 errors" in shown
