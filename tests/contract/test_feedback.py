"""What people say of diagnoses is kept alike by the memory twin, a real Valkey and a cluster."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.feedback import DiagnosisSummary, Feedback, RatedDiagnosis
from tests.support.worlds import ANA, BEN, CHI, START

SAID = DiagnosisSummary(run_id="r1", at=START, service="checkout", verdict="cause_found", confidence=0.92)


def word(by, opinion, after_s=60.0, **more):
    return Feedback(by=by, at=START + timedelta(seconds=after_s), opinion=opinion, **more)


async def test_the_latest_word_of_each_person_is_kept_in_whatever_order_it_comes(ports):
    book = ports.feedback
    assert await book.of("r1") == ()
    other = word(ANA, "other", 90, cause=CauseKind.SATURATION, service="payments", text="CPU, `top` said")
    assert await book.rate(SAID, word(ANA, "right", 60))
    assert await book.rate(SAID, word(BEN, "wrong", 70))
    assert await book.rate(SAID, other)
    assert not await book.rate(SAID, word(ANA, "wrong", 80))  # delivered late
    assert await book.rate(SAID, other)  # delivered again
    assert await book.of("r1") == (word(BEN, "wrong", 70), other)


async def test_many_who_speak_at_once_are_all_heard(ports):
    words = [word(person, "right") for person in (ANA, BEN, CHI)]
    await asyncio.gather(*(ports.feedback.rate(SAID, one) for one in words))
    assert {one.by for one in await ports.feedback.of("r1")} == {ANA, BEN, CHI}


async def test_diagnoses_are_listed_by_when_they_were_made_and_not_by_when_they_were_spoken_about(ports):
    days = [
        SAID.model_copy(update={"run_id": f"r{n}", "at": START + timedelta(days=n)}) for n in (2, 0, 1, 3)
    ]
    for said in days:
        await ports.feedback.rate(said, word(ANA, "right", 999_999))
    start = START + timedelta(days=1)
    listed = await ports.feedback.between(start, start + timedelta(days=2))
    assert [rated.said.run_id for rated in listed] == ["r1", "r2"]
    assert listed[0] == RatedDiagnosis(said=days[2], feedback=(word(ANA, "right", 999_999),))
    assert await ports.feedback.between(START - timedelta(days=9), START) == ()
