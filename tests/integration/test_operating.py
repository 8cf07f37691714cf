"""Processes without `web` tell how they are; a run in them is counted, traced, listed and cancelled from outside."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.adapters.redis.stores.journal import RedisJournal
from bot.domain.runs.run import fold
from bot.domain.runs.runbook import Runbook
from tests.support.servers import free_port
from tests.support.valkeys import fresh_valkey, opened
from tests.support.waiting import until
from tests.support.worlds import started

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
GATED = Runbook.model_validate(
    {
        "name": "gated",
        "summary": "Wait for somebody.",
        "params": {"service": {"type": "service"}},
        "phases": [
            {
                "kind": "pipeline",
                "id": "fix",
                "approval": {},
                "steps": [{"id": "go", "action": "supervisor.restart", "with": {}, "no_undo": "never run"}],
            }
        ],
    }
)


class Collector:
    """Takes OTLP spans."""

    def __init__(self):
        self.spans = []

    async def take(self, request):
        batch = ExportTraceServiceRequest.FromString(await request.read())
        self.spans += [s for r in batch.resource_spans for scope in r.scope_spans for s in scope.spans]
        return web.Response()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/v1/traces", self.take)
        async with TestServer(app) as server:
            yield str(server.make_url("/v1/traces"))


@contextlib.asynccontextmanager
async def role(name: str, env: dict[str, str], *, log: Path) -> AsyncIterator[httpx.AsyncClient]:
    port = free_port()
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", name),
            cwd=ROOT,
            env={**os.environ, **env, "PILOTHOUSE_METRICS_PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

            async def ready() -> bool:
                try:
                    return (await client.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await until(ready, what=name, log=log)
            yield client
    finally:
        process.terminate()
        assert await process.wait() == 0


async def command(env: dict[str, str], *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "runs", *words),
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    return out.decode()


async def test_a_run_is_seen_and_ended_from_outside_while_slack_is_away(tmp_path):
    collector = Collector()
    (tmp_path / "catalogue.yaml").write_text("services:\n  - {name: checkout}\n", encoding="utf-8")
    async with fresh_valkey() as url, opened(url) as store, collector.listening() as otlp:
        redis_alone = {"PILOTHOUSE_REDIS_URL": url}
        env = {
            **redis_alone,
            "PILOTHOUSE_OTLP_URL": otlp,
            "PILOTHOUSE_SLACK_BOT_TOKEN": "xoxb-1",
            "PILOTHOUSE_SLACK_SIGNING_SECRET": "shh",
            "PILOTHOUSE_SLACK_API_URL": f"http://127.0.0.1:{free_port()}/api/",
            "PILOTHOUSE_SLACK_MODE": "http",
            "PILOTHOUSE_CATALOGUE": str(tmp_path / "catalogue.yaml"),
        }
        journal = RedisJournal(store)
        await journal.start("rgated", started(GATED))
        log = tmp_path / "worker.log"
        async with role("clock", env, log=tmp_path / "clock.log"), role("worker", env, log=log) as worker:

            async def state(wanted: str) -> bool:
                return fold("rgated", await journal.load("rgated")).state == wanted

            await until(lambda: state("waiting"), what="a run that waits", log=log)
            (row,) = json.loads(await command(redis_alone, "list", "--json"))
            assert (row["run"], row["state"]) == ("rgated", "waiting")
            await command(redis_alone, "cancel", "rg", "--by", "Ana", "--why", "a test")
            await until(lambda: state("finished"), what="a run that has ended", log=log)
            text = (await worker.get("/metrics")).text
            assert 'pilothouse_runs_finished_total{outcome="cancelled",runbook="gated"} 1.0' in text
            assert "pilothouse_workers 1.0" in text
        assert "Ana cancelled the run: a test" in await command(redis_alone, "show", "rgated")
    assert len({span.trace_id for span in collector.spans}) == 1
    assert {"gated", "approval", "carried"} <= {span.name for span in collector.spans}
