"""What was stopped or taken back on purpose is no evidence of a fault, and is named."""

from __future__ import annotations

import pytest

from bot.domain.diagnoses.diagnosis import CauseKind
from bot.domain.diagnoses.finding import Finding, FindingKind
from bot.ports.targets import Capabilities, Instance, TargetState, VersionState
from bot.probes.prometheus.stopped import stopped_of
from tests.unit.diagnosis.faults import bad_release, bad_setting, top
from tests.unit.diagnosis.stories import at, deploy, finding, rank, setting


def gone(service: str, *, seconds_ago: float, all_of_it: bool = False) -> Finding:
    return finding(
        "metrics",
        FindingKind.SERVICE_DOWN,
        service,
        "" if all_of_it else "candidate",
        strength=0.9 if all_of_it else 0.4,
        began_at=at(seconds_ago),
        instances=["candidate"],
        all=all_of_it,
        observed=False,
    )


def rolled_back(service: str, version: str, *, seconds_ago: float) -> Finding:
    back = deploy(service, version, before_s=seconds_ago)
    return back.model_copy(update={"id": f"back-{version}", "data": {**back.data, "change_kind": "rollback"}})


def test_an_instance_that_went_away_with_a_rollback_is_no_fault_and_that_is_said():
    found = rank([gone("orders", seconds_ago=50), rolled_back("orders", "1.0", seconds_ago=55)])
    assert found.verdict == "no_fault_found"
    assert any("it was stopped by the rollback of orders 1.0" in out.why for out in found.ruled_out)


@pytest.mark.parametrize(
    "story",
    [
        [gone("orders", seconds_ago=50)],
        [gone("orders", seconds_ago=50), rolled_back("orders", "1.0", seconds_ago=1000)],
        [gone("orders", seconds_ago=50), rolled_back("pay", "1.0", seconds_ago=55)],
        [gone("orders", seconds_ago=50, all_of_it=True), rolled_back("orders", "1.0", seconds_ago=55)],
    ],
    ids=["no record", "long before", "of another service", "all are gone"],
)
def test_an_instance_that_went_away_by_itself_is_evidence(story):
    assert rank(story).verdict != "no_fault_found"


def test_a_release_that_was_just_rolled_back_is_no_cause_to_act_on():
    found = rank([*bad_release(), rolled_back("orders", "1.0", seconds_ago=-20)])
    assert (found.verdict, found.top) == ("unclear", None)
    assert found.causes[0].kind is CauseKind.BAD_RELEASE
    assert "But orders was rolled back to 1.0 10 s ago" in found.summary
    assert "may be from before that" in found.summary


def test_a_setting_that_was_just_set_back_is_no_cause_to_act_on():
    back = setting("pay", "bank_timeout_ms", 5, 2000, before_s=-20).model_copy(update={"id": "back"})
    found = rank([*bad_setting(), back])
    assert found.top is None
    assert "But pay/bank_timeout_ms was set back to 2000 10 s ago" in found.summary


def test_a_setting_that_was_changed_to_a_third_value_is_still_the_cause():
    other = setting("pay", "bank_timeout_ms", 5, 7, before_s=-20).model_copy(update={"id": "other"})
    assert top(rank([*bad_setting(), other]))[0] is CauseKind.BAD_CONFIGURATION


def test_trouble_that_outlasts_the_rollback_by_minutes_is_not_blamed_on_the_release():
    long_ago = [f.model_copy(update={"began_at": at(600)}) if f.began_at else f for f in bad_release()]
    found = rank([*long_ago, rolled_back("orders", "1.0", seconds_ago=400)])
    assert found.top is None
    against = [text for cause in found.causes for text in cause.against]
    against += [out.why for out in found.ruled_out]
    assert any("and the trouble goes on" in text for text in against), found


def test_a_better_explanation_is_named_or_not_mentioned():
    for story in (
        bad_release(),
        bad_setting(),
        [*bad_release(), rolled_back("orders", "1.0", seconds_ago=-20)],
    ):
        found = rank(story)
        named = {cause.kind for cause in found.causes}
        for cause in found.causes:
            for text in cause.against:
                assert "better explanation" not in text
                if "would explain it" in text:
                    assert len(named) > 1


def state(*instances: tuple[str, int, bool], candidate: bool = False, shift: bool = True) -> TargetState:
    side = VersionState(version="1", weight_percent=100, healthy=True, instances=1)
    return TargetState(
        target="haproxy",
        stable=side,
        candidate=side if candidate else None,
        instances=tuple(
            Instance(
                name=name,
                version="1",
                role="candidate" if name == "candidate" else "stable",
                weight=weight,
                healthy=healthy,
            )
            for name, weight, healthy in instances
        ),
        can=Capabilities(shift=shift, routes=False, instant_back=True, lease=False),
    )


@pytest.mark.parametrize(
    ("observed", "stopped"),
    [
        (state(("stable", 256, True), ("candidate", 0, True)), 1),
        (state(("stable", 256, True), ("candidate", 0, False), candidate=True), 1),
        (state(("stable", 256, True), ("candidate", 0, True), candidate=True), 0),
        (state(("stable", 256, True), ("candidate", 64, False), candidate=True), 0),
        (state(("a", 256, False), ("b", 256, True), ("candidate", 0, False)), 0),
    ],
    ids=[
        "nothing runs there",
        "drained and down",
        "idle but up",
        "serves and is down",
        "a stable one is down",
    ],
)
def test_what_a_target_has_stopped_is_counted(observed, stopped):
    counted = stopped_of(observed)
    assert counted is not None
    assert (counted.count, counted.total) == (stopped, len(observed.instances))


def test_a_target_that_does_not_divide_the_traffic_counts_nothing():
    assert stopped_of(state(("stable", 256, True), shift=False)) is None
