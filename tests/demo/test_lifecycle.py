"""Opening and closing: quickly, alone in its folder, and without leaving a process behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from demo.shop.errors import ShopError
from demo.shop.processes import find_program
from demo.shop.shop import Shop
from tests.demo.open_shop import ROOT, alive, family, start_shop, stop_shop
from tests.support.waiting import until_now

pytestmark = [pytest.mark.demo, pytest.mark.server]

OPENER = """
import subprocess, sys
shop = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
shop.stdout.readline()
print(shop.pid, flush=True)
sys.stdin.read()
"""

EVERY_SERVER = {
    "storefront",
    "checkout-stable",
    "checkout-candidate",
    "payments",
    "bank",
    "bank-backup",
}


def test_a_shop_that_is_killed_leaves_no_process_behind_and_can_be_opened_again(tmp_path: Path) -> None:
    process, _ = start_shop(tmp_path)
    everybody = family(process.pid)
    assert len(everybody) > 10
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    until_now(lambda: not alive(everybody), what="every process of the shop has ended")
    again, _ = start_shop(tmp_path)
    assert stop_shop(again) == 0


def test_a_shop_whose_parent_ends_closes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo", "--state-dir", str(tmp_path), "--json"]
    with subprocess.Popen(
        [sys.executable, "-c", OPENER, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as parent:
        assert parent.stdout is not None
        everybody = family(int(parent.stdout.readline()))
        parent.kill()
    until_now(lambda: not alive(everybody), what="every process of the shop has ended")
    assert written(tmp_path) is None


def test_a_shop_told_to_stop_while_it_opens_leaves_no_process_behind(
    tmp_path: Path, no_leftovers: None
) -> None:
    process = subprocess.Popen([sys.executable, "-m", "demo", "--state-dir", str(tmp_path)], cwd=ROOT)
    until_now(lambda: len(family(process.pid)) > 4, what="some servers have been started")
    everybody = family(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    until_now(lambda: not alive(everybody), what="every process of the shop has ended")


def written(folder: Path) -> object:
    """Read what the shop says of itself, which only its owner may."""
    path = folder / "shop.json"
    if not path.exists():
        return None
    assert path.stat().st_mode & 0o077 == 0
    return json.loads(path.read_text(encoding="utf-8"))


async def test_a_shop_opens_within_a_test_and_closes_with_it(tmp_path: Path, no_leftovers: None) -> None:
    deep = tmp_path / ("a-long-name-" * 8)  # longer than the path of a Unix socket may be
    async with Shop(deep) as shop:
        assert written(deep) == shop.facts
        async with httpx.AsyncClient(base_url=shop.control_url, timeout=60, trust_env=False) as http:
            status = (await http.get("/status")).json()
        assert {name for name, unit in status["processes"].items() if unit["ready"]} == EVERY_SERVER
        assert status["weights"] == {"stable": 100, "candidate": 0}
        assert status["alerts"] == []
        with pytest.raises(ShopError, match="Another shop is open"):
            await Shop(deep).__aenter__()
    assert written(deep) is None


def test_a_missing_server_is_named_with_its_package() -> None:
    with pytest.raises(
        ShopError, match="Install the Debian packages haproxy prometheus prometheus-alertmanager"
    ):
        find_program("no-such-server")
