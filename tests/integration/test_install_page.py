"""The page *Install Pilothouse in Slack*, followed literally against localslack and a real Valkey."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from localslack import LocalSlackClient
from tests.handlers.fronts import workspace_with
from tests.support.servers import free_port
from tests.support.valkeys import fresh_valkey
from tests.support.waiting import until

pytestmark = pytest.mark.server

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "how-to" / "install-in-slack.md").read_text(encoding="utf-8")


def block(language: str, containing: str) -> str:
    """The first code block of a language that has these words."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return next(found for found in blocks if containing in found)


class Newcomer:
    """A person with an empty folder who copies what the page says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self._env = {"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8"}

    async def start(
        self, command: str, output: int | None = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command.split(), cwd=self.folder, env=self._env, stdout=output, stderr=asyncio.subprocess.STDOUT
        )

    async def run(self, command: str) -> tuple[int | None, str]:
        process = await self.start(command)
        out, _ = await process.communicate()
        return process.returncode, out.decode()


async def test_whoever_follows_the_page_gets_an_answer_to_their_first_command(tmp_path):
    newcomer = Newcomer(tmp_path)
    log = tmp_path / "log"
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(fresh_valkey())
        slack = await stack.enter_async_context(workspace_with())
        people = await stack.enter_async_context(LocalSlackClient(slack.url))
        env = block("sh", "PILOTHOUSE_SLACK_BOT_TOKEN")
        for placeholder, value in (
            ("xoxb-…", slack.bot_token),
            ("xapp-…", slack.app_token),
            ("redis://localhost:6379/0", url),
        ):
            assert placeholder in env
            env = env.replace(placeholder, value)
        here = f"PILOTHOUSE_SLACK_API_URL={slack.api_url}\nPILOTHOUSE_HTTP_PORT={free_port()}\n"
        (tmp_path / ".env").write_text(env + here, encoding="utf-8")
        (tmp_path / "catalogue.yaml").write_text(block("yaml", "services:"), encoding="utf-8")

        check, doctor = block("sh", "pilothouse check").split("\n")[:2]
        code, said = await newcomer.run(check)
        assert code == 0, said
        _, said = await newcomer.run(doctor)  # the page's Prometheus and log files are not here
        for row in ("redis", "slack token", "slack scopes"):
            assert re.search(rf"ok\W+{row}", said), said

        with log.open("wb") as output:
            bot = await newcomer.start(block("sh", "pilothouse all").strip(), output.fileno())
        try:
            await until(lambda: len(slack.app.sockets) >= 2, what="the bot is connected", log=log)
            answer = await people.slash("/triage help", user="ana", channel="general")
        finally:
            bot.terminate()
            await bot.wait()
    assert answer.ok, answer.error
    assert "/triage" in str(answer.ephemerals)
