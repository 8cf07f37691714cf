"""The figures of the alert track are counted on cases that were not fitted, and ties are not hits."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from bench.diagnosing.alert_cases import known_cases
from bench.diagnosing.alerts import measure
from bench.diagnosing.fit_alerts import STEPS, Row, fitted, hit, modes_of, record
from bot.diagnosis.alerts.terms import Term

NODES = ["a-0", "a-1", "b-0", "c-0"]


@pytest.fixture
def data(tmp_path):
    """Two systems: in ``hot`` the broken one burns its processor, in ``slow`` others wait for it."""
    truth = {}
    for system in ("hot", "slow"):
        cases = []
        for culprit in NODES:
            name = f"{system}/{culprit}"
            truth[name] = {"service": culprit, "fault": system}
            metric = [[culprit, "cpu_usage", "up"]] if system == "hot" else []
            trace = [[n, culprit, "GET", "PD"] for n in NODES if n != culprit] if system == "slow" else []
            cases.append({"id": name, "nodes": NODES, "metric_alerts": metric, "trace_alerts": trace})
        folder = tmp_path / "dev" / system
        folder.mkdir(parents=True)
        (folder / "cases.json.gz").write_bytes(gzip.compress(json.dumps(cases).encode()))
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "dev.json").write_text(json.dumps(truth))
    return tmp_path


def test_every_system_is_measured_beside_the_plain_methods(data):
    systems = measure(data)["systems"]
    for mode in ("alone", "with history"):
        assert {name: told[f"pilothouse, {mode}"]["HR@1"] for name, told in systems.items()} == {
            "hot": 1,
            "slow": 1,
        }
    assert {figures["chance"] for figures in systems.values()} == {0.25}
    assert systems["hot"]["count, alone"]["HR@1"] == 1


def test_a_split_that_is_not_there_has_no_systems(data):
    assert measure(data, split="heldout")["systems"] == {}


def test_a_tie_counts_its_share():
    row = Row(terms=np.ones((4, len(Term))), culprit=2, group="x")
    assert hit(row, np.ones(len(Term))) == 0.25


def test_weights_are_steps_and_the_record_tells_the_system_that_was_left_out(data):
    systems = {name: modes_of(cases) for name, cases in known_cases(data).items()}
    weights = fitted(systems)
    assert set(weights) <= set(STEPS)
    told = record(systems, weights)
    assert told["fitted"] == {name: {"alone": 1.0, "with_history": 1.0} for name in ("hot", "slow")}
    assert told["system_left_out"].keys() == told["groups_left_out"].keys() == {"hot", "slow"}
