"""Notifications captured from real systems become alerts, or a refusal with a reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.http.alertmanager import Notification, WebhookError
from bot.adapters.http.alertmanager import parse as read
from bot.domain.monitoring.alert import Alert

DATA = Path(__file__).parents[1] / "data"
PAYLOADS, CASES = DATA / "payloads", DATA / "cases"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def payload(name: str) -> bytes:
    return (PAYLOADS / f"{name}.json").read_bytes()


def alert(**fields: object) -> dict[str, object]:
    return {"labels": {"alertname": "A"}, "startsAt": "2026-01-01T00:00:00Z", **fields}


def body(*alerts: dict[str, object], **fields: object) -> bytes:
    return json.dumps({"status": "firing", "alerts": list(alerts), **fields}).encode()


def told(sent: bytes) -> Notification:
    return read(sent, now=NOW)


def parse(sent: bytes) -> tuple[Alert, ...]:
    return tuple(one.alert for one in told(sent).alerts)


def refused(sent: bytes) -> WebhookError:
    with pytest.raises(WebhookError) as caught:
        parse(sent)
    return caught.value


def test_a_firing_notification_of_alertmanager_becomes_an_alert():
    (found,) = parse(payload("alertmanager_0_25_firing"))
    assert found == Alert(
        fingerprint="5d038c5beb683a93",
        name="CheckoutHighErrorRate",
        service="checkout",
        severity="critical",
        summary="checkout error ratio 28.33%",
        status="firing",
        starts_at=datetime(2026, 11, 20, 9, 38, 11, 704_000, tzinfo=UTC),
        labels={
            "alertname": "CheckoutHighErrorRate",
            "cluster": "test",
            "env": "prod",
            "service": "checkout",
            "severity": "critical",
        },
        url="http://vm:27104/graph?g0.expr=checkout%3Aerror_ratio%3Arate10s+%3E+0.1&g0.tab=1",
    )


def test_the_resolved_notification_is_the_same_episode_with_its_end():
    (fired,) = parse(payload("alertmanager_0_25_firing"))
    (resolved,) = parse(payload("alertmanager_0_25_resolved"))
    assert resolved.id == fired.id
    assert resolved.status == "resolved"
    assert resolved.ends_at == datetime(2026, 11, 20, 9, 38, 44, 704_000, tzinfo=UTC)


def test_an_alert_without_status_or_fingerprint_gets_the_groups_status_and_a_derived_fingerprint():
    (found,) = parse(payload("alertmanager_v4_single_no_fingerprint"))
    assert found.status == "firing"
    assert len(found.fingerprint) == 16
    assert found.service == "docker_nodes"
    assert found.starts_at == datetime(2018, 3, 7, 11, 33, 21, 873_077, tzinfo=UTC)
    assert parse(payload("alertmanager_v4_single_no_fingerprint"))[0].id == found.id


def test_derived_fingerprints_tell_different_labels_apart_whatever_their_order():
    def derived(labels: dict[str, str]) -> str:
        return parse(body(alert(labels=labels)))[0].fingerprint

    assert derived({"a": "1", "b": "2"}) == derived({"b": "2", "a": "1"})
    assert derived({"a": "1", "b": "2"}) != derived({"a": "1", "b": "3"})


def test_two_alerts_with_the_same_labels_stay_two():
    found = parse(payload("alertmanager_v4_two_alerts_same_host"))
    assert len({one.id for one in found}) == 2
    assert [one.description for one in found] == [
        "CPU core temperature is 34.75C",
        "CPU core temperature is 17.625C",
    ]
    assert {one.service for one in found} == {""}


def test_the_service_label_wins_over_the_job():
    (found,) = parse(payload("alertmanager_v4_high_error_rate"))
    assert (found.labels["job"], found.service) == ("api-server", "checkout-api")


def test_an_alert_that_fires_has_no_end():
    (found,) = parse(payload("alertmanager_v4_alerta"))
    assert found.ends_at is None
    assert parse(body(alert(endsAt="2026-01-01T01:00:00Z")))[0].ends_at is None


def test_grafanas_notifications_of_the_same_form_are_taken():
    assert [one.name for one in parse(payload("grafana_unified_two_alerts_firing"))] == [
        "High memory usage",
        "High CPU usage",
    ]


def test_an_alert_may_differ_from_its_groups_status():
    found = parse(body(alert(status="resolved", endsAt="2026-01-01T01:00:00Z"), alert()))
    assert [one.status for one in found] == ["resolved", "firing"]


def test_alerts_that_were_left_out_are_counted_for_their_group():
    sent = told((CASES / "03-am-truncated-alerts" / "notification.json").read_bytes())
    missing = sent.left_out.alert
    group = json.loads((CASES / "03-am-truncated-alerts" / "notification.json").read_text("utf-8"))
    assert (missing.status, missing.left_out) == ("firing", group["truncatedAlerts"] == 37 and 37)
    assert missing.summary.startswith("37 of 38 alerts of the group ")
    assert all(f"{name}={value}" in missing.summary for name, value in group["groupLabels"].items())
    whole = told(body(alert(), groupKey=group["groupKey"], groupLabels=group["groupLabels"])).left_out.alert
    assert (whole.status, whole.fingerprint) == ("resolved", missing.fingerprint)


@pytest.mark.parametrize(
    ("labels", "service", "severity"),
    [
        ({"service": "checkout"}, "checkout", "critical"),  # how grave they are is not known
        ({"job": "checkout", "severity": "warning"}, "checkout", "warning"),
        ({"alertname": "Down"}, "", "critical"),
    ],
)
def test_what_was_left_out_has_the_groups_labels_and_not_those_that_its_shown_alerts_share(
    labels, service, severity
):
    shared = {"service": "other", "severity": "info"}
    missing = told(body(alert(), truncatedAlerts=2, groupLabels=labels, commonLabels=shared)).left_out.alert
    assert (missing.service, missing.severity, missing.left_out) == (service, severity, 2)


@pytest.mark.parametrize(
    "name", sorted(path.name for path in (CASES / "04-am-odd-part-refuses-all").glob("*.json"))
)
def test_an_odd_field_or_record_loses_nothing_but_itself(name):
    sent = told((CASES / "04-am-odd-part-refuses-all" / name).read_bytes())
    good = [one.alert for one in sent.alerts if one.alert.name == "Good"]
    assert [(one.severity, one.service, one.status) for one in good] == [("critical", "checkout", "firing")]
    assert len({one.alert.id for one in sent.alerts}) == len(sent.alerts)
    if name == "one-without-labels.json":
        assert sent.unreadable == ("alerts.1: has no labels",)
        assert sent.left_out.alert.left_out == 1


GOOD = {"labels": {"alertname": "Good", "severity": "critical"}, "startsAt": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    "odd",
    [
        {"commonLabels": ""},
        {"commonLabels": None, "commonAnnotations": [], "groupLabels": 3},
        {"truncatedAlerts": "many"},
        {"truncatedAlerts": None, "externalURL": 7, "groupKey": {}},
        {"status": "maybe"},
        {"status": None},
        {"version": 5, "receiver": None},
    ],
    ids=str,
)
def test_an_odd_field_of_the_group_is_left_out(odd):
    (found,) = parse(body(GOOD, **odd))
    assert (found.name, found.severity, found.status) == ("Good", "critical", "firing")


@pytest.mark.parametrize(
    "odd",
    [
        {"endsAt": ""},
        {"endsAt": "soon"},
        {"endsAt": None},
        {"annotations": None},
        {"annotations": {"summary": None, "description": {"a": 1}}},
        {"generatorURL": None},
        {"generatorURL": ["x"]},
        {"fingerprint": None},
        {"fingerprint": 12},
        {"fingerprint": "a b\u0000"},
        {"fingerprint": "x" * 4000},
        {"status": True},
        {"startsAt": "2026-01-01T00:00:00"},  # without a zone: UTC
        {"startsAt": "2026-01-01T00:00:00.123456789Z"},
        {"labels": {"alertname": "Good", "severity": "critical", "a": None, "b": True, "c": 3, "d": [1]}},
    ],
    ids=str,
)
def test_an_odd_field_of_an_alert_is_left_out(odd):
    sent = told(body({**GOOD, **odd}, GOOD | {"labels": {"alertname": "Beside"}}))
    assert (sent.unreadable, len(sent.alerts)) == ((), 2)
    found = sent.alerts[0].alert
    assert (found.name, found.severity, found.status) == ("Good", "critical", "firing")
    assert found.starts_at.replace(microsecond=0) == datetime(2026, 1, 1, tzinfo=UTC)
    labels = {key: value for key, value in found.labels.items() if key in "abcd"}
    assert labels == ({"b": "true", "c": "3"} if "labels" in odd else {})


@pytest.mark.parametrize("start", ["yesterday", "", None, 0, "0001-01-01T00:00:00Z", "9999-99-99T00:00:00Z"])
def test_a_start_that_cannot_be_read_is_the_moment_of_the_report(start):
    (one,) = told(body({**GOOD, "startsAt": start})).alerts
    assert (one.has_start, one.alert.starts_at) == (False, NOW)


@pytest.mark.parametrize(
    ("record", "why"),
    [(None, "is not an object"), ("x", "is not an object"), ({"labels": {}}, "has no labels")],
)
def test_a_record_that_cannot_be_read_is_named_and_counted_and_its_neighbours_are_taken(record, why):
    sent = told(body(GOOD, record, truncatedAlerts=2))
    assert [one.alert.name for one in sent.alerts] == ["Good"]
    assert sent.unreadable == (f"alerts.1: {why}",)
    assert sent.left_out.alert.left_out == 3


def test_alerts_with_one_fingerprint_and_other_labels_stay_two():
    found = parse(
        body(
            *(
                {"labels": {"alertname": name}, "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "f"}
                for name in "AB"
            )
        )
    )
    assert len({one.id for one in found}) == 2


@pytest.mark.parametrize("alerts", [None, []])
def test_a_notification_without_alerts_is_taken(alerts):
    sent = json.dumps({"status": "firing", "groupKey": "k", "alerts": alerts}).encode()
    assert parse(sent) == ()


def test_a_notification_without_alerts_is_no_error():
    assert parse(body()) == ()


def test_a_link_that_is_no_web_address_is_dropped():
    (found,) = parse(body(alert(generatorURL="javascript:alert(1)"), externalURL="http://am:9093"))
    assert found.url == "http://am:9093"


@pytest.mark.parametrize(
    "sent", [b"", b"{", b"\xff\xfe", b"not json", b'{"status": "firing"', b"[" * 100_000]
)
def test_what_is_no_json_is_refused_as_such(sent):
    assert refused(sent).code == "webhook_not_json"


@pytest.mark.parametrize(
    "name",
    [
        "grafana_legacy_ok",
        "pagerduty_v3_incident_triggered",
        "sentry_issue_created",
        "stackdriver_incident_open",
    ],
)
def test_another_systems_webhook_is_refused_as_such(name):
    assert refused(payload(name)).code == "webhook_not_alertmanager"


@pytest.mark.parametrize(
    "sent",
    [
        b"null",
        b"[]",
        b"{}",
        b'{"status": "firing"}',
        b'{"alerts": {"a": 1}}',
        b'{"alerts": "none"}',
        body(alert(labels={})),
        body(alert(labels=None), "x", None),
    ],
)
def test_a_notification_of_the_wrong_form_is_refused_with_the_place(sent):
    error = refused(sent)
    assert error.code == "webhook_not_alertmanager"
    assert error.hint


def test_a_refusal_does_not_repeat_what_was_sent():
    error = refused(body(alert(labels="xoxb-secret"), "xoxb-secret"))
    assert "xoxb-secret" not in str(error)
    assert error.__cause__ is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_MOMENTS = st.datetimes().map(lambda at: f"{at.isoformat()}Z")
_ALERTS = st.fixed_dictionaries(
    {
        "labels": st.dictionaries(st.text(max_size=5), st.text(max_size=5)) | _JSON,
        "startsAt": _MOMENTS,
    },
    optional={
        "endsAt": st.sampled_from(["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"]) | _JSON,
        "status": st.sampled_from(["firing", "resolved"]) | _JSON,
        "annotations": _JSON,
        "fingerprint": _JSON,
    },
)


_MOST_BROKEN = st.fixed_dictionaries(
    {"status": st.just("resolved"), "alerts": st.lists(_ALERTS | _JSON) | _JSON}
)
_WHOLE = st.fixed_dictionaries(
    {"labels": st.dictionaries(st.text(max_size=5), st.text(max_size=5), min_size=1), "startsAt": _MOMENTS}
)


@given(_MOST_BROKEN)
def test_any_json_gives_every_alert_of_it_by_name_or_by_reason_or_an_error_for_people(sent):
    raw, refusal, found = json.dumps(sent).encode(), "", None
    try:
        found = told(raw)
    except WebhookError as error:
        refusal = error.code
    if found is None:
        assert refusal == "webhook_not_alertmanager"
    else:
        assert len(found.alerts) + len(found.unreadable) == len(sent["alerts"] or ())
        assert found.left_out.alert.left_out == len(found.unreadable)
        for one in (*found.alerts, found.left_out):
            assert Alert.model_validate_json(one.alert.model_dump_json()) == one.alert


@given(st.lists(_WHOLE, max_size=4))
def test_alerts_that_are_whole_are_never_refused(sent):
    found = parse(body(*sent))
    assert [len(one.labels) for one in found] == [len(one["labels"]) for one in sent]


@given(st.binary() | st.lists(_WHOLE, min_size=1, max_size=2).map(lambda sent: body(*sent)[:-1]))
def test_any_bytes_that_are_no_json_give_a_webhook_error_that_says_so(sent):
    try:
        json.loads(sent)
    except ValueError:
        assert refused(sent).code == "webhook_not_json"
    else:
        assert refused(sent).code == "webhook_not_alertmanager"  # a number, or a word in quotes
