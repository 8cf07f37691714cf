"""When a deployment begins is estimated from how long others like it had their turn, or said not to be known."""

from __future__ import annotations

import pytest

from bot.domain.deployments.queueing import QueueEntry, expect
from tests.support.worlds import ANA


def turn(strategy: str = "canary", *, since_s: float | None = None, holds: bool = False, asks: bool = False):
    return QueueEntry(
        run_id="r", by=ANA, strategy=strategy, version="1", holds=holds, since_s=since_s, asks=asks
    )


STAYS = {"canary": [60.0, 100.0, 600.0], "rolling": [30.0]}


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ([turn()], [0]),
        ([turn(since_s=0, holds=True), turn(), turn("rolling"), turn()], [0, 100, 200, 230]),
        ([turn(since_s=80, holds=True), turn()], [0, 270]),
        ([turn(since_s=400, holds=True), turn()], [0, 200]),
        ([turn(since_s=601, holds=True), turn(), turn()], [0, None, None]),
        ([turn(since_s=1, holds=True, asks=True), turn()], [0, None]),
        ([turn(holds=True), turn()], [0, 100]),
        ([turn(since_s=0, holds=True), turn("flag"), turn()], [0, 100, None]),
        ([turn("flag", since_s=0, holds=True), turn()], [0, None]),
    ],
    ids=["alone", "medians add up", "of those that lasted longer", "the longest is left", "longer than any",
         "it waits for a person", "its turn has just come", "no history of the second", "no history at all"],
)  # fmt: skip
def test_each_begins_when_all_before_it_are_likely_to_have_ended(line, begins):
    assert [place.begins_in_s for place in expect(line, STAYS)] == begins
