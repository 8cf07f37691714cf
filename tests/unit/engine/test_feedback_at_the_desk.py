"""A word on a diagnosis counts once and is shown; it is taken from members, and only on a diagnosis."""

from __future__ import annotations

from datetime import timedelta

from bot.domain.board import Topic
from bot.domain.diagnoses.feedback import Feedback
from bot.domain.intent import RateDiagnosis
from bot.services.feedback import said_by
from tests.support.worlds import ANA, BEN, START
from tests.unit.engine.small_world import book, step

TRIAGE = book(
    {"kind": "fan_out", "id": "evidence", "steps": [step("a")]},
    {"kind": "reduce", "id": "diagnosis", "reducer": "rank_causes", "over": ["evidence"]},
)


def rates(opinion="right", *, by=BEN, key="k1", after_s=5.0, run_id="r1", **more):
    at = START + timedelta(seconds=after_s)
    return RateDiagnosis(
        key=key, at=at, run_id=run_id, opinion=opinion, by=by, channel="C0CHECKOUT", thread="1.2", **more
    )


async def test_a_word_is_kept_with_what_was_said_and_its_run_is_shown_anew(world):
    run = await world.begin(TRIAGE)
    (hold,) = await world.store.board.claim(limit=9, lease_s=9)
    await world.store.board.release(hold)
    await world.desk.handle(rates())
    assert await world.stores.feedback.of("r1") == (
        Feedback(by=BEN, at=START + timedelta(seconds=5), opinion="right"),
    )
    (rated,) = await world.stores.feedback.between(START, START + timedelta(days=1))
    assert rated.said == said_by(run)
    assert (rated.said.verdict, rated.said.confidence, rated.said.service) == ("cause_found", 0.9, "checkout")
    assert [hold.topic for hold in await world.store.board.claim(limit=9, lease_s=9)] == [
        Topic(kind="run", id="r1")
    ]
    assert world.told.notices == []


async def test_only_the_latest_word_of_a_person_counts_also_when_it_is_handled_first(world):
    await world.begin(TRIAGE)
    for intent in (rates("wrong", after_s=9, key="k2"), rates("right", after_s=5), rates("right", by=ANA)):
        await world.desk.handle(intent)
    assert [(word.by, word.opinion) for word in await world.stores.feedback.of("r1")] == [
        (ANA, "right"),
        (BEN, "wrong"),
    ]


async def test_a_guest_is_told_that_their_word_does_not_count(world):
    await world.begin(TRIAGE)
    world.people.outsiders.add(BEN.id)
    await world.desk.handle(rates())
    assert await world.stores.feedback.of("r1") == ()
    (notice,) = world.told.notices
    assert (notice.user, notice.thread) == (BEN.id, "1.2")
    assert "you are a guest" in notice.text


async def test_where_there_is_no_diagnosis_there_is_nothing_to_judge(world):
    await world.begin(book({"kind": "explore", "id": "g", "steps": [step("a")]}))
    await world.desk.handle(rates())
    assert "There is no diagnosis here." in world.told.notices[0].text


async def test_nothing_found_has_no_confidence_to_be_held_to(world):
    reduce = {
        "kind": "reduce",
        "id": "diagnosis",
        "reducer": "rank_causes",
        "over": ["evidence"],
        "with": {"verdict": "unclear"},
    }
    run = await world.begin(
        book({"kind": "fan_out", "id": "evidence", "steps": [step("a")]}, reduce), run_id="r1"
    )
    assert (said_by(run).verdict, said_by(run).confidence) == ("unclear", None)
