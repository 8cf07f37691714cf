"""The control API against the real shop: settings, restarts, deploys, and what it refuses."""

from __future__ import annotations

from typing import Any

import asyncpg
import httpx
import pytest

from tests.demo.open_shop import OpenShop
from tests.support.waiting import until_now

pytestmark = [pytest.mark.demo, pytest.mark.server]

BANNER = "/settings/storefront/banner"


def put(shop: OpenShop, value: Any, *, key: str = "", token: str = "", **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key, "X-Fencing-Token": token}
    return shop.http.put(
        BANNER, json={"value": value, **body}, headers={name: text for name, text in headers.items() if text}
    )


def test_a_setting_reaches_its_service_without_a_restart(shop: OpenShop) -> None:
    pid = shop.get("/status")["processes"]["storefront"]["pid"]
    put(shop, "Everything must go").raise_for_status()
    until_now(
        lambda: shop.http.get(shop.env["SHOP_STOREFRONT_URL"]).json()["banner"] == "Everything must go",
        what="the storefront shows the new banner",
    )
    assert shop.get("/status")["processes"]["storefront"]["pid"] == pid


def test_a_setting_keeps_every_version_it_had(shop: OpenShop) -> None:
    first = shop.get(BANNER)
    put(shop, "A new line", author="mira")
    history = shop.get(f"{BANNER}/history")["history"]
    assert [entry["version"] for entry in history] == list(range(1, len(history) + 1))
    assert history[-2]["value"] == first["value"]
    assert (history[-1]["value"], history[-1]["author"]) == ("A new line", "mira")


def test_a_change_that_expects_another_value_is_refused(shop: OpenShop) -> None:
    put(shop, "Now")
    answer = put(shop, "Next", expect="Before")
    assert (answer.status_code, answer.json()["error"]) == (409, "not_as_expected")
    assert answer.json()["current"]["value"] == "Now"
    assert shop.get(BANNER)["value"] == "Now"


def test_the_same_idempotency_key_changes_a_setting_once(shop: OpenShop) -> None:
    first = put(shop, "Once", key="run-1/step-2")
    put(shop, "Somebody else's")
    again = put(shop, "Once", key="run-1/step-2")
    assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
    assert shop.get(BANNER)["value"] == "Somebody else's"
    assert put(shop, "Twice", key="run-1/step-2").json()["error"] == "key_reused"


def test_a_lower_fencing_token_than_one_seen_under_a_key_is_refused(shop: OpenShop) -> None:
    put(shop, "Seven", key="run-2/step-1", token="7").raise_for_status()
    stale = put(shop, "Seven", key="run-2/step-1", token="6")
    assert (stale.status_code, stale.json()["error"], stale.json()["seen"]) == (409, "stale_fencing_token", 7)
    assert put(shop, "Nine", token="ix").status_code == 400
    assert put(shop, "Seven", key="run-2/step-1", token="8").headers["Idempotent-Replay"] == "true"


def test_a_low_fencing_token_of_another_run_is_not_stale(shop: OpenShop) -> None:
    put(shop, "From run 3", key="run-3/step-1", token="9").raise_for_status()
    put(shop, "From run 4", key="run-4/step-1", token="1").raise_for_status()
    assert shop.get(BANNER)["value"] == "From run 4"


def test_without_a_key_fencing_tokens_hold_for_the_whole_setting(shop: OpenShop) -> None:
    put(shop, "Five", token="5").raise_for_status()
    assert put(shop, "Four", token="4").status_code == 409
    assert shop.get(BANNER)["value"] == "Five"


def test_a_flag_flip_is_recorded_as_one(shop: OpenShop) -> None:
    path = "/settings/storefront/express_checkout"
    try:
        answer = shop.http.put(path, json={"value": False, "author": "jonas", "reason": "too quick"})
        (change,) = shop.get("/changes", since=answer.json()["at"], service="storefront")["changes"]
        assert (change["kind"], change["author"], change["before"], change["after"]) == (
            "flag",
            "jonas",
            "True",
            "False",
        )
        assert shop.http.get(change["link"]).json() == change
        until_now(
            lambda: shop.log_lines("storefront.jsonl", since=answer.json()["at"])[-1:],
            what="buyers come the long way",
        )
        shop.until_well()
    finally:
        shop.http.put(path, json={"value": True})


def test_the_ledger_begins_with_an_innocent_past(shop: OpenShop) -> None:
    past = shop.get("/changes")["changes"][:5]
    assert [(change["kind"], change["service"]) for change in past] == [
        ("deploy", "payments"),
        ("deploy", "checkout"),
        ("config", "checkout"),
        ("flag", "storefront"),
        ("deploy", "storefront"),
    ]
    assert [change["at"] for change in past] == sorted(change["at"] for change in past)


