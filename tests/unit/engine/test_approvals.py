"""Nothing happens before somebody else has agreed to exactly that."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.intent import CancelRun
from tests.support.worlds import ANA, BEN, BENCH, CHI
from tests.unit.engine.small_world import UNDO, act, book, fix


async def test_nothing_happens_before_somebody_else_approved(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    assert run.state == "waiting"
    assert (await world.go()).state == "waiting"
    assert BENCH.effects == []
    run = await world.vote(run, ANA)
    assert "you cannot approve it" in world.told.notices[-1].text
    assert BENCH.effects == []
    await world.vote(run, BEN, key="k2")
    run = await world.go()
    assert run.phases["fix"].outcome == "ok"
    assert len(BENCH.effects) == 1


@pytest.mark.parametrize(
    ("who", "prepare", "answer"),
    [
        (ANA, lambda w: None, "you cannot approve it"),
        (BEN, lambda w: w.people.groups["oncall"].discard(BEN.id), "Only members of @oncall"),
        (BEN, lambda w: w.people.outsiders.add(BEN.id), "you are a guest"),
        (BEN, lambda w: w.clock.forward(1801), "expired"),
    ],
)
async def test_a_click_that_may_not_count_is_answered_with_the_reason(world, who, prepare, answer):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    prepare(world)
    run = await world.vote(run, who)
    assert run.waiting_for is not None
    assert answer in world.told.notices[-1].text
    assert BENCH.effects == []


async def test_a_click_while_nobody_can_be_looked_up_counts_once_they_can(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    world.people.away = 2
    world.desk._patience_s = (0, 0)
    run = await world.vote(run, BEN)
    assert run.waiting_for is None
    assert world.told.notices == []


async def test_a_click_of_somebody_who_cannot_be_looked_up_for_long_is_refused_and_told(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    world.people.away = 9
    world.desk._patience_s = (0, 0)
    run = await world.vote(run, BEN)
    assert run.waiting_for is not None
    assert "cannot be asked" in world.told.notices[-1].text


async def test_two_people_at_the_same_instant_make_one_decision_and_the_other_is_told(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await asyncio.gather(world.vote(run, BEN, key="k1"), world.vote(run, CHI, key="k2"))
    run = await world.go()
    assert len(run.approvals["".join(run.approvals)].approved_by) == 1
    assert [n for n in world.told.notices if "already approved" in n.text]
    assert len(BENCH.effects) == 1


async def test_the_same_click_delivered_twice_is_one_vote_of_two(world):
    run = await world.begin(book(fix(act("a", undo=UNDO), approval={"quorum": 2})))
    for _ in range(2):
        run = await world.vote(run, BEN, key="same")
    assert run.state == "waiting"
    assert len(run.waiting_for.approved_by) == 1
    await world.vote(run, CHI, key="other")
    assert (await world.go()).phases["fix"].outcome == "ok"


async def test_a_rejection_ends_the_run_and_changes_nothing(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN, verdict="reject")
    run = await world.go()
    assert (run.outcome, BENCH.effects) == ("rejected", [])


async def test_an_approval_that_nobody_gave_expires(world):
    await world.begin(book(fix(act("a", undo=UNDO))))
    world.clock.forward(1801)
    assert await world.store.pump(now=world.clock.now()) == 1
    run = await world.go()
    assert (run.outcome, BENCH.effects) == ("expired", [])


async def test_those_who_may_decide_are_reminded_once_at_half_time(world):
    await world.begin(book(fix(act("a", undo=UNDO))))
    world.clock.forward(900)
    assert await world.store.pump(now=world.clock.now()) == 1
    run = await world.go()
    assert run.waiting_for.reminded_at == world.clock.now()
    assert await world.go() == run  # told once, however often it is looked at
    world.clock.forward(899)
    assert await world.store.pump(now=world.clock.now()) == 0
    world.clock.forward(2)
    assert await world.store.pump(now=world.clock.now()) == 1
    assert (await world.go()).outcome == "expired"


async def test_a_plan_approved_before_the_code_changed_is_still_the_plan_that_was_approved(
    world, monkeypatch
):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    monkeypatch.setattr("bot.domain.runs.plan.json.dumps", lambda *_a, **_k: "what newer code would say")
    await world.vote(run, BEN)
    assert (await world.go()).phases["fix"].outcome == "ok"


async def test_a_cancelled_run_ends_without_doing_more(world):
    await world.begin(book(fix(act("a", undo=UNDO))))
    await world.desk.handle(CancelRun(key="c", at=world.clock.now(), run_id="r1", by=BEN, channel="C1"))
    run = await world.go()
    assert (run.outcome, run.waiting_for, BENCH.effects) == ("cancelled", None, [])


async def test_a_step_with_a_gate_of_its_own_waits_for_it(world):
    run = await world.begin(book(fix(act("a", undo=UNDO), act("b", undo=UNDO, approval={}))))
    await world.vote(run, BEN)
    run = await world.go()
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a"]
    assert run.waiting_for.step == "b"
    await world.vote(run, BEN, verdict="reject", key="k2")
    run = await world.go()
    assert run.outcome == "rejected"
    assert [effect.partition(":")[0] for effect in BENCH.effects] == ["a", "undo-a"]


async def test_the_plan_that_was_shown_is_the_plan_that_is_carried_out(world):
    plan = {"kind": "plan", "id": "card", "of": "fix"}
    run = await world.begin(book(plan, fix(act("a", undo=UNDO))))
    assert run.waiting_for.plan_hash == run.phases["card"].plan.digest
    await world.vote(run, BEN)
    assert (await world.go()).phases["fix"].outcome == "ok"


async def test_a_second_account_of_the_requester_cannot_approve(world):
    world.people.emails = {ANA.id: "ana.costa@example.com", BEN.id: " Ana.Costa+oncall@Example.com"}
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    run = await world.vote(run, BEN)
    assert run.waiting_for is not None
    assert "you cannot approve it" in world.told.notices[-1].text
    await world.vote(run, CHI, key="k2")
    assert (await world.go()).phases["fix"].outcome == "ok"


async def test_two_accounts_of_one_person_are_one_of_two_approvals(world):
    world.people.emails = {BEN.id: "ben@example.com", CHI.id: "BEN@example.com"}
    run = await world.begin(book(fix(act("a", undo=UNDO), approval={"quorum": 2})))
    await world.vote(run, BEN)
    run = await world.vote(run, CHI, key="k2")
    assert len(run.waiting_for.approved_by) == 1
    assert "already approved" in world.told.notices[-1].text


async def test_accounts_without_an_address_are_different_people(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    assert (await world.go()).phases["fix"].outcome == "ok"


@pytest.mark.parametrize(
    ("meanwhile", "why"),
    [
        (lambda w: w.people.groups["oncall"].discard(BEN.id), "is no longer in @oncall"),
        (
            lambda w: w.people.standings.update({BEN.id: "deactivated"}),
            "who approved it, is no longer a member (deactivated)",
        ),
        (lambda w: w.people.outsiders.add(BEN.id), "who approved it, is no longer a member (guest)"),
        (
            lambda w: w.people.standings.update({ANA.id: "deactivated"}),
            "who requested it, is no longer a member",
        ),
    ],
)
async def test_who_may_no_longer_approve_or_ask_when_it_is_carried_out_stops_it(world, meanwhile, why):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    meanwhile(world)
    run = await world.go()
    assert (run.phases["fix"].outcome, BENCH.effects) == ("failed", [])
    assert why in run.phases["fix"].why


async def test_where_people_cannot_be_looked_up_it_waits_and_goes_on_by_itself(world):
    run = await world.begin(book(fix(act("a", undo=UNDO))))
    await world.vote(run, BEN)
    world.people.away = 1
    run = await world.go()
    assert (run.phases["fix"].outcome, BENCH.effects) == (None, [])
    world.clock.forward(5)
    assert (await world.go()).phases["fix"].outcome == "ok"


async def test_what_has_begun_is_not_stopped_halfway_because_of_who_approved_it(world):
    BENCH.down.add("b")
    run = await world.begin(book(fix(act("a", undo=UNDO), act("b", undo=UNDO))))
    await world.vote(run, BEN)
    run = await world.go()
    assert run.phases["fix"].outcome == "failed"
    assert "approved it" not in run.phases["fix"].why
