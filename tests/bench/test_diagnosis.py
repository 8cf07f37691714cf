"""The benchmark of the diagnosis on a few public cases, its peers, and the fit of the weights."""

import json
import sys
from pathlib import Path

import pytest

from bench import diagnosis, fit
from bench.diagnosing import peers, telemetry
from bench.diagnosing.cases import known_cases
from bench.diagnosing.fitting import Example
from bench.diagnosing.fitting import fit as fitted
from bot.diagnosis.offline.reading import read
from bot.diagnosis.origins.ranking import OriginEvidence, ground_of, places_on
from bot.diagnosis.origins.weights import OriginWeights, shipped
from bot.domain.diagnoses.finding import FindingKind
from tests.unit.diagnosis.telemetry import worlds

DATA = Path(__file__).parent.parent / "data" / "telemetry"
CASES = {known.name: known for known in known_cases(DATA)}
FAULTS = [known for known in CASES.values() if known.service]
QUIET = [known for known in CASES.values() if not known.service]


def ground(case, *, weights: OriginWeights | None = None, onset_s: float | None = None) -> OriginEvidence:
    return ground_of(read(case, weights=weights or shipped(), onset_s=onset_s).scene)


@pytest.mark.parametrize("told", [True, False], ids=["told", "found"])
@pytest.mark.parametrize("known", FAULTS, ids=lambda known: f"{known.system}-{known.fault}")
def test_the_service_at_fault_in_a_public_case_is_named(known, told):
    found = ground(known.read(), onset_s=known.onset_s if told else None)
    assert places_on(found, weights=shipped())[0].service == known.service


def test_a_quiet_hour_of_a_real_system_is_less_sure_than_any_of_its_faults():
    def sureness(known) -> float:
        return places_on(ground(known.read(), onset_s=known.onset_s), weights=shipped())[0].confidence

    assert QUIET
    assert max(map(sureness, QUIET)) < min(map(sureness, FAULTS))


def test_the_benchmark_reports_both_modes_the_peers_and_what_a_case_costs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["diagnosis", "--json", "--data", str(DATA), "--track", telemetry.NAME])
    diagnosis.main()
    said = json.loads(capsys.readouterr().out)[telemetry.NAME]
    for mode in ("with the onset", "without the onset"):
        assert said[mode]["nezha-ob"]["AC@1"] == 1
        assert said[mode]["nezha-ob"]["false alarms"] == 0
        assert said["cross-validated"][mode]["nezha-tt"]["cases"] == 1
    assert set(said["peers, with the onset"]) == set(peers.TOLD)
    assert set(said["peers, without the onset"]) == set(peers.UNTOLD)
    assert said["a case, as a process"]["MB, at most"] > 0


def blind(weights: OriginWeights, kind: FindingKind) -> OriginWeights:
    return weights.but(own={**weights.own, kind: weights.own[kind] * 0.2})


def test_a_fit_finds_what_tells_the_true_service_from_the_others():
    start = blind(shipped(), FindingKind.CPU_HIGH)
    series = worlds.payments_burn_unnoticed()
    worlds.slow(series, "orders", times=9.0)
    found = ground(worlds.case(series), weights=start, onset_s=worlds.ONSET_S)
    assert places_on(found, weights=start)[0].service != "payments"
    weights = fitted([Example(system="shop", service="payments", found=found)], start=start)
    assert places_on(found, weights=weights)[0].service == "payments"
    assert weights.own[FindingKind.CPU_HIGH] > start.own[FindingKind.CPU_HIGH]


def test_fitted_weights_are_written_with_how_they_were_found(monkeypatch, tmp_path):
    out = tmp_path / "weights.json"
    monkeypatch.setattr(sys, "argv", ["fit", "--data", str(DATA), "--out", str(out)])
    fit.main()
    weights = OriginWeights.model_validate_json(out.read_text("utf-8"))
    assert "bench.fit" in weights.fitted.how
    assert weights.fitted.on == ("nezha-ob dev", "nezha-tt dev")
