"""After a switch the new version's own errors are watched, and whether it is still asked."""

from __future__ import annotations

import pytest

from bot.canary.after_switch import CountsAt, CountsWindow, judge_after_switch
from bot.domain.rollouts.judging import RequestTally

NOTHING = CountsWindow()


def window(lasted_s, requests, errors=0):
    return CountsWindow(lasted_s=lasted_s, tally=RequestTally(requests=requests, errors=errors))


def judged(before, since, latest=NOTHING):
    return judge_after_switch(before=before, since=since, latest=latest, at_most=0.05)


@pytest.mark.parametrize("before", [NOTHING, window(5, 10), window(60, 90), window(600, 9000, 9)])
def test_a_third_of_all_requests_failing_is_not_well_however_much_is_known_of_before(before):
    found = judged(before, window(60, 90, 28))
    assert (found.well, found.known) == (False, True)
    assert "errors since the switch: 28 of 90 (31" in found.text


@pytest.mark.parametrize("before", [NOTHING, window(60, 90), window(600, 9000, 9)])
def test_as_few_errors_as_before_are_well(before):
    assert judged(before, window(60, 900, 1)).well


def test_errors_that_were_there_before_are_not_the_new_versions():
    assert judged(window(60, 900, 300), window(60, 900, 310)).well
    assert not judged(window(60, 900, 100), window(60, 900, 310)).well


def test_nobody_is_charged_for_one_unlucky_request_of_few():
    assert judged(NOTHING, window(60, 3, 1)).well


def test_a_service_that_nobody_asks_is_not_known_to_be_well():
    found = judged(window(60, 0), window(60, 0))
    assert (found.well, found.known) == (True, False)
    assert "its errors are unknown" in found.text


@pytest.mark.parametrize(
    ("before", "since", "latest"),
    [
        (window(60, 600), window(60, 0), window(15, 0)),
        (window(60, 600), window(60, 30), window(15, 8)),
        (NOTHING, window(60, 450), window(15, 0)),
        (window(60, 600), window(60, 450), window(15, 1)),
    ],
    ids=["at once", "a twentieth", "later, nothing known of before", "later"],
)
def test_traffic_that_dries_up_after_the_switch_is_not_well(before, since, latest):
    found = judged(before, since, latest)
    assert not found.well
    assert "the traffic has dried up" in found.text


def test_counters_that_begin_again_charge_nothing_of_before():
    def at(second, requests, errors):
        return CountsAt(at_s=second, tally=RequestTally(requests=requests, errors=errors))

    used, later = at(0, 18_800, 2503), at(60, 18_900, 2503)
    assert CountsWindow.between(used, later) == window(60, 100)
    assert CountsWindow.between(used, at(60, 40, 1)) == window(60, 40, 1)
    assert CountsWindow.between(None, later) == NOTHING
