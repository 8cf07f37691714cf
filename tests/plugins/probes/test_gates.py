"""The gates say whether a service may be deployed now, and not to know is not to proceed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.deployments.deploy_lock import DeployLock
from bot.domain.errors import UnknownServiceError
from bot.domain.runs.event import RunFinished
from bot.probes import gates
from tests.plugins.probes.gate_worlds import (
    SATURDAY,
    SHOP,
    TRIAGE,
    TUESDAY,
    WEEKEND,
    State,
    clock,
)
from tests.support.servers import answering, http_server
from tests.support.worlds import ANA, started


async def test_a_freeze_rejects_with_its_rule_its_reason_and_its_end(context):
    ctx = context({"name": "checkout", "freezes": [WEEKEND]}, clock=clock(SATURDAY))
    facts = await gates.freeze(ctx, service="checkout", version="1.4.2")
    assert {
        key: facts.data[key] for key in ("gate", "verdict", "code", "until", "waivable", "waived_by")
    } == {
        "gate": "freeze",
        "verdict": "reject",
        "code": "frozen",
        "until": "2026-11-30T07:00:00Z",
        "waivable": True,
        "waived_by": "",
    }
    assert facts.summary == (
        "The freeze `weekend` is in force (fri 16:00 to mon 08:00, Europe/Berlin): Few people are around."
        " It ends Mon 2026-11-30 08:00 (Europe/Berlin)."
    )


async def test_outside_of_its_windows_a_service_may_be_deployed(context):
    ctx = context({"name": "checkout", "freezes": [WEEKEND]}, clock=clock(TUESDAY))
    assert (await gates.freeze(ctx, service="checkout")).data["verdict"] == "proceed"


async def test_a_freeze_that_no_emergency_opens_says_so(context):
    entry = {"name": "checkout", "freezes": [WEEKEND], "gates": {"waivable": []}}
    facts = await gates.freeze(context(entry, clock=clock(SATURDAY)), service="checkout")
    assert facts.data["waivable"] is False


async def test_a_service_that_is_not_there_is_no_open_gate(context):
    with pytest.raises(UnknownServiceError):
        await gates.freeze(context(), service="nowhere")


@pytest.fixture
def state(context):
    return State(context)


async def test_an_alert_freezes_its_service_and_all_that_stand_on_it_and_nothing_else(state):
    await state.fires("bank", "Page")
    verdicts = {service["name"]: (await state.incident(service["name"]))[0] for service in SHOP}
    assert verdicts == {"checkout": "reject", "payments": "reject", "bank": "reject", "search": "proceed"}
    assert await state.incident("checkout") == (
        "reject",
        "incident_open",
        "An incident is open at `bank`, which it depends on: Errors fires, since 2026-11-24 12:00 UTC.",
    )


async def test_what_is_not_grave_or_over_freezes_nothing(state):
    await state.fires("bank", "warning")
    await state.fires("payments")
    await state.fires("payments", status="resolved")
    assert (await state.incident("checkout"))[0] == "proceed"


async def test_a_silenced_alert_is_still_an_incident(state):
    await state.fires("checkout")
    await state.alerts.silence("checkout", by=ANA, until=TUESDAY + timedelta(hours=1))
    assert (await state.incident("checkout"))[0] == "reject"


async def test_a_triage_under_way_freezes_until_it_has_ended(state):
    await state.store.start("r1", started(TRIAGE, at=TUESDAY))
    assert await state.incident("checkout") == (
        "reject",
        "incident_open",
        "An incident is open here: Ana is working on it, since 2026-11-24 12:00 UTC.",
    )
    assert (await state.incident("payments"))[0] == "proceed"
    taken = await state.store.take("r1")
    ended = RunFinished(at=TUESDAY, outcome="done", summary="")
    await state.store.finish("r1", (ended,), epoch=taken.epoch)
    assert (await state.incident("checkout"))[0] == "proceed"


async def test_a_triage_freezes_however_many_runs_began_after_it(state):
    await state.store.start("r1", started(TRIAGE, at=TUESDAY))
    for number in range(250):
        await state.store.start(f"later{number}", started(TRIAGE, at=TUESDAY, service="search"))
    assert (await state.incident("checkout"))[0] == "reject"


async def test_a_lock_rejects_with_its_owner_its_reason_and_its_end_and_then_is_gone(state):
    until = TUESDAY + timedelta(hours=2)
    await state.locks.lock(DeployLock(service="checkout", by=ANA, reason="A fair.", at=TUESDAY, until=until))
    data = (await gates.lock(state.ctx, service="checkout")).data
    assert (data["code"], data["until"], data["waivable"]) == ("locked", "2026-11-24T14:00:00Z", False)
    assert data["why"] == "Ana has locked `checkout`: A fair. The lock expires in 2 h."
    state.clock.forward(7200)
    assert (await gates.lock(state.ctx, service="checkout")).data["verdict"] == "proceed"


async def budget(context, share: str | None, **entry) -> dict:
    """Ask for the error budget where Prometheus says that this share of all requests failed."""
    result = [] if share is None else [{"metric": {}, "value": [0, share]}]
    answer = answering({"status": "success", "data": {"result": result}})
    async with http_server({"/api/v1/query": answer}) as url:
        slo = {"name": "availability", "objective": 0.99, "error_ratio": "errors[$window]"}
        service = {"name": "checkout", "slos": [slo], "sources": {"prometheus": {"url": url}}, **entry}
        return (await gates.error_budget(context(service), service="checkout")).data


@pytest.mark.parametrize(
    ("share", "verdict", "code"),
    [
        ("0.009", "proceed", "open"),
        ("0.01", "reject", "budget_spent"),
        ("0.02", "reject", "budget_spent"),
        ("NaN", "unknown", "error_budget_unknown"),
        (None, "unknown", "error_budget_unknown"),
    ],
)
async def test_an_error_budget_is_open_only_while_some_is_known_to_be_left(context, share, verdict, code):
    found = await budget(context, share)
    assert (found["verdict"], found["code"]) == (verdict, code)


async def test_a_service_that_promises_nothing_is_asked_for_no_budget(context):
    assert (await budget(context, "0.5", slos=[]))["code"] == "not_applicable"
    assert (await budget(context, "0.5", gates={"error_budget": False}))["code"] == "not_applicable"


async def test_all_gates_open_are_told_one_by_one(state):
    facts = await state.all()
    assert [(gate["gate"], gate["verdict"]) for gate in facts.data["gates"]] == [
        ("freeze", "proceed"),
        ("lock", "proceed"),
        ("incident", "proceed"),
        ("error_budget", "proceed"),
        ("staging", "proceed"),
        ("checklist", "proceed"),
    ]
    assert facts.data["waived"] == []


async def test_the_first_closed_gate_is_the_error_with_its_way_out(context):
    state = State(context, SATURDAY)
    await state.fires("checkout")
    code, why, hint = await state.closed()
    assert code == "frozen"
    assert "Few people are around" in why
    assert "declare an emergency" in hint


async def test_an_emergency_opens_what_may_be_waived_and_says_so_loudly(context):
    state = State(context, SATURDAY)
    await state.fires("payments")
    facts = await state.all(emergency="payments are lost")
    assert facts.data["waived"] == ["freeze", "incident"]
    waived = {gate["gate"]: (gate["verdict"], gate["waived_by"]) for gate in facts.data["gates"]}
    assert waived["freeze"] == ("reject", "emergency: payments are lost")
    assert waived["lock"] == ("proceed", "")
    assert facts.summary.count("WAIVED (emergency: payments are lost)") == 2


@pytest.mark.parametrize("emergency", ["", "   "])
async def test_an_emergency_without_a_reason_is_none(context, emergency):
    assert (await State(context, SATURDAY).closed(emergency=emergency))[0] == "frozen"


async def test_no_emergency_opens_a_persons_lock_or_what_the_service_does_not_let_be_waived(context):
    state = State(context)
    until = TUESDAY + timedelta(hours=2)
    await state.locks.lock(DeployLock(service="checkout", by=ANA, reason="fair", at=TUESDAY, until=until))
    assert (await state.closed(emergency="all is lost"))[0] == "locked"
    strict = {**SHOP[3], "name": "checkout", "freezes": [WEEKEND], "gates": {"waivable": ["incident"]}}
    assert (await State(context, SATURDAY, strict).closed(emergency="all is lost"))[0] == "frozen"
