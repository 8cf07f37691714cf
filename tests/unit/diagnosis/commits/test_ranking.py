"""The commit that is named, or that none is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.diagnosis.commits.case import NONE, ChangeCase, SpanRecord
from bot.diagnosis.commits.ranking import blame, probabilities
from tests.unit.diagnosis.commits.faults import CULPRITS, HARD, MORE, caused, causeless
from tests.unit.diagnosis.commits.incidents import at, commit, complaints, decoys, incident, lures
from tests.unit.diagnosis.commits.later_faults import (
    CAUSELESS,
    FIFTH,
    SEVENTH,
    SIXTH,
    caused_by,
    caused_by_none,
)

POOL = "-const maxConns = 50\n+const maxConns = 5\n"
EXHAUSTED = "pool exhausted: no connection after 5 s"


@pytest.mark.parametrize("fault", sorted(CULPRITS | MORE))
def test_the_commit_that_caused_a_fault_is_named_among_decoys(fault):
    assert blame(caused(fault)).commit == "culprit"


@pytest.mark.parametrize("fault", sorted(HARD))
def test_what_cannot_be_told_is_left_open_with_the_culprit_as_the_likeliest(fault):
    found = blame(caused(fault))

    assert found.commit == NONE
    assert found.ranked[0].candidate.sha == "culprit"


@pytest.mark.parametrize(
    ("faults", "named", "decoys_named"), [(FIFTH, 17, 1), (SIXTH, 15, 0), (SEVENTH, 15, 1)]
)
def test_of_faults_that_are_no_easier_than_life_no_fewer_are_named_than_were(faults, named, decoys_named):
    found = [blame(caused_by(fault)).commit for fault in faults.values()]

    assert found.count("culprit") >= named
    assert len(found) - found.count("culprit") - found.count(NONE) <= decoys_named


def test_a_commit_that_could_have_done_it_is_seldom_blamed_for_what_none_did():
    found = [blame(caused_by_none(texts)).commit for texts in CAUSELESS.values()]

    assert found.count(NONE) >= len(CAUSELESS) - 4


@pytest.mark.parametrize("name", sorted(causeless()))
def test_no_commit_is_named_when_none_is_to_blame(name):
    found = blame(causeless()[name])

    assert found.commit == NONE
    assert found.service == "orders"


def test_a_commit_that_went_live_after_the_onset_or_never_is_ruled_out_and_says_so():
    late = (commit("late", POOL, "pkg/db/pool.go", minutes=62), "orders", 62.0)
    never = (commit("never", POOL, "pkg/db/pool.go", minutes=40), "", 0.0)

    found = blame(incident(late, never, told=complaints("orders", EXHAUSTED)))

    assert found.commit == NONE
    assert {one.sha: one.why for one in found.excluded} == {
        "late": "it was rolled out after the trouble had begun",
        "never": "it was not rolled out",
    }


def test_a_change_that_is_recent_but_elsewhere_loses_to_an_older_one_where_the_trouble_is():
    here = (commit("here", POOL, "pkg/db/pool.go", minutes=20), "orders", 20.0)
    elsewhere = (commit("elsewhere", POOL, "pkg/db/pool.go", minutes=59), "search", 59.0)

    assert blame(incident(here, elsewhere, told=complaints("orders", EXHAUSTED))).commit == "here"


def test_a_caller_that_floods_another_service_is_named_though_it_only_suffers():
    cache = "-const feed = await cache.wrap(key, load, { ttl: 60 })\n+const feed = await load()\n"
    flood = (commit("flood", cache, "shop/feed.ts", minutes=48), "shop", 48.0)
    told = complaints("orders", "too many concurrent requests, rejecting list")
    calls = [
        SpanRecord(service="shop", failed=True),
        SpanRecord(service="orders", callers=("shop",), depth=1, failed=True),
    ]

    assert blame(incident(flood, *decoys(), told=told, calls=calls)).commit == "flood"


def test_a_dangerous_change_that_has_nothing_to_do_with_it_does_not_distract_from_the_culprit():
    culprit = (commit("culprit", POOL, "pkg/db/pool.go"), "orders", 50.0)

    assert (
        blame(incident(culprit, *decoys(), *lures(), told=complaints("orders", EXHAUSTED))).commit
        == "culprit"
    )


def test_the_trouble_begins_at_the_deepest_failed_call_not_at_the_alert():
    calls = [
        SpanRecord(service="shop", failed=True),
        SpanRecord(service="orders", callers=("shop",), depth=1, failed=True),
    ]
    culprit = (commit("culprit", POOL, "pkg/db/pool.go"), "orders", 50.0)

    found = blame(incident(culprit, told=complaints("shop", EXHAUSTED), calls=calls, alert="shop"))

    assert (found.commit, found.service) == ("culprit", "orders")


def test_the_same_limit_raised_is_no_culprit():
    raised = (
        commit("raised", "-const maxConns = 5\n+const maxConns = 50\n", "pkg/db/pool.go"),
        "orders",
        50.0,
    )

    assert blame(incident(raised, *decoys(), told=complaints("orders", EXHAUSTED))).commit == NONE


def test_a_message_that_plays_a_change_down_changes_little():
    def said(message: str) -> float:
        culprit = (commit("culprit", POOL, "pkg/db/pool.go", message=message), "orders", 50.0)
        return blame(incident(culprit, *decoys(), told=complaints("orders", EXHAUSTED))).confidence

    assert abs(said("chore: tidy up") - said("reduce connections")) < 0.05


def test_of_two_commits_that_speak_for_themselves_alike_neither_is_named():
    twins = [(commit(sha, POOL, "pkg/db/pool.go"), "orders", 50.0) for sha in ("one", "other")]

    found = blame(incident(*twins, told=complaints("orders", EXHAUSTED)))

    assert found.commit == NONE
    assert found.ranked[0].probability == pytest.approx(found.ranked[1].probability)


def test_a_figure_of_the_diff_in_a_complaint_counts_unless_it_may_be_any_status():
    def said(before: int, after: int, text: str) -> float:
        culprit = (
            commit("culprit", f"-  port: {before}\n+  port: {after}\n", "orders/a.yaml"),
            "orders",
            50.0,
        )
        return blame(incident(culprit, told=complaints("orders", text))).ranked[0].candidate.echo

    assert said(8080, 8081, "dial 10.0.0.1:8080 refused") > 0
    assert said(500, 501, "upstream answered 500") == 0


def test_without_any_commit_the_answer_is_none():
    found = blame(incident(told=complaints("orders", EXHAUSTED)))

    assert (found.commit, found.confidence, found.ranked) == (NONE, 1.0, ())


def test_a_complaint_that_was_always_there_does_not_move_the_onset():
    old = [line.but(at=at(3 * n)) for n, line in enumerate(complaints("orders", "cache miss"))]

    found = blame(incident(*decoys(), told=[*old, *complaints("orders", EXHAUSTED)]))

    assert found.onset == at(60)


@given(
    fault=st.sampled_from(sorted(CULPRITS)),
    salt=st.integers(1, 10**6),
    order=st.randoms(use_true_random=False),
)
def test_other_shas_and_another_order_of_what_is_known_change_no_answer(fault, salt, order):
    case = caused(fault)
    names = {one.sha: f"{salt * 31 + n:040x}" for n, one in enumerate(case.commits)}

    found = blame(_shuffled(_renamed(case, names), order))

    assert found.commit == names["culprit"]
    assert found.confidence == pytest.approx(blame(case).confidence)


@given(
    fault=st.sampled_from(sorted(CULPRITS | MORE)), letters=st.text("bcdfghjkmpqvwxz", min_size=5, max_size=9)
)
def test_a_service_may_be_called_anything(fault, letters):
    case = caused(fault)

    found = blame(_moved(case, "orders", f"{letters}-svc"))

    assert (found.commit, found.service) == ("culprit", f"{letters}-svc")


@given(utilities=st.lists(st.floats(-500, 500), min_size=1, max_size=9))
def test_probabilities_add_up_to_one_and_keep_the_order(utilities):
    chances = probabilities(utilities)

    assert sum(chances) == pytest.approx(1.0)
    pairs = sorted(zip(utilities, chances, strict=True))
    assert [chance for _, chance in pairs] == sorted(chances)


def _renamed(case: ChangeCase, names: dict[str, str]) -> ChangeCase:
    return case.but(
        commits=tuple(one.but(sha=names[one.sha]) for one in case.commits),
        rollouts=tuple(one.but(sha=names[one.sha]) for one in case.rollouts),
    )


def _shuffled(case: ChangeCase, order) -> ChangeCase:
    def mixed(items):
        return tuple(order.sample(items, len(items)))

    return case.but(commits=mixed(case.commits), rollouts=mixed(case.rollouts), lines=mixed(case.lines))


def _moved(case: ChangeCase, old: str, new: str) -> ChangeCase:
    """Call a service otherwise wherever telemetry and roll-outs name it; texts and files keep their words."""

    def moved(items):
        return tuple(one.but(service=new) if one.service == old else one for one in items)

    return case.but(
        alert=case.alert.but(service=new),
        rollouts=moved(case.rollouts),
        lines=moved(case.lines),
        series=moved(case.series),
    )
