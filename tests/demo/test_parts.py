"""The shop's parts on their own: what needs no whole shop to be shown."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from aiohttp import ClientSession, web
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.catalogue import Catalogue
from demo.shop import postgres
from demo.shop.alert_rules import RULES
from demo.shop.assembly import assemble
from demo.shop.change_ledger import ShopChangeLedger
from demo.shop.errors import RefusedError, ShopError
from demo.shop.guard import Guard
from demo.shop.haproxy import HAProxyServer, live
from demo.shop.launcher import ShopLauncher
from demo.shop.load import BuyerLoad
from demo.shop.monitoring import ScrapeTarget, alertmanager_config, prometheus_config
from demo.shop.processes import ChildProcess, Ports, ProcessSpec, until
from demo.shop.services import sickness
from demo.shop.services.base import ServiceError
from demo.shop.services.releases import RELEASES
from demo.shop.services.settings_file import SettingsFile
from demo.shop.services.sickness import FraudScreening
from demo.shop.services.tax import BROKEN_RELEASE, COUNTRIES, rate_of_release, with_tax
from demo.shop.settings import SettingsStore
from demo.shop.shop import CATALOGUE

BUYERS_WAY = {"storefront", "checkout", "payments", "bank"}


@given(st.sampled_from(COUNTRIES), st.integers(1, 10**7))
def test_every_release_but_the_broken_one_taxes_every_country(country: str, net_cents: int) -> None:
    for version in ("1.4.0", "1.4.1", "1.4.3"):
        assert net_cents <= with_tax(net_cents, country, rate_of_release(version)) <= net_cents * 1.25


def test_the_broken_release_fails_outside_the_union_only() -> None:
    failed = set()
    for country in COUNTRIES:
        try:
            with_tax(100, country, rate_of_release(BROKEN_RELEASE))
        except KeyError:
            failed.add(country)
    assert failed == {"GB", "CH", "NO"}


@pytest.mark.parametrize(
    ("stable", "candidate", "expected"),
    [(100, 0, "stable"), (0, 100, "candidate"), (90, 10, "stable"), (50, 50, "stable"), (0, 0, "stable")],
)
def test_the_server_with_more_weight_is_live(stable: int, candidate: int, expected: str) -> None:
    weights = {"stable": stable, "candidate": candidate}
    servers = {name: HAProxyServer(name=name, weight=weight, up=True) for name, weight in weights.items()}
    assert live(servers) == expected


def test_prometheus_and_alertmanager_accept_what_is_written_for_them(tmp_path: Path) -> None:
    rules = {"groups": [{"name": "shop", "rules": [rule.to_json(runbook_url="http://x/") for rule in RULES]}]}
    (tmp_path / "rules.yml").write_text(json.dumps(rules), encoding="utf-8")
    targets = [
        ScrapeTarget(service="checkout", port=1, slot="stable"),
        ScrapeTarget(service="payments", port=2),
    ]
    config = prometheus_config(targets, light=[], haproxy_port=3, alertmanager_port=4)
    (tmp_path / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    for token in ("", "secret"):
        written = alertmanager_config(webhook_url="http://127.0.0.1:1/alerts", webhook_token=token)
        (tmp_path / f"alertmanager{token}.yml").write_text(json.dumps(written), encoding="utf-8")
    for command in (
        ["promtool", "check", "config", "prometheus.yml"],
        ["promtool", "check", "rules", "rules.yml"],
        ["amtool", "check-config", "alertmanager.yml", "alertmanagersecret.yml"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_the_catalogue_needs_no_placeholder_that_the_shop_does_not_fill(tmp_path: Path) -> None:
    ports = Ports()
    async with ClientSession() as session:
        env = assemble(tmp_path, session=session, probe_session=session, ports=ports).env()
    ports.close()
    text = CATALOGUE.read_text(encoding="utf-8")
    for name, value in env.items():
        text = text.replace(f"${{{name}}}", value).replace(f"${{{name}:-}}", value)
    assert "${" not in text
    catalogue = Catalogue.model_validate(yaml.safe_load(text))
    assert {service.name for service in catalogue.downstream("storefront")} == BUYERS_WAY


def test_a_port_that_was_taken_can_be_listened_on() -> None:
    ports = Ports()
    taken = {ports.take() for _ in range(50)}
    assert len(taken) == 50
    for port in taken:
        with socket.create_server(("127.0.0.1", port)) as server:
            assert server.getsockname()[1] == port
    ports.close()


async def test_a_child_that_ignores_the_stop_signal_is_killed(tmp_path: Path) -> None:
    ready = tmp_path / "out"
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    child = ChildProcess(ProcessSpec(name="stubborn", command=["sh", "-c", script], output=ready))
    await child.start()

    async def trapped() -> bool:
        return b"ready" in ready.read_bytes()

    await until(trapped, what="the child", timeout_s=10)
    await child.stop(timeout_s=0.1)
    assert child.pid is None


async def test_what_never_comes_up_is_named() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(ShopError, match=r"The moon did not come up within 0\.1 s"):
        await until(never, what="The moon", timeout_s=0.1)


async def test_two_at_once_under_one_key_change_once() -> None:
    guard, done = Guard(), []

    async def change() -> dict[str, object]:
        await asyncio.sleep(0)
        done.append(1)
        return {"number": len(done)}

    answers = await asyncio.gather(*(guard.once("r", {}, change, key="k") for _ in range(5)))
    assert [answer for answer, _ in answers] == [{"number": 1}] * 5
    assert sum(repeated for _, repeated in answers) == 4


async def test_a_change_that_was_refused_may_be_tried_again_under_its_key() -> None:
    guard = Guard()

    async def refuse() -> dict[str, object]:
        raise RefusedError(409, "not_as_expected", "No.")

    async def accept() -> dict[str, object]:
        return {"ok": True}

    with pytest.raises(RefusedError):
        await guard.once("r", {}, refuse, key="k")
    assert await guard.once("r", {}, accept, key="k") == ({"ok": True}, False)


@given(st.lists(st.integers(0, 5), max_size=8))
def test_no_token_passes_after_a_higher_one(tokens: list[int]) -> None:
    async def passed() -> list[int]:
        guard, through = Guard(), []
        for token in tokens:

            async def change(token: int = token) -> dict[str, object]:
                through.append(token)
                return {}

            try:
                await guard.once("r", {"token": token}, change, token=str(token))
            except RefusedError:
                continue
        return through

    through = asyncio.run(passed())
    assert through == sorted(through)
    assert set(through) <= set(tokens)


def test_a_service_reads_what_the_store_writes(tmp_path: Path) -> None:
    ledger = ShopChangeLedger("http://127.0.0.1:1")
    store = SettingsStore(tmp_path, ledger)
    path = store.path("payments")
    assert path is not None
    store.put("payments", "bank_timeout_ms", 750, author="mira")
    settings = SettingsFile(str(path))
    assert settings.integer("bank_timeout_ms") == 750
    assert settings.text("bank") == "primary"
    assert settings.flag("fraud_screening") is True
    assert [change.data["after"] for change in ledger.since(None)] == [750]


def test_a_value_that_is_in_force_already_is_no_change(tmp_path: Path) -> None:
    ledger = ShopChangeLedger("http://127.0.0.1:1")
    before, after = SettingsStore(tmp_path, ledger).put("payments", "bank", "primary", author="mira")
    assert before is after
    assert ledger.since(None) == []


async def test_a_leaking_process_sheds_load_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    screening = FraudScreening()
    screening.fall_sick("memory")
    monkeypatch.setattr(sickness, "MEMORY_LIMIT_BYTES", sickness.resident_bytes() + 8_000_000)

    async def screen_many() -> None:
        for order in range(1000):
            await screening.screen(order)

    with pytest.raises(ServiceError) as refused:
        await screen_many()
    assert (refused.value.status, refused.value.event) == (503, "memory_limit")
    assert screening.cached_bytes > 0


async def test_a_slow_screening_sheds_what_it_cannot_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sickness, "SLOW_CPU_S", 0.001)
    monkeypatch.setattr(sickness, "SLOW_WAIT_S", 0.001)
    screening = FraudScreening()
    screening.fall_sick("cpu")
    results = await asyncio.gather(
        *(screening.screen(order) for order in range(sickness.MOST_WAITING + 5)), return_exceptions=True
    )
    shed = [result for result in results if isinstance(result, ServiceError)]
    assert {error.event for error in shed} == {"screening_overloaded"}
    assert len(shed) == 5


async def test_buyers_keep_coming_when_nobody_is_answered() -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", hang)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    async with ClientSession() as session:
        load = BuyerLoad(f"http://{host}:{port}", session)
        load.rate_per_s = 100
        load.start()

        async def crowded() -> bool:
            return int(load.to_json()["waiting"]) > 20

        await until(crowded, what="a crowd", timeout_s=20)
        await load.stop()
    await runner.cleanup()


def test_a_second_without_answers_is_a_gap_of_zero_in_the_history(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    load = BuyerLoad("http://127.0.0.1:1", None)  # type: ignore[arg-type]  # it sends nothing here
    assert load.recent(5)["error_ratio"] is None
    load._count(ok=True, took_s=0.5)
    now[0] = 102.0
    load._count(ok=False, took_s=1.5)
    now[0] = 103.0
    assert load.history() == [
        {"ago_s": 3, "ok": 1, "failed": 0},
        {"ago_s": 2, "ok": 0, "failed": 0},
        {"ago_s": 1, "ok": 0, "failed": 1},
    ]
    assert (load.recent(5)["error_ratio"], load.recent(5)["mean_ms"]) == (0.5, 1000.0)


def test_binaries_in_reach_are_used_where_they_are(tmp_path: Path) -> None:
    own = postgres._reachable_binaries("", tmp_path)
    assert own.joinpath("postgres").exists()
    assert list(tmp_path.iterdir()) == []


def test_binaries_below_a_private_folder_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "reachable_by_others", lambda _: False)
    home = tmp_path / "home"
    home.mkdir()
    copied = postgres._reachable_binaries("postgres", home)
    assert copied == home / "pginstall" / "bin"
    done = subprocess.run([copied / "postgres", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("postgres (PostgreSQL) 18")
    shutil.rmtree(home)


def test_the_launcher_lists_what_it_could_start_in_every_environment():
    units = [
        SimpleNamespace(address=address, service=service, slot=slot)
        for address, service, slot in (
            ("", "checkout", "blue"),
            ("checkout@staging", "checkout", "blue"),
            ("", "orders", ""),
        )
    ]
    launcher = ShopLauncher(SimpleNamespace(units=units))  # type: ignore[arg-type]  # all that it reads
    for service in ("checkout", "checkout@staging"):
        assert launcher.releases(service)["releases"] == [*RELEASES["checkout"]]
    with pytest.raises(RefusedError):
        launcher.releases("orders")
