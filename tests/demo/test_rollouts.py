"""Deployments of every kind to the real shop, by the bot's own actions, as its clients see them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bot.actions import deploy
from bot.actions.migrations import actions as migrations
from bot.actions.postgres import actions as postgres
from bot.domain.errors import ActionFailedError
from bot.probes import deploy as probes
from bot.probes.migrations import probes as plans
from bot.probes.postgres import probes as database
from tests.demo.open_shop import OpenShop, Webhook, start_shop, stop_shop
from tests.demo.rollouts import (
    Holder,
    Operator,
    answered,
    broken,
    columns,
    observed,
    operator_of,
    order,
    served,
    until_answers,
    until_synced,
)
from tests.support.waiting import until, until_now

pytestmark = [pytest.mark.demo, pytest.mark.server]

STABLE, GOOD = "1.4.1", "1.5.0"


@pytest.fixture(scope="module")
def open_holder() -> Iterator[Holder]:
    holder = Holder()
    yield holder
    holder.close()


@pytest.fixture(scope="module")
def leased(
    tmp_path_factory: pytest.TempPathFactory, open_holder: Holder, webhook: Webhook
) -> Iterator[OpenShop]:
    """A shop whose candidate hangs on a lease, for the tests of this file."""
    folder = tmp_path_factory.mktemp("leased")
    process, facts = start_shop(
        folder, "--lease-address", open_holder.address, "--lease-token", open_holder.token
    )
    try:
        with httpx.Client(base_url=facts["control_url"], timeout=60, trust_env=False) as http:
            http.put("/load", json={"rate_per_s": 25}).raise_for_status()
            yield OpenShop(facts, webhook, http)
    finally:
        assert stop_shop(process) == 0


@pytest.fixture
def holder(open_holder: Holder) -> Iterator[Holder]:
    yield open_holder
    open_holder.holds = True


@pytest.fixture
async def operator(leased: OpenShop, holder: Holder) -> AsyncIterator[Operator]:
    """Deploys to the shop; afterwards checkout is as it was at first."""
    async with operator_of(leased.env) as made:
        yield made
        holder.holds = True
        await deploy.rollback(made.ctx(), service="checkout", to_version=STABLE)


async def test_a_canary_goes_all_the_way_and_back_and_no_buyer_is_failed(
    operator: Operator, leased: OpenShop
) -> None:
    before = broken(leased)
    await deploy.stage(operator.ctx(), service="checkout", version=GOOD)
    assert await answered(operator, GOOD) == 0
    for percent in (5, 50):
        await deploy.shift(operator.ctx(), service="checkout", version=GOOD, percent=percent)
        await until_answers(operator, GOOD, more=5)
    counts = (await probes.counts(operator.ctx(), service="checkout")).data
    assert (counts["weight"], counts["canary"]["errors"]) == (0.5, 0)
    assert counts["canary"]["requests"] >= 10
    await deploy.promote(operator.ctx(), service="checkout", version=GOOD)
    assert (await observed(operator))["stable"]["version"] == GOOD
    await deploy.rollback(operator.ctx(), service="checkout", to_version=STABLE)
    await until_answers(operator, STABLE, more=10)
    assert broken(leased) == before
    seen = await operator.load("checkout")
    assert seen["by_version"][GOOD]["last_at"] < seen["by_version"][STABLE]["last_at"]


async def test_a_canary_has_traffic_only_while_its_lease_is_held(
    operator: Operator, leased: OpenShop, holder: Holder
) -> None:
    before = broken(leased)
    await deploy.stage(operator.ctx(), service="checkout", version=GOOD)
    await deploy.shift(operator.ctx(), service="checkout", version=GOOD, percent=50)
    await until_answers(operator, GOOD, more=5)
    holder.holds = False

    async def silent() -> bool:
        before = await answered(operator, GOOD)
        await until_answers(operator, STABLE, more=20)
        return await answered(operator, GOOD) == before

    await until(silent, what="the canary answers nobody any more")
    holder.holds = True
    await until_answers(operator, GOOD, more=5)
    assert holder.asked == {"/leases/checkout/candidate"}
    assert broken(leased) == before


async def test_a_tenant_and_a_header_are_routed_to_the_canary_and_nobody_else(operator: Operator) -> None:
    await deploy.stage(operator.ctx(), service="checkout", version=GOOD)
    await deploy.shift(operator.ctx(), service="checkout", version=GOOD, percent=0, routes=["acme"])
    assert {await served(operator, tenant="acme") for _ in range(10)} == {"candidate"}
    assert {await served(operator, tenant="other") for _ in range(10)} == {"stable"}
    assert {await served(operator, canary="always") for _ in range(10)} == {"candidate"}
    assert {await served(operator, canary="never") for _ in range(10)} == {"stable"}
    await deploy.shift(operator.ctx(), service="checkout", version=GOOD, percent=0)
    assert await served(operator, tenant="acme") == "stable"


async def test_a_canary_that_is_killed_fails_no_question(operator: Operator, leased: OpenShop) -> None:
    await deploy.stage(operator.ctx(), service="checkout", version=GOOD)
    await deploy.shift(operator.ctx(), service="checkout", version=GOOD, percent=50)
    pid = leased.get("/status")["processes"]["checkout-candidate"]["pid"]
    asking = [asyncio.create_task(served(operator)) for _ in range(20)]
    os.kill(pid, signal.SIGKILL)
    told = await asyncio.gather(*asking, *(served(operator) for _ in range(20)))
    assert set(told) <= {"stable", "candidate"}
    assert "stable" in told


async def test_releases_are_as_good_and_as_bad_as_the_registry_says(operator: Operator) -> None:
    async def failures(version: str, **cart: str) -> int:
        await deploy.stage(operator.ctx(), service="checkout", version=version)
        await until(lambda: reaches(version), what=f"HAProxy sees {version}")
        return sum([await order(operator, **cart) == 500 for _ in range(30)])

    async def reaches(version: str) -> bool:
        answer = await operator.http.get(
            f"{operator.env['SHOP_CHECKOUT_URL']}/stock/tea", headers={"X-Canary": "always"}
        )
        return answer.headers.get("X-Service-Version") == version

    assert await failures("1.5.0", coupon="SPRING") == 0
    assert 0 < await failures("1.5.1") < 30
    assert await failures("1.5.2") == 0
    assert await failures("1.5.2", coupon="SPRING") == 30
    assert await failures("1.6.0") == 30, "it needs a column that is not there"


async def test_odd_coupons_give_every_release_a_base_of_errors(operator: Operator) -> None:
    failed = (await operator.load("checkout"))["failed"]
    try:
        await operator.set_load("checkout", faulty_share=0.2)

        async def some() -> bool:
            return bool((await operator.load("checkout"))["failed"] > failed + 3)

        await until(some, what="some buyers fail at the stable release")
    finally:
        await operator.set_load("checkout", faulty_share=0)


async def test_a_release_that_does_not_come_up_gets_no_traffic(operator: Operator) -> None:
    with pytest.raises(ActionFailedError, match="it was stopped again and had no traffic"):
        await deploy.stage(operator.ctx(timeout_s=5), service="checkout", version="1.5.4")
    state = await operator.http.get(f"{operator.env['SHOP_LAUNCH_URL']}/checkout/candidate")
    assert state.json()["state"] == "stopped"
    assert await answered(operator, "1.5.4") == 0


def test_a_release_of_the_shop_itself_needs_no_lease(leased: OpenShop, holder: Holder) -> None:
    holder.holds = False
    leased.begin("bad-release")
    leased.until_failing(more_than=0.1)
    assert leased.http.delete("/faults/bad-release").json()["state"] == "off"
    leased.until_well()


def test_a_slot_is_launched_once_a_key_and_by_nobody_who_was_overtaken(leased: OpenShop) -> None:
    path, headers = "/launch/receipts/green", {"Idempotency-Key": "run-1/launch", "X-Fencing-Token": "5"}
    body = {"version": "1.3.0"}
    first = leased.http.put(path, json=body, headers=headers)
    again = leased.http.put(path, json=body, headers=headers)
    assert (again.json(), again.headers["Idempotent-Replay"]) == (first.json(), "true")
    stale = leased.http.put(path, json=body, headers={**headers, "X-Fencing-Token": "4"})
    assert (stale.status_code, stale.json()["error"]) == (409, "stale_fencing_token")
    until_now(lambda: leased.get(path)["state"] == "running", what="1.3.0 runs in the green slot")
    assert leased.http.delete(path).json() == {
        "service": "receipts",
        "server": "green",
        "version": "",
        "state": "stopped",
    }
    assert leased.http.get("/launch/receipts/pink").json()["error"] == "unknown_slot"
    assert leased.http.put(path, json={"version": "9"}).json()["error"] == "unknown_version"
    assert leased.http.put(path, json={}).json()["error"] == "no_version"


async def test_instances_are_replaced_one_by_one_and_a_bad_version_stops_at_the_first(
    operator: Operator,
) -> None:
    instances = ["a", "b", "c", "d"]
    await operator.set_load("catalog", per_s=40)
    done = await deploy.replace(operator.ctx(), service="catalog", version="2.1.0", instances=instances)
    assert done.before["versions"] == dict.fromkeys(instances, "2.0.4")
    await until_answers(operator, "2.1.0", more=10, service="catalog")
    with pytest.raises(ActionFailedError, match=r"2\.1\.0 on a serves again"):
        await deploy.replace(
            operator.ctx(timeout_s=10), service="catalog", version="2.1.1", instances=instances
        )
    versions = {one["name"]: one["version"] for one in (await observed(operator, "catalog"))["instances"]}
    assert [versions[name] for name in instances] == ["2.1.0", "2.1.0", "2.1.0", "2.1.0"]
    await deploy.restore(operator.ctx(), service="catalog", versions=done.before["versions"])
    seen = await operator.load("catalog")
    assert (seen["failed"], seen["by_version"].get("2.1.1")) == (0, None)
    await operator.set_load("catalog", per_s=0.05)


@pytest.mark.parametrize(
    ("service", "old", "new"), [("receipts", "1.2.0", "1.3.0"), ("checkout@staging", STABLE, GOOD)]
)
async def test_all_traffic_changes_colour_and_back_and_nothing_fails(
    operator: Operator, service: str, old: str, new: str
) -> None:
    await operator.set_load(service, per_s=40)
    await deploy.stage(operator.ctx(), service=service, version=new)
    await deploy.shift(operator.ctx(), service=service, version=new, percent=100)
    await until_answers(operator, new, more=10, service=service)
    await deploy.rollback(operator.ctx(), service=service)
    await until_answers(operator, old, more=10, service=service)
    assert (await operator.load(service))["failed"] == 0
    await operator.set_load(service, per_s=0.05)


async def test_clients_who_keep_their_cookie_change_colour_as_well(operator: Operator) -> None:
    old, new = "1.2.0", "1.3.2"
    failed = (await operator.load("receipts"))["failed"]
    await operator.set_load("receipts", per_s=40, returning=True)
    await until_answers(operator, old, more=60, service="receipts")
    held = await operator.http.get(f"{operator.env['SHOP_RECEIPTS_URL']}/")
    assert held.cookies["SLOT"] == held.headers["X-Served-By"]
    await deploy.stage(operator.ctx(), service="receipts", version=new)
    await deploy.promote(operator.ctx(), service="receipts", version=new, keep_warm=True)
    before = await answered(operator, old, "receipts")
    await until_answers(operator, new, more=60, service="receipts")
    assert await answered(operator, old, "receipts") == before
    await deploy.rollback(operator.ctx(), service="receipts", to_version=old)
    await until_answers(operator, old, more=60, service="receipts")
    assert (await operator.load("receipts"))["failed"] == failed
    await operator.set_load("receipts", per_s=0.05, returning=False)


async def test_a_release_with_a_new_column_serves_beside_the_old_one_once_the_schema_is_there(
    operator: Operator,
    leased: OpenShop,
) -> None:
    plan = (await plans.plan(operator.ctx(), service="checkout", version="1.6.0")).data
    assert (plan["rollback"]["verdict"], plan["gaps"]) == ("until", [])
    assert "contract" in plan["rollback"]["step"]
    for phase in ("expand", "migrate"):
        await migrations.apply(operator.ctx(), service="checkout", version="1.6.0", phase=phase)
    before = broken(leased)
    await deploy.stage(operator.ctx(), service="checkout", version="1.6.0")
    await deploy.shift(operator.ctx(), service="checkout", version="1.6.0", percent=50)
    for version in ("1.6.0", STABLE):
        await until_answers(operator, version, more=10)
    assert broken(leased) == before
    await deploy.rollback(operator.ctx(), service="checkout")
    for phase in ("migrate", "expand"):
        await migrations.revert(operator.ctx(), service="checkout", version="1.6.0", phase=phase)
    assert "contact" not in await columns(operator.env["SHOP_POSTGRES_DSN"])


async def test_checkouts_database_is_told_of_and_backed_up_with_the_roles_of_its_catalogue(
    operator: Operator,
) -> None:
    state = (await database.state(operator.ctx(), service="checkout")).data
    assert (state["gaps"], state["rollback"]["verdict"]) == ([], "safe")
    assert state["tables"]["stock"]["exact"] is True
    done = await postgres.backup(operator.ctx(), service="checkout", version="1.6.0")
    assert {"public.orders", "public.stock"} <= {*done.after["tables"]}
    again = (await database.state(operator.ctx(), service="checkout")).data
    assert again["backup"]["sha256"] == done.after["sha256"]


async def test_the_unsafe_migration_is_seen_to_have_no_way_back_and_hurts_only_staging(
    operator: Operator,
    leased: OpenShop,
) -> None:
    plan = (await plans.plan(operator.ctx(), service="checkout@staging", version="1.7.0")).data
    assert (plan["rollback"]["verdict"], plan["gaps"]) == ("impossible", [])
    before = broken(leased)
    await migrations.apply(operator.ctx(), service="checkout@staging", version="1.7.0", phase="expand")
    assert "ship_to" in await columns(operator.env["SHOP_POSTGRES_STAGING_DSN"])
    assert "ship_to" not in await columns(operator.env["SHOP_POSTGRES_DSN"])
    await until_answers(operator, STABLE, more=10)
    assert broken(leased) == before


async def test_what_git_says_is_deployed_and_only_a_revert_in_git_takes_it_back(operator: Operator) -> None:
    old, bad = "0.9.1", "1.0.1"
    await operator.set_load("search", per_s=40)
    await until_synced(operator, old)
    await deploy.promote(operator.ctx(), service="search", version=bad, by="git")
    revision = await until_synced(operator, bad)
    await until_answers(operator, bad, more=10, service="search")
    slot = f"{operator.env['SHOP_LAUNCH_URL']}/search/live"
    (await operator.http.put(slot, json={"version": old})).raise_for_status()
    assert await until_synced(operator, bad) == revision, "the bad version is back without a commit"
    await deploy.rollback(operator.ctx(), service="search", to_version=old, by="git")
    assert await until_synced(operator, old) != revision
    await until_answers(operator, old, more=40, service="search")
    seen = (await operator.load("search"))["by_version"]
    assert seen[bad]["last_at"] < seen[old]["last_at"]
    assert seen[old]["failed"] == 0 < seen[bad]["failed"]
    synced = (await operator.http.get(f"{operator.env['SHOP_CONTROL_URL']}/changes?service=search")).json()
    assert [one["after"] for one in synced["changes"]] == [bad, bad, old]
    await operator.set_load("search", per_s=0.05)


async def test_services_that_keep_nothing_have_no_migrations(operator: Operator) -> None:
    plan = (await plans.plan(operator.ctx(), service="catalog", version="2.1.0")).data
    assert (plan["rollback"]["verdict"], plan["files"]) == ("safe", [])


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/load/bakery", {"per_s": 1}, "unknown_service"),
        ("/load/checkout", {"per_s": -1}, "bad_rate"),
        ("/load/checkout", {"faulty_share": 0.6}, "bad_parameter"),
        ("/load/checkout", {"returning": True}, "bad_parameter"),
        ("/load/receipts", {"returning": "yes"}, "bad_parameter"),
    ],
)
def test_a_load_that_makes_no_sense_is_refused(
    leased: OpenShop, path: str, body: dict[str, object], error: str
) -> None:
    assert leased.http.put(path, json=body).json()["error"] == error


def test_the_registry_tells_what_each_release_is_like(leased: OpenShop) -> None:
    releases = leased.get("/releases/checkout@staging")["releases"]
    assert "one order in five fails" in releases["1.5.1"]
    assert leased.http.get("/releases/bakery").json()["error"] == "unknown_service"
    assert Path(leased.env["SHOP_ROUTES_MAP"]).exists()
