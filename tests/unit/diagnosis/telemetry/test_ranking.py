"""What is named from raw telemetry, in small made-up systems with a known cause."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.diagnosis.offline.case import CaseLogLine, Column, SpanBucket, Telemetry
from bot.diagnosis.offline.reading import read
from bot.diagnosis.origins.weights import shipped
from bot.diagnosis.ranking.causes import diagnosis_of
from bot.domain.diagnoses.diagnosis import Diagnosis
from bot.domain.diagnoses.finding import Finding
from tests.unit.diagnosis.telemetry import worlds

WITH_AND_WITHOUT = pytest.mark.parametrize("onset_s", [worlds.ONSET_S, None], ids=["told", "found"])


def named(case, onset_s=None) -> Diagnosis:
    return diagnosis_of(read(case, weights=shipped(), onset_s=onset_s).scene, weights=shipped())


def first(case, onset_s=None) -> str:
    return named(case, onset_s).places[0].service


def evidence(diagnosis: Diagnosis, *, of: int = 0) -> list[Finding]:
    by_id = {finding.id: finding for finding in diagnosis.findings}
    return [by_id[each] for each in diagnosis.places[of].evidence]


def sure(diagnosis: Diagnosis) -> float:
    return diagnosis.places[0].confidence if diagnosis.places else 0.0


@WITH_AND_WITHOUT
def test_the_deepest_of_those_that_fail_is_named_and_not_the_loudest(onset_s):
    assert first(worlds.case(worlds.payments_fail()), onset_s) == "payments"


@WITH_AND_WITHOUT
def test_a_busy_processor_is_named_with_its_metric(onset_s):
    diagnosis = named(worlds.case(worlds.payments_burn()), onset_s)
    assert diagnosis.places[0].service == "payments"
    assert evidence(diagnosis)[0].component == "cpu_percent"


@WITH_AND_WITHOUT
def test_a_slow_wire_is_laid_to_the_service_all_of_whose_callers_wait(onset_s):
    series = worlds.well()
    worlds.slow(series, "web", times=5.0)
    case = worlds.case(series, spans=worlds.wire_of_orders(lost_ms=250.0))
    diagnosis = named(case, onset_s)
    assert diagnosis.places[0].service == "orders"
    assert evidence(diagnosis)[0].kind == "span_lag"


@WITH_AND_WITHOUT
def test_a_request_that_breaks_off_in_the_logs_names_the_service_though_no_metric_moved(onset_s):
    diagnosis = named(worlds.case(worlds.well(), lines=worlds.broken_request()), onset_s)
    assert diagnosis.places[0].service == "payments"
    assert {each.kind for each in evidence(diagnosis)} >= {"log_template_vanished", "log_template_new"}


@pytest.mark.parametrize("late_s", [60, 170])
def test_an_onset_that_is_told_too_late_names_the_same_cause(late_s):
    diagnosis = named(worlds.case(worlds.well(), lines=worlds.broken_request()), worlds.ONSET_S + late_s)
    assert diagnosis.places[0].service == "payments"
    assert diagnosis.places[0].confidence > 0.5


def test_less_traffic_is_no_missing_line():
    lines = tuple(line for line in worlds.broken_request(service="") if line.time_s < worlds.ONSET_S + 30)
    diagnosis = named(worlds.case(worlds.well(), lines=lines), worlds.ONSET_S)
    assert "log_template_vanished" not in {each.kind for each in diagnosis.findings}


def test_it_is_less_sure_where_nothing_is_wrong():
    quiet = sure(named(worlds.case(worlds.well())))
    assert quiet < 0.3
    assert sure(named(worlds.case(worlds.payments_fail()))) > quiet + 0.3


def test_the_onset_that_was_not_told_is_found_within_two_rows():
    found = read(worlds.case(worlds.payments_fail()), weights=shipped()).onset_s
    assert found == pytest.approx(worlds.ONSET_S, abs=2 * worlds.STEP_S)


@pytest.mark.parametrize(("rows", "since"), [(120, 100), (600, 300), (600, 500)])
def test_the_onset_is_found_in_long_series_too(rows, since):
    rng = np.random.default_rng(3)
    series = {
        (service, metric): worlds.LEVELS[metric] * rng.lognormal(0, 0.25, rows)
        for service in worlds.SERVICES
        for metric in ("latency_p50", "latency_p99", "cpu_percent")
    }
    for service in ("payments", "orders", "web"):
        series[service, "latency_p50"][since:] *= 6
    case = replace(worlds.case(series), times_s=worlds.START_S + np.arange(rows, dtype=np.float64))
    found_s = read(case, weights=shipped()).onset_s
    assert found_s == pytest.approx(worlds.START_S + since, abs=0.02 * rows)
    assert first(case) == "payments"


def seen_by_caller_alone(series, name, *, like: str, louder: float):
    for metric in ("latency_p50", "latency_p99", "requests"):
        series[name, metric] = series[like, metric].copy()
        if metric != "requests":
            series[name, metric][worlds.ONSET_ROW :] *= louder
    return series


def test_a_load_balancer_before_a_service_in_trouble_is_not_named_however_loud():
    series = seen_by_caller_alone(worlds.payments_fail(), "balancer", like="orders", louder=3.0)
    case = replace(worlds.case(series), calls=(*worlds.CALLS, ("web", "balancer")))
    assert first(case, worlds.ONSET_S) == "payments"


def test_a_database_that_only_one_service_calls_is_named_when_nothing_beside_it_is_in_trouble():
    series = worlds.well()
    worlds.slow(series, "orders", times=4.0)
    worlds.slow(series, "web", times=4.0)
    series = seen_by_caller_alone(series, "database", like="orders", louder=1.5)
    case = replace(worlds.case(series), calls=(*worlds.CALLS, ("orders", "database")))
    assert first(case, worlds.ONSET_S) == "database"


@WITH_AND_WITHOUT
def test_the_service_whose_alert_was_raised_is_named_when_nothing_that_it_calls_is_in_trouble(onset_s):
    series = worlds.well()
    worlds.slow(series, "web", times=6.0)
    assert first(worlds.case(series), onset_s) == "web"


def test_a_service_that_the_alerting_one_does_not_call_is_named_after_those_that_it_does():
    series = worlds.payments_fail()
    for metric in worlds.METRICS:
        series["batch", metric] = series["payments", metric].copy()
    names = [each.service for each in named(worlds.case(series)).places]
    assert names.index("payments") < names.index("batch")


@pytest.mark.parametrize("factor", [1e-6, 1e3])
def test_the_unit_of_latency_does_not_matter(factor):
    series = worlds.payments_fail()
    scaled = {key: values * factor if "latency" in key[1] else values for key, values in series.items()}
    before, after = named(worlds.case(series)), named(worlds.case(scaled))
    assert [each.service for each in before.places] == [each.service for each in after.places]
    assert sure(after) == pytest.approx(sure(before), rel=1e-3)


def test_the_names_and_the_order_of_services_do_not_matter():
    case = worlds.case(worlds.payments_fail())
    names = {"web": "z9", "orders": "a1", "payments": "m5", "catalogue": "b2"}
    order = np.random.default_rng(1).permutation(len(case.columns))
    renamed = replace(
        case,
        columns=tuple(
            Column(service=names[case.columns[i].service], metric=case.columns[i].metric) for i in order
        ),
        values=case.values[:, order],
        calls=tuple((names[a], names[b]) for a, b in reversed(case.calls)),
        alerting=names[case.alerting],
    )
    expected = [(names[each.service], pytest.approx(each.score, abs=2e-4)) for each in named(case).places]
    assert [(each.service, each.score) for each in named(renamed).places] == expected


@pytest.mark.parametrize("seed", range(5))
def test_missing_samples_and_constant_or_empty_series_change_nothing_of_who_is_named(seed):
    series = worlds.payments_fail()
    rng = np.random.default_rng(seed)
    for values in series.values():
        values[rng.random(values.size) < 0.15] = np.nan
    series["web", "restarts"] = np.zeros(worlds.ROWS)
    series["orders", "disk_io"] = np.full(worlds.ROWS, np.nan)
    assert first(worlds.case(series), worlds.ONSET_S) == "payments"


def test_a_case_without_rows_names_nobody_with_confidence():
    case = worlds.case(worlds.well())
    empty = replace(case, times_s=case.times_s[:0], values=case.values[:0])
    assert named(empty).places == ()
    assert read(empty, weights=shipped()).onset_s is None


def test_the_same_case_gives_the_same_answer():
    case = worlds.case(worlds.payments_fail(), lines=worlds.broken_request())
    assert named(case) == named(case)


SERVICE = st.sampled_from(["a", "b", "c"])
METRIC = st.sampled_from(
    ["latency_p99", "cpu_rate", "availability", "requests", "edge_caller_lat_p50_from_a", "x"]
)
VALUE = st.floats(-1e9, 1e9) | st.just(float("nan")) | st.just(0.0)


@st.composite
def any_case(draw) -> Telemetry:
    rows = draw(st.integers(0, 14))
    pairs = draw(st.lists(st.tuples(SERVICE, METRIC), max_size=5, unique=True))
    values = [draw(st.lists(VALUE, min_size=rows, max_size=rows)) for _ in pairs]
    spans = draw(
        st.lists(
            st.builds(
                SpanBucket,
                time_s=st.floats(0, 900),
                service=SERVICE,
                operation=st.just("GET"),
                parent=SERVICE | st.just("root"),
                count=st.integers(0, 9),
                p50_ms=st.floats(0, 1e4),
                lag_start_ms=st.none() | st.floats(-1e3, 1e4),
                lag_end_ms=st.none() | st.floats(-1e3, 1e4),
            ),
            max_size=6,
        )
    )
    lines = draw(
        st.lists(
            st.builds(
                CaseLogLine,
                time_s=st.floats(0, 900),
                service=SERVICE,
                level=st.sampled_from(["INFO", "ERROR"]),
                message=st.text(max_size=12),
            ),
            max_size=6,
        )
    )
    return Telemetry(
        times_s=60.0 * np.arange(rows),
        columns=tuple(Column(service=service, metric=metric) for service, metric in pairs),
        values=np.array(values, dtype=np.float64).reshape(len(pairs), rows).T,
        calls=tuple(draw(st.lists(st.tuples(SERVICE, SERVICE), max_size=4))),
        alerting=draw(SERVICE | st.just("")),
        spans=tuple(spans),
        lines=tuple(lines),
    )


@settings(max_examples=150, deadline=None)
@given(case=any_case(), onset_s=st.none() | st.floats(-100, 1000))
def test_whatever_was_recorded_each_place_is_named_once_and_its_evidence_is_there_and_its_own(case, onset_s):
    diagnosis = named(case, onset_s)
    names = [place.service for place in diagnosis.places]
    assert len(set(names)) == len(names)
    assert set(names) <= {*case.services, *(bucket.parent for bucket in case.spans)}
    assert [place.score for place in diagnosis.places] == sorted(
        (place.score for place in diagnosis.places), reverse=True
    )
    for number, place in enumerate(diagnosis.places):
        assert place.confidence <= sure(diagnosis)
        assert {finding.service for finding in evidence(diagnosis, of=number)} <= {place.service}
    for cause in diagnosis.causes:
        assert set(cause.evidence) <= {finding.id for finding in diagnosis.findings}
