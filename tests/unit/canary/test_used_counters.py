"""What ran before a canary is charged to neither side: only what was counted since its first look counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.canary.counts import judge_counts
from bot.canary.sequential import fold, increase
from bot.domain.rollouts.judging import CountMetric, CountsLook, RequestTally
from bot.domain.rollouts.verdict import MetricOutcome

FRESH = ((0, 0), (0, 0))
BAD_BEFORE = ((8062, 2262), (18_800, 2503))
GOOD_BEFORE = ((500_000, 0), (0, 0))
USED_STABLE = ((0, 0), (900_000, 300_000))
USED = [FRESH, BAD_BEFORE, GOOD_BEFORE, USED_STABLE]


def tally(requests, errors):
    return RequestTally(requests=requests, errors=errors)


def looks_of(counts, used=FRESH, *, weight=0.1):
    """Turn pairs of sides, a look a minute, into looks at counters that held ``used`` before."""
    return tuple(
        CountsLook(
            at_s=60 * minute,
            weight=weight,
            canary=tally(*(a + b for a, b in zip(canary, used[0], strict=True))),
            stable=tally(*(a + b for a, b in zip(stable, used[1], strict=True))),
        )
        for minute, (canary, stable) in enumerate(counts)
    )


def judged(looks):
    return judge_counts(CountMetric(name="errors", critical=True, looks=looks))


@pytest.mark.parametrize("used", USED)
def test_one_look_is_the_baseline_and_decides_nothing(used):
    found = judged(looks_of([FRESH], used))
    assert (found.outcome, found.reason) == (MetricOutcome.INCONCLUSIVE, "baseline_only")


@pytest.mark.parametrize("used", USED)
@pytest.mark.parametrize(
    ("then", "outcome"),
    [
        (((6000, 0), (54_000, 0)), MetricOutcome.PASS),
        (((10_000, 50), (90_000, 450)), MetricOutcome.PASS),
        (((40, 12), (360, 0)), MetricOutcome.FAIL),
        (((300, 0), (2700, 0)), MetricOutcome.INCONCLUSIVE),
        (FRESH, MetricOutcome.NO_DATA),
    ],
)
def test_a_release_is_judged_alike_whatever_its_slots_counted_before(used, then, outcome):
    found = judged(looks_of([FRESH, then], used))
    assert found.outcome is outcome
    assert found == judged(looks_of([FRESH, then]))


@st.composite
def _histories(draw):
    """Pairs of sides whose counters only rise."""
    sides = [[0, 0], [0, 0]]
    found = []
    for _ in range(draw(st.integers(1, 8))):
        found.append(tuple(tuple(side) for side in sides))
        for side in sides:
            came = draw(st.integers(0, 2000))
            side[0] += came
            side[1] += draw(st.integers(0, came))
    return found


@st.composite
def _tallies(draw):
    requests = draw(st.integers(0, 10**9))
    return (requests, draw(st.integers(0, requests)))


@given(counts=_histories(), canary=_tallies(), stable=_tallies())
def test_any_constant_added_to_the_counters_of_a_side_changes_no_verdict(counts, canary, stable):
    assert judged(looks_of(counts, (canary, stable))) == judged(looks_of(counts))


def reset_in_the_middle(used, side):
    """Look twice, then at counters of ``side`` that began again at 0 half a minute before."""
    first, second = looks_of([FRESH, ((1000, 5), (9000, 45))], used)
    whole = looks_of([FRESH, FRESH, ((1500, 7), (13_500, 67))], used)[2]
    fresh = {"canary": tally(500, 2), "stable": tally(4500, 22)}
    reset = {name: fresh[name] for name in ("canary", "stable") if side in (name, "both")}
    return first, second, whole.model_copy(update=reset)


@pytest.mark.parametrize("used", [BAD_BEFORE, ((500_000, 0), (600_000, 0))])
@pytest.mark.parametrize("side", ["canary", "stable", "both"])
def test_counters_that_begin_again_are_counted_on_each_side_by_itself(used, side):
    total = fold(reset_in_the_middle(used, side), ratio=2).total
    assert (total.canary, total.stable) == (tally(1500, 7), tally(13_500, 67))


def test_a_sum_of_which_one_part_began_again_charges_no_old_request():
    """Two of three processes go on: 600,000 requests from before are not new because the third's are gone."""
    used = ((90_000, 30_000), (900_000, 300_000))
    first, second = looks_of([FRESH, ((100, 0), (900, 0))], used)
    fell = second.model_copy(update={"at_s": 120.0, "canary": tally(60_000, 20_000)})
    then = fell.model_copy(update={"at_s": 180.0, "canary": tally(60_100, 20_000)})
    total = fold((first, second, fell, then), ratio=2).total
    assert total.canary == tally(200, 0)


def test_an_error_that_is_counted_before_its_request_crashes_nothing():
    first = CountsLook(canary=tally(100, 0), stable=tally(100, 0))
    early = first.model_copy(update={"at_s": 1.0, "canary": tally(100, 3)})
    late = first.model_copy(update={"at_s": 2.0, "canary": tally(103, 3)})
    assert fold((first, early), ratio=2).total.canary == tally(0, 0)
    assert fold((first, early, late), ratio=2).total.canary == tally(3, 3)


def test_an_increase_across_a_reset_is_what_came_since_the_reset():
    assert increase(tally(8062, 2262), tally(8100, 2262)) == tally(38, 0)
    assert increase(tally(8062, 2262), tally(20, 1)) == tally(20, 1)
