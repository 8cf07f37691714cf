"""Every fault against the real shop: what it does, whom it alerts, and that the operator's cure works.

The order saves time, nothing more: a test that needs an alert to be quiet comes late after one that raises it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

import asyncpg
import pytest

from tests.demo.open_shop import OpenShop
from tests.support.waiting import until_now

pytestmark = [pytest.mark.demo, pytest.mark.server]

STRAY = 3
"""On a busy machine a request may time out without any fault; a fault fails many more."""


def haproxy(shop: OpenShop, line: str) -> str:
    """Say a line to HAProxy's runtime socket, as an operator would."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(shop.env["SHOP_HAPROXY_SOCKET"])
        connection.sendall(f"{line}\n".encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part
    return answer.decode()


def version(shop: OpenShop, service: str) -> str:
    services = shop.get("/status")["services"]
    return str(next(found["version"] for found in services if found["name"] == service))


async def terminate_blockers(dsn: str) -> list[str]:
    """End the sessions at the root of every lock queue, over the role the bot has."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT b.pid, b.application_name FROM pg_stat_activity w, "
            "unnest(pg_blocking_pids(w.pid)) AS blocker(pid), pg_stat_activity b "
            "WHERE b.pid = blocker.pid AND cardinality(pg_blocking_pids(b.pid)) = 0"
        )
        for row in rows:
            assert await connection.fetchval("SELECT pg_terminate_backend($1)", row["pid"])
    finally:
        await connection.close()
    return [row["application_name"] for row in rows]


def test_a_false_alarm_alerts_while_no_buyer_fails(shop: OpenShop) -> None:
    failed = shop.get("/load")["failed"]
    shop.begin("false-alarm")
    alert = shop.run_until_stopped("CheckoutHighErrorRate", "checkout")
    assert alert["annotations"]["summary"]
    shop.http.delete("/faults/false-alarm").raise_for_status()
    shop.run_until_stopped("CheckoutHighErrorRate", "checkout", "resolved")
    assert shop.get("/load")["failed"] - failed <= STRAY


def test_a_log_storm_floods_the_log_beside_an_innocent_deploy_and_nothing_fails(shop: OpenShop) -> None:
    failed, before = shop.get("/load")["failed"], version(shop, "storefront")
    shop.begin("log-storm")
    began = shop.fault("log-storm")["since"]
    shop.run_until_stopped("LogVolumeHigh", "storefront")
    storm = [line for line in shop.log_lines("storefront*.jsonl", since=began) if line["level"] == "WARN"]
    assert {line["event"] for line in storm} == {"deprecated_header"}
    assert len(storm) > 100
    changes = shop.get("/changes", since=began, service="storefront")["changes"]
    assert [change["data"] for change in changes] == [{"version": "2.3.1", "previous_version": before}]
    assert version(shop, "storefront") == "2.3.1"
    assert shop.get("/load")["failed"] - failed <= STRAY


def test_a_bad_release_fails_a_third_of_the_orders_until_the_weights_go_back(shop: OpenShop) -> None:
    shop.until_not_firing("CheckoutHighErrorRate", "checkout")
    shop.begin("bad-release")
    began = shop.fault("bad-release")["since"]
    alert = shop.run_until_stopped("CheckoutHighErrorRate", "checkout")
    assert alert["labels"]["severity"] == "page"
    assert version(shop, "checkout") == "1.4.2"
    shop.until_failing(more_than=0.1)
    errors = [line for line in shop.log_lines("checkout-candidate.jsonl", since=began) if "stack" in line]
    assert all(line["error"].startswith("KeyError: ") and "union_rate" in line["stack"] for line in errors)
    assert {line["version"] for line in errors} == {"1.4.2"}
    seen_by_storefront = shop.log_lines("storefront.jsonl", since=errors[0]["ts"])
    assert errors[0]["trace_id"] in {line.get("trace_id") for line in seen_by_storefront}
    assert shop.get("/changes", since=began)["changes"][0]["after"] == "1.4.2"

    haproxy(shop, "set server checkout/stable weight 100")
    haproxy(shop, "set server checkout/candidate weight 0")

    shop.until_well()
    assert version(shop, "checkout") == "1.4.1"
    assert shop.fault("bad-release")["state"] == "cured"
    shop.run_until_stopped("CheckoutHighErrorRate", "checkout", "resolved")


def test_a_bank_that_hangs_fails_payments_until_the_other_bank_is_used(shop: OpenShop) -> None:
    shop.until_not_firing("PaymentsErrors", "payments")
    shop.begin("dependency-down")
    began = shop.fault("dependency-down")["since"]
    shop.run_until_stopped("PaymentsErrors", "payments")
    shop.until_failing(more_than=0.5)
    ready = shop.http.get(f"{shop.env['SHOP_PAYMENTS_URL']}/readyz")
    assert (ready.status_code, ready.json()["dependencies"]["bank"]["ok"]) == (503, False)
    blamed = {
        service: {
            line["dependency"]
            for line in shop.log_lines(f"{service}*.jsonl", since=began)
            if line["event"] == "dependency_failed"
        }
        for service in ("storefront", "checkout", "payments")
    }
    assert blamed == {"storefront": {"checkout"}, "checkout": {"payments"}, "payments": {"bank"}}

    change = shop.http.put("/settings/payments/bank", json={"value": "backup", "expect": "primary"})
    change.raise_for_status()

    shop.until_well()
    assert shop.fault("dependency-down")["state"] == "cured"


def test_a_database_lock_exhausts_the_connections_until_its_session_is_terminated(shop: OpenShop) -> None:
    shop.begin("database-lock")
    began = shop.fault("database-lock")["since"]
    shop.until_failing(more_than=0.5)
    shop.run_until_stopped("DatabaseConnectionsExhausted", "checkout")
    events = {line["event"] for line in shop.log_lines("checkout-stable.jsonl", since=began)}
    assert {"database_pool_exhausted", "database_timeout"} <= events

    assert asyncio.run(terminate_blockers(shop.env["SHOP_POSTGRES_DSN"])) == ["nightly-report"]

    shop.until_well()
    assert shop.fault("database-lock")["state"] == "cured"


def test_a_saturated_payments_burns_its_processor_until_it_is_restarted(shop: OpenShop) -> None:
    shop.begin("saturation")
    shop.run_until_stopped("ServiceSaturated", "payments")
    shop.until_failing(more_than=0.3)
    assert shop.query('rate(process_cpu_seconds_total{service="payments"}[5s])') > 0.35

    shop.http.post("/services/payments/restart", json={"author": "an operator"}).raise_for_status()

    shop.until_well()
    assert shop.fault("saturation")["state"] == "cured"


def test_a_process_that_dies_is_started_again(shop: OpenShop) -> None:
    def bank_backup() -> dict[str, Any]:
        return dict(shop.get("/status")["processes"]["bank-backup"])

    before = bank_backup()["pid"]
    os.kill(before, signal.SIGKILL)
    until_now(lambda: bank_backup()["ready"] and bank_backup()["pid"] != before, what="the bank is back")


@pytest.mark.parametrize(
    ("path", "parameters", "status"),
    [
        ("/faults/earthquake", {}, 404),
        ("/faults/saturation", {"resource": "patience"}, 422),
        ("/faults/false-alarm", {"seconds": -1}, 422),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_and_stays_off(
    shop: OpenShop, path: str, parameters: dict[str, object], status: int
) -> None:
    assert shop.http.post(path, json=parameters).status_code == status
    assert {fault["state"] for fault in shop.get("/faults")["faults"]} == {"off"}


def test_only_whoever_holds_the_token_may_make_a_process_sick(shop: OpenShop) -> None:
    url = f"{shop.env['SHOP_PAYMENTS_URL']}/fault/saturation"
    assert (
        shop.http.post(url, json={"resource": "cpu"}, headers={"X-Fault-Token": "guess"}).status_code == 403
    )
    assert shop.http.post(url, json={"resource": "cpu"}).status_code == 403


def test_prometheus_reads_every_service_and_haproxy(shop: OpenShop) -> None:
    until_now(lambda: shop.query('sum(up{job="services"})') == 4, what="four processes are up")
    until_now(lambda: shop.query('count(up{job="haproxy"} == 1)') == 1, what="HAProxy is up")
    sold = 'sum(rate(http_requests_total{service="checkout",status="201"}[5s]))'
    until_now(lambda: shop.query(sold) > 5, what="more than five orders a second")


def test_a_bad_setting_fails_payments_without_a_deploy_until_it_is_restored(shop: OpenShop) -> None:
    shop.until_not_firing("PaymentsErrors", "payments")
    shop.begin("bad-configuration")
    began = shop.fault("bad-configuration")["since"]
    shop.run_until_stopped("PaymentsErrors", "payments")
    shop.until_failing(more_than=0.5)
    (change,) = shop.get("/changes", since=began)["changes"]
    assert (change["kind"], change["service"]) == ("config", "payments")
    assert change["data"] == {"key": "bank_timeout_ms", "before": 2000, "after": 5}

    restored = shop.http.put("/settings/payments/bank_timeout_ms", json={"value": 2000, "expect": 5})
    restored.raise_for_status()

    shop.until_well()
    assert shop.fault("bad-configuration")["state"] == "cured"


def test_of_two_faults_each_cure_mends_its_own_share(shop: OpenShop) -> None:
    shop.begin("two-faults")
    shop.until_failing(more_than=0.3)
    assert shop.query('sum(rate(http_requests_total{service="checkout",status=~"5.."}[5s]))') > 0
    assert shop.query('sum(rate(http_requests_total{service="payments",status=~"5.."}[5s]))') > 0
    shop.http.put("/settings/payments/bank_timeout_ms", json={"value": 2000}).raise_for_status()
    assert shop.fault("two-faults")["state"] == "on"
    haproxy(shop, "set server checkout/candidate weight 0")
    haproxy(shop, "set server checkout/stable weight 100")
    shop.until_well()
    assert shop.fault("two-faults")["state"] == "cured"


def test_the_loud_innocent_is_deployed_and_the_setting_is_what_hurts(shop: OpenShop) -> None:
    shop.begin("loud-innocent")
    began = shop.fault("loud-innocent")["since"]
    shop.until_failing(more_than=0.5)
    kinds = {(change["kind"], change["service"]) for change in shop.get("/changes", since=began)["changes"]}
    assert kinds == {("deploy", "storefront"), ("config", "payments")}
    shop.http.put("/settings/payments/bank_timeout_ms", json={"value": 2000}).raise_for_status()
    shop.until_well()
    assert (shop.fault("loud-innocent")["state"], version(shop, "storefront")) == ("cured", "2.3.1")


def test_a_reset_ends_whatever_is_on(shop: OpenShop) -> None:
    shop.begin("bad-configuration")
    shop.begin("database-lock")
    shop.http.post("/faults/reset").raise_for_status()
    assert {fault["state"] for fault in shop.get("/faults")["faults"]} == {"off"}
    shop.until_well()


def test_a_fault_that_is_switched_on_twice_begins_once(shop: OpenShop) -> None:
    shop.begin("bad-configuration")
    began = shop.fault("bad-configuration")["since"]
    shop.begin("bad-configuration")
    assert shop.fault("bad-configuration")["since"] == began
    assert len(shop.get("/changes", since=began)["changes"]) == 1
