"""A workspace whose conversations are kept in a file."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localslack import LocalSlack, LocalSlackClient
from localslack.__main__ import main
from localslack.shapes import Json
from tests.support.waiting import until

ROOM = "general"
PICTURE = b"\x89PNG\x00\xff"


async def talk(url: str) -> str:
    """Say something, answer it in its thread, react, and upload a file; return the first timestamp."""
    async with LocalSlackClient(url) as people:
        first = await people.post("the first", user="ana", channel=ROOM)
        await people.post("an answer", user="ben", channel=ROOM, thread_ts=first.ts)
        await people.react("eyes", user="ben", channel=ROOM, ts=first.ts)
        await people.upload(PICTURE, name="chart.png", user="ana", channel=ROOM, text="look")
        return first.ts


async def said(url: str) -> list[tuple[str, str, object]]:
    async with LocalSlackClient(url) as people:
        shown = await people.messages(ROOM, user="ana")
        return [(m.ts, m.text, m.json.get("reactions")) for m in shown]


@contextlib.contextmanager
def program(kept: Path) -> Iterator[tuple[subprocess.Popen[str], Json]]:
    """Run ``localslack --keep``; gives the process and what it announced."""
    command = [sys.executable, "-m", "localslack", "--json", "--port", "0", "--keep", str(kept)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


async def test_after_a_restart_the_conversations_are_there_again(tmp_path: Path):
    kept = tmp_path / "slack.json"
    async with LocalSlack(keep=kept) as slack:
        ts = await talk(slack.url)
        before = await said(slack.url)
    async with LocalSlack(keep=kept) as slack, LocalSlackClient(slack.url) as people:
        assert await said(slack.url) == before
        assert [text for _, text, _ in before] == ["the first", "look\n[file: chart.png]"]
        assert "an answer" in await people.thread_text(ROOM, ts)
        assert [file.content for file in slack.core.store.files.values()] == [PICTURE]
        later = await people.post("later", user="ana", channel=ROOM)
        assert later.ts > max(seen for seen, _, _ in before)


async def test_what_was_said_is_kept_when_the_process_is_killed(tmp_path: Path):
    kept = tmp_path / "slack.json"
    with program(kept) as (process, facts):
        await talk(str(facts["url"]))
        before = await said(str(facts["url"]))
        await until(
            lambda: kept.exists() and "look" in kept.read_text(encoding="utf-8"), what="the state is kept"
        )
        process.send_signal(signal.SIGKILL)
        process.wait()
    with program(kept) as (_, facts):
        assert await said(str(facts["url"])) == before


async def test_a_file_that_cannot_be_written_is_reported_and_written_later(tmp_path: Path, caplog):
    folder = tmp_path / "away"
    kept = folder / "slack.json"
    slack = LocalSlack(keep=kept)
    await slack.start()
    await talk(slack.url)
    await until(lambda: "could not be kept" in caplog.text, what="the trouble is reported")
    folder.mkdir()
    await until(kept.exists, what="the state is kept")
    await slack.stop()


async def test_a_reset_workspace_keeps_nothing_of_before(tmp_path: Path):
    kept = tmp_path / "slack.json"
    async with LocalSlack(keep=kept) as slack, LocalSlackClient(slack.url) as people:
        await talk(slack.url)
        await people.reset()
    async with LocalSlack(keep=kept) as slack:
        assert await said(slack.url) == []


OTHERS = {
    "format": 1,
    "workspace": "T0OTHER001",
    "channels": [],
    "messages": [],
    "files": [],
    "read_marks": [],
}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"format": 2}', "this is not a workspace that was kept"),
        ("[not json", "this is not a workspace that was kept"),
        (json.dumps(OTHERS), "kept by workspace T0OTHER001"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, capsys, text: str, words: str):
    kept = tmp_path / "slack.json"
    kept.write_text(text, encoding="utf-8")
    assert main(["--port", "0", "--keep", str(kept)]) == 2
    assert words in capsys.readouterr().err
    assert kept.read_text(encoding="utf-8") == text
