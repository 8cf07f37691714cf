"""A job reports to a `web` process over HTTP, and a step of a run in another process reads it from a real Valkey."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot.bootstrap import assemble
from bot.domain.runs.run import fold
from bot.settings import load_settings
from tests.support.servers import free_port
from tests.support.valkeys import fresh_valkey
from tests.support.waiting import until
from tests.support.worlds import started

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = "services:\n  - name: checkout\n    heartbeats: [backup]\n"
ASKING = """\
name: ask
summary: Ask how a job does.
phases:
  - kind: explore
    id: ground
    steps:
      - {id: age, probe: heartbeat.age, with: {service: checkout, job: backup}}
      - {id: failures, probe: heartbeat.failures, with: {service: checkout, job: backup}}
"""


@contextlib.asynccontextmanager
async def surroundings(folder: Path) -> AsyncIterator[dict[str, str]]:
    (folder / "catalogue.yaml").write_text(CATALOGUE, encoding="utf-8")
    (folder / "ask.yaml").write_text(ASKING, encoding="utf-8")
    async with fresh_valkey() as url:
        yield {
            "PILOTHOUSE_REDIS_URL": url,
            "PILOTHOUSE_SLACK_BOT_TOKEN": "xoxb-1",
            "PILOTHOUSE_SLACK_SIGNING_SECRET": "shh",
            "PILOTHOUSE_SLACK_API_URL": f"http://127.0.0.1:{free_port()}/api/",
            "PILOTHOUSE_SLACK_MODE": "http",
            "PILOTHOUSE_CATALOGUE": str(folder / "catalogue.yaml"),
            "PILOTHOUSE_RUNBOOKS": str(folder / "ask.yaml"),
            "PILOTHOUSE_HTTP_PORT": str(free_port()),
            "PILOTHOUSE_HEARTBEAT_TOKEN": "secret",
        }


@contextlib.asynccontextmanager
async def web(env: dict[str, str], *, log: Path) -> AsyncIterator[httpx.AsyncClient]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "web"),
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=output,
            stderr=output,
        )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{env['PILOTHOUSE_HTTP_PORT']}") as client:

            async def listening() -> bool:
                try:
                    return (await client.get("/readyz")).is_success
                except httpx.TransportError:
                    return False

            await until(listening, what="web", log=log)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def test_a_jobs_report_reaches_the_steps_of_a_run(tmp_path):
    async with surroundings(tmp_path) as env, web(env, log=tmp_path / "log") as client:
        answer = await client.post(
            "/heartbeats/checkout/backup",
            headers={"authorization": "Bearer secret"},
            data={"status": "fail", "text": "disk full"},
        )
        misspelt = await client.get("/heartbeats/checkout/bakup", headers={"authorization": "Bearer secret"})
        async with assemble(load_settings(env)) as parts:
            await parts.stores.journal.start("r1", started(parts.library.get("ask")))
            await parts.handlers.run("r1")
            steps = fold("r1", await parts.stores.journal.load("r1")).phases["ground"].steps
    assert (answer.status_code, misspelt.status_code) == (202, 404)
    age, failures = steps["age"].result, steps["failures"].result
    assert age["value"] < 60
    assert failures["value"] == 1
    assert failures["text"].endswith("disk full")
