"""The quick start, run as it is printed."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

from localslack import LocalSlack, LocalSlackClient, load_workspace
from localslack.webapi import METHODS

TEXT = (Path(__file__).parents[2] / "docs" / "localslack.md").read_text(encoding="utf-8")


def first(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found
    return found.group(1)


async def test_the_app_of_the_quick_start_answers():
    workspace = load_workspace().with_app(manifest=json.loads(first("json")))
    async with LocalSlack(workspace) as slack, LocalSlackClient(slack.url) as people:
        code = first("python").replace("xoxb-…", slack.bot_token).replace("xapp-1-…", slack.app_token)
        code = code.replace("http://127.0.0.1:8900/api/", slack.api_url)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            connected = await slack.core.feed.until(
                lambda: {} if len(slack.app.sockets) else None, timeout_s=30
            )
            assert connected is not None
            outcome = await people.slash("/hello world", user="ana", channel="general")
            assert outcome.ephemerals[0]["text"] == "Hello <@U0ANA00001>, you said: world"
        finally:
            process.terminate()
            await process.wait()


def test_every_method_is_listed():
    listed = TEXT.split("Methods: ")[1].split(". Any other")[0].replace("\n", " ").split(", ")
    assert listed == sorted(METHODS)