def test_a_restart_under_one_key_happens_once(shop: OpenShop) -> None:
    headers = {"Idempotency-Key": "run-9/restart", "X-Fencing-Token": "3"}
    first = shop.http.post("/services/payments/restart", json={}, headers=headers).json()
    again = shop.http.post("/services/payments/restart", json={}, headers=headers).json()
    assert first == again
    assert first["pid"] != first["pid_before"]
    assert shop.get("/status")["processes"]["payments"]["pid"] == first["pid"]
    stale = shop.http.post("/services/payments/restart", json={}, headers={**headers, "X-Fencing-Token": "2"})
    assert stale.status_code == 409


def test_a_deploy_is_noticed_by_no_buyer(shop: OpenShop) -> None:
    failed = shop.get("/load")["failed"]
    answer = shop.http.post("/services/storefront/deploy", json={"version": "2.3.2", "author": "aiko"}).json()
    assert answer["version"] == "2.3.2"
    body = shop.http.get(f"{shop.env['SHOP_STOREFRONT_URL']}/healthz").json()
    assert body["version"] == "2.3.2"
    answered = shop.get("/load")["ok"]
    until_now(lambda: shop.get("/load")["ok"] > answered + 20, what="buyers go on buying")
    assert shop.get("/load")["failed"] == failed


def test_a_candidate_without_a_shift_takes_no_traffic(shop: OpenShop) -> None:
    answer = shop.http.post("/services/checkout/deploy", json={"version": "1.4.3", "shift": False}).json()
    assert answer["process"] == "checkout-candidate"
    status = shop.get("/status")
    assert status["processes"]["checkout-candidate"]["version"] == "1.4.3"
    assert status["weights"] == {"stable": 100, "candidate": 0}
    checkout = next(found for found in status["services"] if found["name"] == "checkout")
    assert checkout["version"] == "1.4.1"


def test_the_rate_of_buyers_can_be_set(shop: OpenShop) -> None:
    try:
        assert shop.http.put("/load", json={"rate_per_s": 30}).json()["rate_per_s"] == 30
        assert shop.http.put("/load", json={"rate_per_s": 0}).status_code == 422
        assert shop.http.put("/load", json={"rate_per_s": True}).status_code == 422
    finally:
        shop.http.put("/load", json={"rate_per_s": 20})


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("PUT", BANNER, b"{", 400),
        ("PUT", BANNER, b"[]", 422),
        ("PUT", BANNER, b"{}", 422),
        ("PUT", BANNER, b'{"value": 3}', 422),
        ("PUT", "/settings/payments/bank_timeout_ms", b'{"value": true}', 422),
        ("PUT", "/settings/payments/luck", b'{"value": 3}', 404),
        ("GET", "/settings/bakery", b"", 404),
        ("GET", "/settings/payments/luck/history", b"", 404),
        ("POST", "/services/bakery/restart", b"", 404),
        ("POST", "/services/bank/restart", b"", 404),
        ("POST", "/services/checkout/restart", b'{"slot": "third"}', 404),
        ("POST", "/services/checkout/deploy", b"{}", 422),
        ("GET", "/changes?since=yesterday", b"", 400),
        ("GET", "/changes?since=2026-01-31T09:30:00", b"", 400),
        ("GET", "/changes/none", b"", 404),
        ("GET", "/load?window_s=0", b"", 422),
    ],
)
def test_nonsense_is_refused_with_a_reason(
    shop: OpenShop, method: str, path: str, content: bytes, status: int
) -> None:
    answer = shop.http.request(method, path, content=content)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert answer.json()["message"]


def test_another_site_in_the_browser_cannot_change_the_shop(shop: OpenShop) -> None:
    answer = shop.http.post("/faults/bad-release", headers={"Origin": "http://elsewhere.example"})
    assert answer.status_code == 403
    assert shop.fault("bad-release")["state"] == "off"


async def test_the_database_role_of_the_bot_sees_all_sessions_and_changes_no_data(shop: OpenShop) -> None:
    connection = await asyncpg.connect(shop.env["SHOP_POSTGRES_DSN"])
    try:
        assert await connection.fetchval("SELECT current_setting('is_superuser')") == "off"
        names = await connection.fetch("SELECT application_name FROM pg_stat_activity WHERE query <> ''")
        assert "checkout-stable" in {row["application_name"] for row in names}
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("UPDATE stock SET available = 0")
    finally:
        await connection.close()
