"""The crash matrix reports each wrong run with its point, plays the others, and prints what it has."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import random
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from bench.crash import Matrix, Tally, Track
from bench.crashing.outside import Outside
from bench.crashing.points import Point, Points
from bench.crashing.trial import Told, Trial
from bot.adapters.slack.client import open_client
from bot.domain.errors import StoreUnavailableError
from tests.support.commands import running
from tests.support.valkeys import fleet, opened

ROOT = Path(__file__).resolve().parents[2]
WELL = Told(
    "r1", ended=True, effects={"keyed": 1, "fenced": 1, "plain": 1}, messages=Counter(root=1, final=1)
)
POINT = Point("append", "before", 3)


class QuietCrew:
    """A crew in which nobody dies but those that are said to."""

    def __init__(self, points, last_words=()):
        self.points, self._last_words = points, list(last_words)

    async def up(self):
        pass

    def bury(self):
        words, self._last_words = self._last_words, []
        return words


@pytest.fixture
def points(tmp_path):
    return Points(multiprocessing.get_context("forkserver"), tmp_path / "points.lock")


def track(crew, trial):
    return Track(None, crew, None, trial, "crew0")


async def count(track, *, tally):
    await track.count(POINT, "kill", tally, WELL, chance=random.Random(0))


async def test_an_error_while_a_run_is_played_is_counted_with_its_point_and_the_next_run_is_played(
    points, capsys
):
    answers = [StoreUnavailableError("My store is out of reach."), WELL]

    async def trial(_key, *, within_s):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    tally, playing = Tally(), track(QuietCrew(points), trial)
    await count(playing, tally=tally)
    await count(playing, tally=tally)
    assert (tally.runs, tally.errors, tally.faults) == (2, 1, 1)
    (wrong,) = tally.shown()["wrong"]
    assert wrong["at"] == "kill before append 3"
    assert wrong["error"] == "StoreUnavailableError: My store is out of reach."
    assert "kill before append 3" in capsys.readouterr().err


async def test_a_process_that_ends_although_nothing_killed_it_is_a_fault(points):
    async def trial(_key, *, within_s):
        return WELL

    tally = Tally()
    await count(track(QuietCrew(points, ["worker ended with 1"]), trial), tally=tally)
    assert (tally.died_unasked, tally.faults) == (1, 1)
    assert tally.wrong[0]["last_words"] == ["worker ended with 1"]


def test_a_request_that_was_decided_before_it_was_posted_is_not_missing_but_one_posted_twice_is_doubled():
    asked = replace(WELL, messages=Counter(root=1, ask=1, final=1))
    tally = Tally()
    tally.add("kill 1", WELL, asked, died_at=None)
    assert (tally.missing_messages, tally.duplicated_messages) == (0, 0)
    tally.add("kill 2", replace(asked, messages=Counter(root=1, ask=2)), asked, died_at=None)
    assert (tally.missing_messages, tally.duplicated_messages) == (1, 1)


def test_a_matrix_that_was_not_played_to_its_end_does_not_hold():
    matrix = Matrix(0.8, {"kill": Tally()}, stopped="in kill: interrupted")
    assert not matrix.shown()["held"]
    matrix.stopped = ""
    assert matrix.shown()["held"]


def _die_inside(points, reached):
    with points._alone():
        reached.set()
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_dies_while_it_counts_a_point_blocks_nobody(points):
    context = multiprocessing.get_context("forkserver")
    reached = context.Event()
    process = context.Process(target=_die_inside, args=(points, reached))
    process.start()
    process.join()
    assert reached.is_set()
    points.arm(POINT)
    points.reach("append", "after")
    assert list(points.seen()) == [Point("append", "after", 1)]


@pytest.mark.server
async def test_a_run_is_asked_for_once_although_the_server_is_away_at_first():
    with fleet() as servers:
        server = servers.server("--appendonly", "yes")
        async with (
            opened(server.url) as store,
            open_client(token="xoxb-nobody", api_url="http://127.0.0.1:9/") as client,
        ):
            trial = Trial(store, client, Outside())
            server.kill()
            asking = asyncio.create_task(trial._ask("k1"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(
                    asyncio.shield(asking), 1
                )  # real time: longer than the bot's own tries
            server.start()
            await asking
            assert await store.client.xlen(store.keys.shared.inbox) == 1


@pytest.mark.server
@pytest.mark.timeout(300)
async def test_an_interrupted_matrix_prints_what_it_has():
    command = (sys.executable, "-m", "bench.crash", "--modes", "kill", "--tracks", "1", "--json")
    async with running(*command, cwd=ROOT, stderr=asyncio.subprocess.PIPE) as process:
        async for line in process.stderr:
            if line.startswith(b"undisturbed: "):
                break
        process.send_signal(signal.SIGINT)
        printed, more = await process.communicate()
    assert b"still running" not in more, more.decode()
    result = json.loads(printed)
    assert result["stopped"] == "in kill: interrupted"
    assert result["modes"]["kill"]["points"] > 100
    assert not result["held"]
    assert process.returncode == 1
