"""A version is deployed once it has proved itself in staging and its checklist is done or waived by others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.domain.deployments.checklist import ItemMark
from bot.domain.diagnoses.change import Change
from bot.domain.errors import GateClosedError
from bot.probes import gates
from tests.plugins.probes.gate_worlds import TRIAGE, TUESDAY, State, all_plugins, clock
from tests.support.worlds import ANA, BEN, BENCH, started


def serving(version: str, *, at: datetime = TUESDAY, kind="deploy", service="checkout@staging") -> Change:
    data = {"version": version, "serves": version}
    return Change(id=f"{version}{at}", at=at, kind=kind, service=service, summary=version, data=data)


STAGED = {
    "name": "checkout",
    "environments": {"staging": {}},
    "gates": {"staging_first": "staging", "soak": "30m"},
}


async def test_a_version_that_has_not_been_to_staging_is_told_how_to_get_there(context):
    ctx = context(STAGED, clock=clock(TUESDAY), changes=[serving("1.4.2", service="checkout")])
    data = (await gates.staging(ctx, service="checkout", version="1.4.2")).data
    assert (data["verdict"], data["code"], data["waivable"]) == ("reject", "not_in_staging", True)
    assert data["why"] == "1.4.2 has not served at checkout@staging yet."
    assert data["way_out"] == "Deploy it there: `/deploy canary checkout 1.4.2 staging`."
    asking = replace(ctx, gatekeeper=State(context).ctx.gatekeeper, plugins=all_plugins())
    with pytest.raises(GateClosedError) as refused:
        await gates.all(asking, service="checkout", version="1.4.2")
    assert refused.value.code == "not_in_staging"


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ({"haproxy": {"socket": "s"}}, "/deploy canary checkout 1.4.2 staging"),
        ({"git": {"file": "f"}, "flags": {"flag": "x"}}, "/deploy gitops checkout 1.4.2 staging"),
    ],
)
async def test_the_way_to_staging_is_the_strategy_that_its_target_there_takes(context, target, command):
    service = {**STAGED, "environments": {"staging": {"target": target}}}
    ctx = context(service, clock=clock(TUESDAY))
    data = (await gates.staging(ctx, service="checkout", version="1.4.2")).data
    assert data["way_out"] == f"Deploy it there: `{command}`."


async def test_a_version_that_served_in_staging_for_long_enough_may_pass_and_no_other(context):
    later = clock(TUESDAY + timedelta(minutes=30))
    ctx = context(STAGED, clock=later, changes=[serving("1.4.2")])
    data = (await gates.staging(ctx, service="checkout", version="1.4.2")).data
    assert (data["verdict"], data["until"]) == ("proceed", None)
    assert (await gates.staging(ctx, service="checkout", version="1.4")).data["code"] == "not_in_staging"


async def test_an_environment_is_not_asked_to_be_deployed_to_elsewhere_first(context):
    ctx = context(STAGED, clock=clock(TUESDAY))
    found = await gates.staging(ctx, service="checkout@staging", version="1.4.2")
    assert found.data["code"] == "not_applicable"


async def test_a_version_is_asked_for_where_none_is_named(context):
    found = await gates.staging(context(STAGED, clock=clock(TUESDAY)), service="checkout", version="")
    assert found.data["code"] == "staging_unknown"


LISTED = {
    "name": "checkout",
    "environments": {"staging": {}},
    "gates": {
        "checklist": {
            "tests": {
                "probe": "worlds.read",
                "with": {"name": "tests of {{ version }}"},
                "expect": "result.data.name == 'tests of ' ~ version",
            },
            "coverage": {"title": "Few errors", "probe": "worlds.measure", "expect": "result.value < 5"},
            "team_told": {},
        }
    },
}


def mark(item: str, *, by=BEN, kind="tick", text="") -> ItemMark:
    return ItemMark(item=item, kind=kind, by=by, at=TUESDAY, text=text)


async def test_a_checklist_is_open_when_its_probes_and_people_have_said_so_of_that_very_version(
    context, monkeypatch
):
    state = State(context, TUESDAY, LISTED)
    monkeypatch.setattr(BENCH, "value", 1.0)
    assert (await state.closed())[0] == "checklist_team_told"
    await state.checklists.mark("checkout", "1.4.2", mark("team_told"))
    assert (await state.all()).data["waived"] == []
    facts = await gates.checklist(state.ctx, service="checkout", version="1.4.2")
    assert [item["status"] for item in facts.data["items"]] == ["done", "done", "done"]
    other = await gates.checklist(state.ctx, service="checkout", version="1.4.3")
    assert other.data["code"] == "checklist_team_told"


async def test_an_item_that_is_not_so_or_cannot_be_told_closes_the_checklist(context, monkeypatch):
    state = State(context, TUESDAY, LISTED)
    await state.checklists.mark("checkout", "1.4.2", mark("team_told"))
    monkeypatch.setattr(BENCH, "value", 9.0)
    facts = await gates.checklist(state.ctx, service="checkout", version="1.4.2")
    assert (facts.data["verdict"], facts.data["code"]) == ("reject", "checklist_coverage")
    assert "Few errors is failed: 9 errors." in facts.summary
    monkeypatch.setattr(BENCH, "down", {"value"})
    facts = await gates.checklist(state.ctx, service="checkout", version="1.4.2")
    assert (facts.data["verdict"], facts.data["code"]) == ("unknown", "checklist_coverage")


async def test_a_waived_item_opens_the_gate_loudly_but_not_for_whoever_waived_it(context, monkeypatch):
    state = State(context, TUESDAY, LISTED)
    monkeypatch.setattr(BENCH, "value", 1.0)
    deploy = TRIAGE.model_copy(update={"name": "deploy-canary"})
    await state.store.start("run", started(deploy, at=TUESDAY))  # the context's own run, which Ana asked for
    waiver = mark("team_told", by=ANA, kind="waiver", text="They sleep")
    await state.checklists.mark("checkout", "1.4.2", waiver)
    code, why, hint = await state.closed()
    assert code == "checklist_team_told"
    assert "waived only by the person who asks for the deployment" in why
    assert "`/deploy waive checkout 1.4.2 team_told <reason>`" in hint
    await state.checklists.mark("checkout", "1.4.2", waiver.but(by=BEN))
    facts = await state.all()
    assert facts.data["waived"] == ["checklist"]
    assert "WAIVED (team_told by Ben, for others' deployments: They sleep)" in facts.summary


async def test_an_emergency_opens_a_checklist_and_an_environment_has_none(context, monkeypatch):
    state = State(context, TUESDAY, LISTED)
    monkeypatch.setattr(BENCH, "value", 9.0)
    assert (await state.all(emergency="payments are lost")).data["waived"] == ["checklist"]
    found = await gates.checklist(state.ctx, service="checkout@staging", version="1.4.2")
    assert found.data["code"] == "not_applicable"
    nameless = await gates.checklist(state.ctx, service="checkout", version="")
    assert nameless.data["code"] == "checklist_unknown"
