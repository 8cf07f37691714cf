"""When the trouble may have begun: by metrics, by lines to the bin, and how little one bin decides."""

from dataclasses import replace

import numpy as np
import pytest

from bot.diagnosis.offline import lags, onset, tallies
from bot.diagnosis.offline.averaging import averaged
from bot.diagnosis.offline.case import Telemetry
from bot.diagnosis.offline.evidence import FOUND_AS, OfflineEvidence, kinds_of
from bot.diagnosis.offline.tallies import BIN_S, Tallies
from bot.diagnosis.origins.weights import shipped
from bot.domain.diagnoses.finding import FindingKind
from tests.unit.diagnosis.telemetry import worlds


def counted(case: Telemetry) -> tuple[Tallies, ...]:
    return (tallies.of_lines(case.lines),) if case.lines else ()


def found(case: Telemetry) -> tuple[onset.Onset, ...]:
    kinds = kinds_of(case.columns)
    return onset.found(
        case,
        kinds=kinds,
        weights=[shipped().of(FOUND_AS[kind]) for kind in kinds],
        tallies=counted(case),
        wires=lags.of_spans(case.spans),
    )


def told(case: Telemetry, at_s: float, *elsewhere: onset.Onset) -> tuple[onset.Onset, ...]:
    return onset.told(case, at_s=at_s, tallies=counted(case), elsewhere=elsewhere)


def share_since(onsets: tuple[onset.Onset, ...], begin_s: float) -> float:
    return sum(each.share for each in onsets if each.at_s >= begin_s)


def stepped(series, *, rows_ago: int, until: int | None = None):
    for service in ("payments", "orders", "web"):
        for metric in ("latency_p50", "latency_p99"):
            begin = worlds.ROWS - rows_ago
            series[service, metric][begin:until] *= 6
    return series


CASES = {
    "metrics": worlds.case(worlds.payments_fail()),
    "lines": worlds.case(worlds.well(), lines=worlds.broken_request()),
    "quiet": worlds.case({key: np.ones(worlds.ROWS) for key in worlds.well()}),
    "few": replace(worlds.case(worlds.well()), times_s=np.arange(2.0), values=np.ones((2, 20))),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("at_s", [None, worlds.ONSET_S, 0.0, 1e12])
def test_the_shares_of_all_moments_add_up_to_one_and_each_has_rows_before_and_after(case, at_s):
    onsets = found(case) if at_s is None else told(case, at_s)
    assert sum(each.share for each in onsets) == pytest.approx(1)
    assert all(0 < each.row < case.times_s.size and each.share > 0 for each in onsets)


def test_lines_tell_the_moment_more_exactly_than_rows_can():
    at_s = onset.likeliest(found(CASES["lines"])).at_s
    assert at_s == pytest.approx(worlds.ONSET_S, abs=BIN_S)


def test_long_rows_are_looked_into_at_six_moments_and_no_more():
    case = CASES["lines"]
    long = replace(case, times_s=worlds.ONSET_S + 300.0 * (np.arange(worlds.ROWS) - worlds.ONSET_ROW))
    moments = [each for each in found(long) if each.row == worlds.ONSET_ROW]
    assert 1 < len(moments) <= 6


def test_more_than_one_moment_is_credible_where_rows_are_all_there_is():
    onsets = found(CASES["metrics"])
    assert len(onsets) > 1
    assert share_since(onsets, worlds.ONSET_S - 2 * worlds.STEP_S) > 0.6


def test_a_spell_that_is_over_is_less_credible_than_the_trouble_of_now():
    series = stepped(stepped(worlds.well(), rows_ago=3), rows_ago=16, until=-10)
    onsets = found(worlds.case(series))
    young_s = worlds.START_S + (worlds.ROWS - 5) * worlds.STEP_S
    assert onset.likeliest(onsets).row > worlds.ROWS - 5
    assert share_since(onsets, young_s) > 0.5


def test_what_is_told_holds_for_rows_exactly_and_for_lines_within_two_bins():
    rows_only, lines_too = told(CASES["metrics"], worlds.ONSET_S), told(CASES["lines"], worlds.ONSET_S)
    assert [each.at_s for each in rows_only] == [worlds.ONSET_S]
    assert {each.row for each in lines_too} == {worlds.ONSET_ROW}
    assert max(abs(each.at_s - worlds.ONSET_S) for each in lines_too) == 2 * BIN_S
    assert onset.likeliest(lines_too).at_s == worlds.ONSET_S


@pytest.mark.parametrize(
    ("ahead_s", "believed"), [(-90.0, 0.0), (0.0, 0.5), (120.0, 0.5), (600.0, 0.5), (700.0, 0.0)]
)
def test_half_is_left_to_what_is_found_in_the_ten_minutes_before_what_is_told(ahead_s, believed):
    at_s = worlds.ONSET_S - ahead_s
    onsets = told(CASES["metrics"], worlds.ONSET_S, onset.Onset(at_s=at_s, row=9, share=0.2, gain=1.0))
    assert sum(each.share for each in onsets if each.row == 9) == pytest.approx(believed)
    assert sum(each.share for each in onsets) == pytest.approx(1)


def test_what_only_one_of_two_moments_shows_counts_by_that_ones_share():
    seen = OfflineEvidence(
        service="cart",
        kind=FindingKind.LOG_TEMPLATE_NEW,
        name="refused",
        strength=0.8,
        since_s=0.0,
        value=4.0,
    )
    weaker = replace(seen, strength=0.2, value=9.0)
    other = replace(seen, name="timed out")
    by_name = {each.name: each for each in averaged([(0.75, [seen]), (0.25, [weaker, other])])}
    assert by_name["refused"].strength == pytest.approx(0.65)
    assert by_name["refused"].value == 4.0
    assert by_name["timed out"].strength == pytest.approx(0.2)
