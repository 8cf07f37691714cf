"""What deployments rest on, in parts: what HAProxy repeats, how slow a release is, and the pace of a load."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from demo.shop.errors import ShopError
from demo.shop.haproxy import HAProxy
from demo.shop.haproxy_config import BackendConfig, Holder, Lease, config_text
from demo.shop.pace import RequestPace
from demo.shop.processes import ChildProcess, Ports, ProcessSpec, find_program, until
from demo.shop.services.checkout import Checkout
from demo.shop.services.config import ServiceConfig
from demo.shop.services.releases import RELEASES, release_of
from demo.shop.tally import VersionTally
from demo.shop.units import FIRST_VERSIONS
from tests.support.waiting import LIMIT_S


class Peer:
    """A server that is well, but hangs up on whoever asks more than its health, or one that answers all."""

    def __init__(self, *, hangs_up: bool) -> None:
        self.heard: Counter[str] = Counter()
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.close_connection = True
                if self.path != "/healthz":
                    heard[self.command] += 1
                    if hangs_up:
                        return
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_POST = do_GET  # noqa: N815  # as the standard library calls it

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.mark.server
async def test_a_question_that_a_dying_server_drops_is_asked_elsewhere_and_an_order_is_not_sent_twice(
    tmp_path: Path,
) -> None:
    dying, well, ports = Peer(hangs_up=True), Peer(hangs_up=False), Ports()
    backend = BackendConfig(
        name="checkout",
        port=ports.take(),
        server_ports={"candidate": dying.port, "stable": well.port},
        weights={"candidate": 256, "stable": 1},
    )
    haproxy = HAProxy(folder=tmp_path, socket=tmp_path / "s", stats_port=ports.take(), backends=(backend,))
    await haproxy.start()
    try:
        await until(lambda: both_up(haproxy), what="both servers", timeout_s=10)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{backend.port}", timeout=60, trust_env=False
        ) as http:
            asked = [(await http.get("/stock/tea")).status_code for _ in range(10)]
            went_well = [await is_taken(http) for _ in range(10)]
    finally:
        await haproxy.stop()
        ports.close()
        dying.close()
        well.close()
    assert asked == [200] * 10
    assert dying.heard["GET"] > 0
    assert dying.heard["POST"] + well.heard["POST"] == 10
    assert went_well.count(False) == dying.heard["POST"] > 0


@pytest.mark.server
async def test_a_haproxy_that_died_comes_back_with_a_candidate_without_traffic(tmp_path: Path) -> None:
    stable, candidate, ports = Peer(hangs_up=False), Peer(hangs_up=False), Ports()
    backend = BackendConfig(
        name="checkout",
        port=ports.take(),
        server_ports={"stable": stable.port, "candidate": candidate.port},
        weights={"stable": 100, "candidate": 0},
    )
    haproxy = HAProxy(folder=tmp_path, socket=tmp_path / "s", stats_port=ports.take(), backends=(backend,))
    await haproxy.start()
    try:
        await haproxy.set_weights({"stable": 50, "candidate": 50})
        assert haproxy.child is not None
        pid = haproxy.child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

        async def is_back() -> bool:
            if haproxy.child is None or haproxy.child.pid in {pid, None}:
                return False
            with contextlib.suppress(ShopError):
                return {name: server.weight for name, server in (await haproxy.servers()).items()} == {
                    "stable": 100,
                    "candidate": 0,
                }
            return False

        await until(is_back, what="HAProxy as it is configured", timeout_s=15)
    finally:
        await haproxy.stop()
        ports.close()
        stable.close()
        candidate.close()


async def is_taken(http: httpx.AsyncClient) -> bool:
    """Order; HAProxy tells of a server that hung up with a 502, or by hanging up itself."""
    try:
        return (await http.post("/orders")).is_success
    except httpx.RemoteProtocolError:
        return False


async def both_up(haproxy: HAProxy) -> bool:
    return all(server.up for server in (await haproxy.servers()).values())


@pytest.mark.server
async def test_haproxy_accepts_a_backend_with_a_lease_and_routes(tmp_path: Path) -> None:
    (tmp_path / "routes.map").touch()
    lease = Lease(server="candidate", holder=Holder(address="127.0.0.1:9", token="secret"), check_port=10)
    backend = BackendConfig(
        name="checkout",
        port=11,
        server_ports={"stable": 12, "candidate": 13},
        weights={"stable": 100, "candidate": 0},
        routed="candidate",
        lease=lease,
    )
    text = config_text([backend], socket=tmp_path / "s", stats_port=14, routes=tmp_path / "routes.map")
    (tmp_path / "haproxy.cfg").write_text(text, encoding="utf-8")
    command = [find_program("haproxy"), "-c", "-f", str(tmp_path / "haproxy.cfg")]
    check = ChildProcess(ProcessSpec(name="check", command=command, output=tmp_path / "out"))
    assert "secret" not in text
    assert await check.run_once() == 0, (tmp_path / "out").read_text(encoding="utf-8")
    assert "WARNING" not in (tmp_path / "out").read_text(encoding="utf-8")


async def took_s(version: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> float:
    """Have a release of checkout answer what takes a second, on a clock of its own."""
    now_s = [0.0]

    async def sleep(seconds: float) -> None:
        now_s[0] += seconds

    monkeypatch.setattr("demo.shop.services.checkout.time.perf_counter", lambda: now_s[0])
    monkeypatch.setattr("demo.shop.services.checkout.asyncio.sleep", sleep)

    async def handler(_: web.Request) -> web.StreamResponse:
        now_s[0] += 1
        return web.Response()

    config = ServiceConfig(
        name="checkout", version=version, port=1, log_path=str(folder / f"{version}.jsonl")
    )
    checkout = Checkout(config)
    await checkout._as_released(handler)(make_mocked_request("GET", "/"))
    checkout.service.journal.close()
    monkeypatch.undo()
    return now_s[0]


async def test_the_slow_release_takes_sixty_percent_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await took_s("1.5.3", tmp_path, monkeypatch) == pytest.approx(1.6)
    assert await took_s("1.5.0", tmp_path, monkeypatch) == pytest.approx(1.0)


def test_every_service_with_releases_begins_with_one_that_is_known_and_good() -> None:
    for service, releases in RELEASES.items():
        first = releases[FIRST_VERSIONS[service]]
        assert (first.error_share, first.slowness, first.comes_up) == (0, 1, True)


def test_a_version_in_no_list_has_no_fault_of_its_own() -> None:
    assert release_of("storefront", "2.3.1").error_share == 0


async def test_a_pace_of_nothing_has_no_turn_until_it_is_changed() -> None:
    pace = RequestPace(0.0)
    turn = asyncio.create_task(pace.turn())
    await asyncio.sleep(0.05)  # real time: it could have had its turn by then
    assert not turn.done()
    pace.per_s = 100.0
    async with asyncio.timeout(LIMIT_S):
        await turn


async def test_whoever_waits_for_a_turn_of_a_slow_pace_gets_one_of_the_new() -> None:
    pace = RequestPace(0.001)
    await pace.turn()
    turn = asyncio.create_task(pace.turn())
    await asyncio.sleep(0)
    pace.per_s = 100.0
    async with asyncio.timeout(LIMIT_S):
        await turn


def test_a_tally_keeps_what_nobody_answered_apart() -> None:
    tally = VersionTally()
    tally.count(ok=True, version="1.4.1", server="stable")
    tally.count(ok=False)
    told = tally.to_json()
    assert (told["sent"], told["failed"]) == (2, 1)
    assert told["by_version"]["1.4.1"]["servers"] == ["stable"]
    assert told["by_version"][""]["failed"] == 1
