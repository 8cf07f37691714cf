"""The figures of the change track, on a small set of cases made here."""

from __future__ import annotations

import json

import pytest

from bench.diagnosing.changes import measure, scores
from bench.diagnosing.changes_in_triage import named_in_triage
from bench.diagnosing.fit_changes import Labelled, fitted
from bot.diagnosis.commits.case import NONE
from bot.diagnosis.commits.ranking import blame
from tests.unit.diagnosis.commits.faults import CULPRITS, caused, causeless


@pytest.fixture(scope="module")
def cases():
    culprits = [
        Labelled(
            name=name,
            case=caused(name),
            commit="culprit",
            decoys=frozenset({"decoy-refactor"}),
            service="orders",
        )
        for name in sorted(CULPRITS)[:4]
    ]
    none = [
        Labelled(name=name, case=case, commit=NONE, decoys=frozenset({"decoy-refactor"}), service="orders")
        for name, case in sorted(causeless().items())[:4]
    ]
    return culprits + none


def test_fitted_weights_name_what_they_were_fitted_on_and_say_how_many_cases(cases):
    weights = fitted(cases)

    assert weights.record["cases"] == len(cases)
    assert scores(cases, [blame(one.case, weights=weights) for one in cases])["exact"] == 1.0


def test_a_tighter_prior_keeps_the_weights_nearer_to_it(cases):
    def moved(prior_sd: float) -> float:
        weights = fitted(cases, prior_sd=prior_sd)
        return sum(
            abs(weights.candidate[k] - v)
            for k, v in weights.record["prior"].items()
            if k in weights.candidate
        )

    assert moved(0.2) < moved(2.0)


def test_wrong_answers_lower_the_scores(cases):
    swapped = [one.but(commit="decoy-refactor", decoys=frozenset({"culprit"})) for one in cases[:4]]

    said = scores(swapped, [blame(one.case) for one in swapped])

    assert (said["exact"], said["decoys"]) == (0.0, 1.0)


def test_measure_reads_a_folder_of_cases_and_fits_each_without_itself(tmp_path):
    truth = {}
    for name, service in (("k1", "orders"), ("k2", "orders")):
        folder = tmp_path / "dev" / "rootcausebench" / name
        (folder / "context").mkdir(parents=True)
        (folder / "alert.json").write_text(
            json.dumps({"service": service, "fired_at": "2026-03-04T10:00:00Z"})
        )
        truth[f"rootcausebench/{name}"] = {"service": service, "commit": NONE, "decoys": []}
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "dev.json").write_text(json.dumps(truth | {"other/k3": {}}))

    figures = measure(tmp_path)

    assert (figures["cases"], figures["fitted"]["exact"], figures["cross_validated"]["none_right"]) == (
        2,
        1.0,
        1.0,
    )


def test_a_triage_that_sees_the_same_case_as_findings_names_the_same_commit_or_none(cases):
    for one in cases:
        assert named_in_triage(one.case) == one.commit


def test_a_triage_names_no_commit_of_a_release_that_came_after_the_alert(cases):
    late = cases[0].case.but(
        rollouts=tuple(r.but(at=cases[0].case.alert.fired_at) for r in cases[0].case.rollouts)
    )

    assert named_in_triage(late) == NONE
