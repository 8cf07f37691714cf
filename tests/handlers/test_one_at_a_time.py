"""Two people who ask for the same at once get one thread, and the second one the way to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.handlers.fronts import ONCALL
from tests.handlers.office import Office, open_office
from tests.support.waiting import until
from tests.support.worlds import BENCH
from tests.unit.engine.small_world import act, book, fix, step

SERVICE = {"service": {"type": "service", "required": True}}
TRIAGE = book(
    {"kind": "explore", "id": "look", "steps": [step("hangs", timeout_s=60)]},
    {"kind": "reduce", "id": "cause", "reducer": "rank_causes", "over": ["look"]},
    name="triage",
    params=SERVICE,
)
ROLLBACK = book(
    {"kind": "plan", "id": "plan", "of": "fix", "summary": "Roll checkout back"},
    fix(act("back", no_undo="It is a rollback.")),
    name="rollback",
    params=SERVICE,
)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with open_office(runbooks=(TRIAGE, ROLLBACK)) as made:
        yield made
        BENCH.hang.set()


async def private(office: Office, person: str, text: str) -> str:
    """Return what one person alone is told in the channel, now or soon."""

    async def heard() -> str:
        seen = await office.people.messages(ONCALL, user=person)
        return next((one.text for one in seen if one.is_ephemeral and text in one.text), "")

    return await until(heard, what=f"{text!r} for {person} alone")


async def test_of_two_who_type_at_the_same_instant_one_starts_a_triage_and_the_other_is_led_there(
    office: Office,
):
    people = ("ana", "ben")
    await asyncio.gather(
        *(office.people.slash("/triage checkout", user=one, channel="checkout-oncall") for one in people)
    )
    root = await office.said("Triage checkout")
    (run_id,) = await office.store.recent()
    second = "ben" if (await office.run(run_id)).requested_by.name == "ana" else "ana"
    await private(office, second, "already triaging `checkout`")
    # The thread may have been posted only after that answer; from then on the answer has its address.
    await office.people.slash("/triage checkout", user="dev", channel="checkout-oncall")
    assert root.ts in await private(office, "dev", "open the thread")
    assert await office.store.recent() == (run_id,)


async def test_a_second_rollback_is_led_to_the_plan_that_waits(office: Office):
    await office.people.slash("/rollback checkout", user="ana", channel="checkout-oncall")
    await office.said("Approval needed")
    (run_id,) = await office.store.recent()
    await office.people.slash("/rollback checkout", user="ben", channel="checkout-oncall")
    told = await private(office, "ben", "Not started")
    assert "a plan for `checkout` by ana already waits for approval (“Roll checkout back”)" in told
    assert "Decide that one first, or cancel it in its thread." in told
    assert await office.store.recent() == (run_id,)
