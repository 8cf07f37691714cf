"""The alert track blames what is rare, deep and alone, and never a name."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.diagnosis.alerts.board import AlertBoard, boards_of, service_of, words_of
from bot.diagnosis.alerts.case import AlertCase, AlertsInvalidError, read_cases
from bot.diagnosis.alerts.history import IncidentHistory, history_of
from bot.diagnosis.alerts.kinds import AlertFamily, AlertKind, CallSide, kind_of
from bot.diagnosis.alerts.rank import rank_alerts, shipped_weights
from bot.diagnosis.alerts.terms import Term, terms_of

NODES = ("web-0", "web-1", "cart-0", "cart-1", "db-0", "mail-0")


def case(*, nodes=NODES, metric=(), log=(), trace=()):
    return AlertCase(nodes=nodes, metric_alerts=metric, log_alerts=log, trace_alerts=trace)


def first(given_case):
    return rank_alerts(given_case)[0].instance


def test_what_alerts_everywhere_blames_nobody_and_what_alerts_once_does():
    everywhere = [(node, "net_receive", "up") for node in NODES]
    assert first(case(metric=[*everywhere, ("db-0", "cpu_usage", "up")])) == "db-0"
    assert AlertBoard(case(metric=everywhere)).rarity(kind_of("net_receive", "up")) == 0


def test_an_alert_that_every_replica_has_says_less_than_one_that_a_single_replica_has():
    shared = [("web-0", "mem_usage", "up"), ("web-1", "mem_usage", "up")]
    alone = [("cart-1", "threads", "up"), ("db-0", "threads", "up")]
    assert {blamed.instance for blamed in rank_alerts(case(metric=shared + alone))[:2]} == {"cart-1", "db-0"}


def test_who_is_called_and_slow_is_blamed_rather_than_who_waits():
    slow = [("web-0", "cart-0", "GET /cart", "PD"), ("web-1", "cart-0", "GET /cart", "PD")]
    latency = [("web-0", "dest_p95", "up"), ("cart-0", "dest_p95", "up")]
    assert first(case(metric=latency, trace=slow)) == "cart-0"


def test_a_replica_whose_work_went_to_the_others_is_blamed_and_not_they():
    moved = [("cart-0", "dest_qps", "up")]
    assert first(case(metric=moved)) == "cart-1"


def test_who_others_wait_for_by_name_is_blamed_though_it_is_silent():
    waits = [("web-0", "web-0", "/mail.Mail/Send", "PD"), ("web-1", "web-1", "/mail.Mail/Send", "PD")]
    assert first(case(trace=waits)) == "mail-0"


def test_unusual_lines_where_replicas_are_quiet_tell_the_broken_one():
    assert first(case(log=[("cart-0", "7"), ("cart-1", "7"), ("cart-1", "8"), ("cart-1", "9")])) == "cart-1"


def test_percentiles_of_one_latency_are_one_witness():
    many = terms_of(AlertBoard(case(metric=[("db-0", f"dest_p{p}", "up") for p in (50, 90, 95, 99)])))
    one = terms_of(AlertBoard(case(metric=[("db-0", "dest_p95", "up")])))
    assert many == one


def test_what_the_same_instance_had_in_every_earlier_incident_says_little_now():
    earlier = [case(metric=[("cart-0", "cpu_usage", "up")], log=[("cart-0", "7")]) for _ in range(30)]
    now = case(metric=[("cart-0", "cpu_usage", "up"), ("db-0", "mem_usage", "up")], log=[("cart-0", "7")])
    assert first(now) == "cart-0"
    assert rank_alerts(now, earlier=earlier)[0].instance == "db-0"


def test_earlier_incidents_elsewhere_change_no_order():
    earlier = [case(metric=[("mail-0", "cpu_usage", "up")]) for _ in range(30)]
    now = case(metric=[("db-0", "cpu_usage", "up"), ("web-0", "dest_p95", "up")])
    known = [blamed.instance for blamed in rank_alerts(now, earlier=earlier)]
    assert known == [blamed.instance for blamed in rank_alerts(now)]


def test_an_incident_is_no_history_of_its_own():
    one = case(metric=[("db-0", "cpu_usage", "up")])
    (board,) = boards_of([one])
    assert terms_of(board) == terms_of(AlertBoard(one))


def test_news_wears_off_with_each_incident_and_never_to_nothing():
    always = [history_of([["x"]] * n).news("x") for n in range(200)]
    assert always == sorted(always, reverse=True)
    assert (always[0], IncidentHistory().news("x")) == (1.0, 1.0)
    assert 0 < always[-1] < 0.05
    assert history_of([["y"]] * 50).news("x") == 1.0


def test_lines_that_always_came_together_are_one_witness_and_strangers_are_several():
    together = [case(log=[("cart-0", f"{line}") for line in range(9)]) for _ in range(3)]
    apart = [case(log=[("cart-0", f"{line}")]) for line in range(9) for _ in range(3)]
    others = [case(log=[("mail-0", "1")]) for _ in range(24)]
    now = case(log=[("cart-0", f"{line}") for line in range(9)])
    ((told, *_), (known, *_)) = (boards_of([now], earlier=earlier) for earlier in (together + others, apart))
    single = history_of([["x"]] * 3 + [["y"]] * 24).news("x")
    assert told.lines["cart-0"] == pytest.approx(single)
    assert known.lines["cart-0"] == pytest.approx(9 * history_of([["x"]] * 3 + [["y"]] * 24).news("x"))


def test_kinds_of_alerts_that_always_came_together_are_one_witness():
    both = [("db-0", "cpu_usage", "up"), ("db-0", "mem_usage", "up")]
    quiet = [case(metric=[("mail-0", "threads", "up")]) for _ in range(20)]
    ((told, *_), (known, *_)) = (
        boards_of([case(metric=both)], earlier=[*earlier, *quiet])
        for earlier in ([case(metric=both)] * 4, [case(metric=[one]) for one in both for _ in range(4)])
    )
    assert told.hurting("db-0") < 0.7 * known.hurting("db-0")


@given(st.lists(st.sets(st.sampled_from("abcdef")), max_size=12), st.permutations("abcdef"))
def test_how_much_of_a_witness_a_sight_is_depends_on_no_order_and_is_at_most_one(incidents, order):
    shares = history_of(incidents).shares(order)
    assert all(0 < share <= 1 for share in shares.values())
    for sight, share in history_of(incidents).shares(sorted(order)).items():
        assert share == pytest.approx(shares[sight])


def test_getting_more_requests_is_no_harm():
    assert terms_of(AlertBoard(case(metric=[("db-0", "dest_qps", "up")])))["db-0"][Term.RARE] == 0
    assert terms_of(AlertBoard(case(metric=[("db-0", "dest_qps", "down")])))["db-0"][Term.RARE] > 0


def test_a_fall_of_what_hurts_by_rising_is_not_held_against_anybody():
    better = [("db-0", "dest_p95", "down"), ("db-0", "mem_usage", "down"), ("db-0", "errors", "down")]
    assert terms_of(AlertBoard(case(metric=better)))["db-0"][Term.RARE] == 0


def test_the_fourth_rare_alert_says_less_than_the_first():
    names = ("queue_a", "queue_b", "queue_c", "queue_d")
    rows = [terms_of(AlertBoard(case(metric=[("db-0", n, "up") for n in names[:k]])))["db-0"] for k in (1, 4)]
    assert rows[0][Term.RARE] < rows[1][Term.RARE] < 4 * rows[0][Term.RARE]


def test_the_page_tells_the_figures_of_the_record():
    page = Path(__file__).parents[4] / "docs" / "explanation" / "diagnosis.md"
    text = page.read_text(encoding="utf-8")
    for row, name in (
        ("fitted", "fitted"),
        ("whole groups left out", "groups_left_out"),
        ("system left out", "system_left_out"),
    ):
        rates = shipped_weights().record[name]
        told = [
            f"{rates[system][mode]:.2f}".lstrip("0")
            for system in ("tvdiag-hotel", "tvdiag-sockshop")
            for mode in ("alone", "with_history")
        ]
        assert f"| this, {row} | {' | '.join(told)} |" in text


def test_the_reasons_add_up_to_the_score():
    ranked = rank_alerts(case(metric=[("db-0", "cpu", "up")], trace=[("web-0", "db-0", "SELECT", "PD")]))
    for blamed in ranked:
        assert sum(blamed.reasons.values()) == pytest.approx(blamed.score)
    assert ranked[0].reasons[Term.RARE] > 0


def test_nothing_that_alerts_is_a_tie_of_all():
    assert {blamed.score for blamed in rank_alerts(case(nodes=("a", "b", "c")))} == {0.0}


def test_a_single_instance_is_ranked_without_dividing_by_the_log_of_one():
    assert first(case(nodes=("only",), metric=[("only", "cpu", "up")])) == "only"


def test_alerts_of_machines_that_are_no_instances_are_left_out():
    assert rank_alerts(case(metric=[("some-host", "node_cpu_usage", "up")])) == rank_alerts(case())


@pytest.mark.parametrize(
    ("metric", "direction", "kind"),
    [
        ("cpu_usage", "up", AlertKind(family=AlertFamily.CPU)),
        ("container.memory.rss", "up", AlertKind(family=AlertFamily.MEMORY)),
        ("net_trainsmit", "down", AlertKind(family=AlertFamily.SENT, up=False)),
        ("networkRx", "up", AlertKind(family=AlertFamily.RECEIVED)),
        ("dest_p95", "up", AlertKind(family=AlertFamily.LATENCY, side=CallSide.CALLED)),
        (
            "client_request_duration_seconds",
            "up",
            AlertKind(family=AlertFamily.LATENCY, side=CallSide.CALLING),
        ),
        ("src_success_rate", "down", AlertKind(family=AlertFamily.SUCCESS, side=CallSide.CALLING, up=False)),
        ("http_errors_total", "up", AlertKind(family=AlertFamily.FAILURES)),
        ("queue-depth", "up", AlertKind(family=AlertFamily.OTHER, metric="queue_depth")),
    ],
)
def test_the_kind_of_an_alert_is_told_by_the_words_in_its_metric(metric, direction, kind):
    assert kind_of(metric, direction) == kind


@pytest.mark.parametrize(
    ("instance", "service"),
    [("cart-0", "cart"), ("cart-db-12", "cart-db"), ("cart-7d9f8b6c4-x2x9z", "cart"), ("cart", "cart")],
)
def test_replicas_are_told_by_what_kubernetes_puts_behind_a_name(instance, service):
    assert service_of(instance) == service


def test_an_operation_is_split_into_words():
    assert words_of("/search.Search/NearbyHotels") == {"search", "nearby", "hotels"}


def test_the_shipped_weights_are_coarse_and_know_every_term():
    weights = shipped_weights().weights
    assert set(weights) == set(Term)
    assert all(weight * 4 == int(weight * 4) >= 0 for weight in weights.values())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense", "Invalid JSON"),
        ('{"nodes": []}', "nodes"),
        ('[{"nodes": ["a"]}, {"nodes": ["a"], "log_alerts": [["a"]]}]', "1.log_alerts.0"),
    ],
)
def test_what_is_no_case_is_told_by_its_bad_field(text, told):
    with pytest.raises(AlertsInvalidError, match=told):
        read_cases(text)


METRICS = ("cpu_usage", "mem_usage", "dest_p95", "src_p95", "dest_qps", "net_transmit", "queue_depth")
METRIC_ALERTS = [(node, metric, way) for node in NODES for metric in METRICS for way in ("up", "down")]
LOG_ALERTS = [(node, template) for node in NODES for template in "123"]
TRACE_ALERTS = [
    (caller, called, operation, kind)
    for caller in (*NODES, "-1")
    for called in NODES
    for operation in ("/cart/items", "find db", "GET")
    for kind in ("PD", "500")
]
cases = st.builds(  # drawn from lists, as a busy machine is too slow for deep strategies
    case,
    metric=st.lists(st.sampled_from(METRIC_ALERTS), max_size=10),
    log=st.lists(st.sampled_from(LOG_ALERTS), max_size=8),
    trace=st.lists(st.sampled_from(TRACE_ALERTS), max_size=10),
)
unhurried = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
NEW_NAMES = {"web": "quux", "cart": "apple", "db": "zeta", "mail": "corge"}


def renamed(text):
    for old, new in NEW_NAMES.items():
        text = text.replace(old, new)
    return text


@unhurried
@given(cases)
def test_other_names_change_no_score(one):
    other = AlertCase.model_validate_json(renamed(one.model_dump_json()))
    scores = {renamed(blamed.instance): blamed.score for blamed in rank_alerts(one)}
    assert {blamed.instance: blamed.score for blamed in rank_alerts(other)} == scores


@unhurried
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_alerts_and_instances_changes_nothing(one, shuffler: random.Random):
    def shuffled(items):
        return tuple(shuffler.sample(items, len(items)))

    other = case(
        nodes=shuffled(one.nodes),
        metric=shuffled(one.metric_alerts),
        log=shuffled(one.log_alerts),
        trace=shuffled(one.trace_alerts),
    )
    assert rank_alerts(other) == rank_alerts(one)


@unhurried
@given(cases, st.lists(cases, max_size=4))
def test_no_term_but_those_against_is_ever_below_zero(one, earlier):
    (board,) = boards_of([one], earlier=earlier)
    against = {Term.CALLING}
    rows = terms_of(board).values()
    assert all(value <= 0 if term in against else value >= 0 for row in rows for term, value in row.items())


@unhurried
@given(cases)
def test_saying_a_metric_alert_twice_says_no_more(one):
    twice = one.model_copy(update={"metric_alerts": one.metric_alerts * 2, "log_alerts": one.log_alerts * 2})
    assert rank_alerts(twice) == rank_alerts(one)
