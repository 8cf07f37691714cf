"""The published rankers that the diagnosis stands beside do what their papers say."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from bench.diagnosing.bocpd import onset_of, run_lengths
from bench.diagnosing.hypothesis_test import hypothesis_test
from bench.diagnosing.peers import TOLD, UNTOLD, n_sigma, ranked, robust_scorer
from bot.diagnosis.offline.case import Telemetry
from tests.unit.diagnosis.telemetry import worlds

SINCE = worlds.ONSET_ROW


def chain(*, broken: str = "payments", loss: float = 0.5) -> Telemetry:
    """Web waits for orders, and orders for payments; the latency of one of them rises by itself."""
    rng = np.random.default_rng(5)
    latency = {"payments": rng.normal(1, 0.1, worlds.ROWS)}
    for caller, callee in (("orders", "payments"), ("web", "orders")):
        if broken == callee:
            latency[callee][SINCE:] += loss
        latency[caller] = 3 * latency[callee] + rng.normal(0, 0.01, worlds.ROWS)
    if broken == "web":
        latency["web"][SINCE:] += loss
    return worlds.case({(service, "latency"): values for service, values in latency.items()})


def first(series) -> str:
    return series[0][0]


def test_scores_of_single_series_are_those_of_their_papers():
    before, after = np.array([1.0, 2, 3, 4, 5]), np.array([3.0, 9.0, -9.0])
    assert n_sigma(before, after) == pytest.approx(12 / np.sqrt(2))
    assert robust_scorer(before, after) == pytest.approx(6 / 2)
    assert robust_scorer(np.full(5, 2.0), after) == pytest.approx(7)  # no spread counts as one
    case = worlds.case(worlds.payments_burn_unnoticed())
    assert ranked(case, score=robust_scorer, onset_s=worlds.ONSET_S)[0][:2] == ("payments", "cpu_percent")


@pytest.mark.parametrize("broken", ["payments", "orders", "web"])
def test_the_hypothesis_test_names_whom_nothing_that_it_calls_explains(broken):
    assert first(hypothesis_test(chain(broken=broken), onset_s=worlds.ONSET_S)) == broken


def test_an_anomalous_cause_gains_the_score_of_its_worst_effect():
    case = chain()
    scores = {service: score for service, _, score in hypothesis_test(case, onset_s=worlds.ONSET_S)}
    alone = replace(case, calls=())
    apart = {service: score for service, _, score in hypothesis_test(alone, onset_s=worlds.ONSET_S)}
    assert scores["orders"] < 3 < scores["payments"]
    assert scores["payments"] == pytest.approx(apart["payments"] + max(scores["orders"], scores["web"]))


def test_a_chain_of_calls_that_comes_back_to_its_begin_is_tested_all_the_same():
    case = replace(chain(), calls=(*worlds.CALLS, ("payments", "web")))
    assert len(hypothesis_test(case, onset_s=worlds.ONSET_S)) == len(case.columns)


@pytest.mark.parametrize("onset_s", [0.0, worlds.START_S + 60, 1e12])
def test_nothing_is_tested_without_an_ordinary_time_and_another_one(onset_s):
    assert hypothesis_test(chain(), onset_s=onset_s) == []


def test_a_change_in_some_of_many_series_is_dated_to_its_row():
    rng = np.random.default_rng(2)
    series = rng.normal(0, 1, (40, 8))
    quiet = run_lengths(series)
    series[30:, :3] += 8
    chances = run_lengths(series)
    assert chances.sum() == pytest.approx(1) == quiet.sum()
    assert int(np.argmax(chances)) == 10
    assert int(np.argmax(quiet)) >= 39


def test_the_onset_found_by_change_points_is_that_of_latency_and_errors():
    series = worlds.payments_fail()
    series["catalogue", "cpu_percent"][20:] = 90.0
    assert onset_of(worlds.case(series)) == worlds.ONSET_S


@pytest.mark.parametrize("name", UNTOLD)
def test_a_ranker_that_is_told_nothing_finds_what_it_finds_when_told(name):
    case = worlds.case(worlds.payments_fail())
    told = {
        "BARO": TOLD["BARO RobustScorer"],
        "BOCPD and N-Sigma": partial(ranked, score=n_sigma),
    }[name]
    assert UNTOLD[name](case) == told(case, onset_s=worlds.ONSET_S)
