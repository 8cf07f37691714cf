"""Whether a run survives: processes killed and stopped at every point, Redis, clocks and Slack taken away.

``python -m bench.crash --json``: a runbook with every kind of phase, an approval by two and three actions is
played by real workers on a real Valkey and a local Slack.  First undisturbed, to list its points; then once
for each point and signal, and some times under each other disturbance, always with another worker beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import json
import logging
import os
import random
import signal
import statistics
import sys
import traceback
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.crashing.disturbances import DISTURBANCES
from bench.crashing.outside import TARGETS
from bench.crashing.points import SIGNALS, Point
from bench.crashing.trial import OF_AN_APPROVAL, Told, Trial
from bench.crashing.world import Crew, World, world
from bot.adapters.redis.store import RedisStore
from bot.adapters.slack.client import open_client
from bot.services.run_starter import run_id_of

MODES = (*SIGNALS, *DISTURBANCES)
_WITHIN_S = 60.0
_WOKEN_S = 0.4
_STOPS_S = 20.0
"""Seconds after which a matrix that was interrupted should have ended."""
_TAUGHT = frozenset({"keyed", "fenced"})
"""The targets that can tell a repeated effect; nothing can stop a frozen worker at one that cannot."""


@dataclass
class Tally:
    """What the runs of one mode came to."""

    points: int = 0
    runs: int = 0
    reached: int = 0
    lost: int = 0
    other_outcome: int = 0
    missing_effects: int = 0
    duplicated_effects: int = 0
    duplicated_at_plain_target: int = 0
    missing_messages: int = 0
    duplicated_messages: int = 0
    errors: int = 0
    """Runs of which nothing is known, because playing or counting them failed."""
    died_unasked: int = 0
    """Processes that ended although nothing here killed them."""
    resumes_s: list[float] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self, about: str, told: Told, expected: Told, *, died_at: float | None, last_words: Sequence[str] = ()
    ) -> None:
        """Count one run; ``last_words`` are of processes that ended without being killed."""
        before = self.faults
        self.runs += 1
        self.died_unasked += len(last_words)
        self.lost += not told.ended
        self.other_outcome += told.ended and told.signature != expected.signature
        self.missing_effects += sum(1 for times in told.effects.values() if times < 1)
        self.duplicated_effects += sum(max(0, told.effects[t] - 1) for t in TARGETS if t in _TAUGHT)
        self.duplicated_at_plain_target += sum(
            max(0, told.effects[t] - 1) for t in TARGETS if t not in _TAUGHT
        )
        # A request that was decided before it could be posted is not posted any more.
        self.missing_messages += len(set(expected.messages) - OF_AN_APPROVAL - set(told.messages))
        self.duplicated_messages += sum(max(0, times - 1) for times in told.messages.values())
        if died_at is not None:
            self.reached += 1
            moved = [at for at, _, _ in told.steps_at if at > died_at]
            self.resumes_s += [moved[0] - died_at] if moved else []
        if self.faults != before:
            self._note(
                {
                    "at": about,
                    "run": told.run_id,
                    "ended": told.ended,
                    "effects": told.effects,
                    "messages": dict(told.messages),
                    "differs": sorted(set(told.signature) ^ set(expected.signature)),
                    "last_words": list(last_words),
                    "left": told.left,
                }
            )

    def fail(self, about: str, run_id: str, error: Exception) -> None:
        """Count one run that could not be played or counted to its end, with the error that stopped it."""
        self.runs += 1
        self.errors += 1
        why = f"{type(error).__name__}: {error}"
        self._note({"at": about, "run": run_id, "error": why, "trace": traceback.format_exception(error)})

    def _note(self, wrong: dict[str, Any]) -> None:
        self.wrong.append(wrong)
        print(f"wrong: {json.dumps(wrong)}", file=sys.stderr, flush=True)

    @property
    def faults(self) -> int:
        """Everything that must be 0."""
        return (
            self.lost
            + self.other_outcome
            + self.missing_effects
            + self.duplicated_effects
            + self.missing_messages
            + self.duplicated_messages
            + self.errors
            + self.died_unasked
        )

    def shown(self) -> dict[str, Any]:
        """Give the figures."""
        numbers = {name: value for name, value in vars(self).items() if isinstance(value, int)}
        resume = (
            {"p50": round(statistics.median(self.resumes_s), 3), "max": round(max(self.resumes_s), 3)}
            if self.resumes_s
            else None
        )
        return {**numbers, "resume_s": resume, "wrong": self.wrong}


@dataclass
class Matrix:
    """The figures of all modes, at any moment while they are played."""

    lease_s: float
    tallies: dict[str, Tally]
    stopped: str = "not begun"
    """Why not all of it was played; empty when it was."""

    def shown(self) -> dict[str, Any]:
        """Return the figures of each mode and of all modes together."""
        every = list(self.tallies.values())
        resumes = [seconds for tally in every for seconds in tally.resumes_s]
        names = ("runs", "lost", "other_outcome", "missing_effects", "duplicated_effects")
        more = ("missing_messages", "duplicated_messages", "errors", "died_unasked")
        return {
            "lease_s": self.lease_s,
            "modes": {mode: tally.shown() for mode, tally in self.tallies.items()},
            "points": max((tally.points for tally in every), default=0),
            **{name: sum(getattr(tally, name) for tally in every) for name in (*names, *more)},
            "resume_s": {
                "p50": round(statistics.median(resumes), 3) if resumes else None,
                "max": round(max(resumes), 3) if resumes else None,
            },
            "stopped": self.stopped,
            "held": not self.stopped and all(tally.faults == 0 for tally in every),
        }


class Track:
    """One crew that plays runs one after the other."""

    def __init__(self, on: World, crew: Crew, store: RedisStore, trial: Trial, name: str) -> None:
        """Keep what it plays with."""
        self._on, self._crew, self._store, self._trial, self._name = on, crew, store, trial, name
        self._count = 0

    async def undisturbed(self) -> tuple[Told, list[Point]]:
        """Play a run and list the points it came by."""
        self._crew.points.arm(None)
        told = await self._play()
        return told, list(self._crew.points.seen())

    async def count(
        self, job: Point | int, mode: str, tally: Tally, expected: Told, *, chance: random.Random
    ) -> None:
        """Play one run of a mode and count it, also when playing it fails."""
        about = f"{mode} {job}"
        try:
            if isinstance(job, Point):
                told, died_at = await self._at_point(job, mode)
            else:
                told, died_at = await self._under(mode, chance), None
            last_words = await asyncio.to_thread(self._crew.bury)
        except Exception as error:  # noqa: BLE001  # it is counted, and the runs that follow are played
            await asyncio.to_thread(self._crew.bury)
            tally.fail(about, self._run_id, error)
        else:
            tally.add(about, told, expected, died_at=died_at, last_words=last_words)

    async def _at_point(self, point: Point, mode: str) -> tuple[Told, float | None]:
        """Play a run in which one process gets a signal at a point; returns when that was, if it was."""
        self._crew.points.arm(point, mode=mode)
        try:
            told = await self._play()
        finally:
            if mode == "zombie" and self._crew.points.hit is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._crew.points.hit[0], signal.SIGCONT)
        hit = self._crew.points.hit
        if hit is not None and mode == "zombie":
            await asyncio.sleep(_WOKEN_S)  # it goes on where it was stopped, as if nothing had happened
            await self._trial.account(told)
        return told, hit[1] if hit is not None else None

    async def _under(self, mode: str, chance: random.Random) -> Told:
        """Play a run under a disturbance."""
        self._crew.points.arm(None)
        disturbing = asyncio.create_task(DISTURBANCES[mode](self._on, self._crew, self._store, chance))
        try:
            told = await self._play()
        finally:
            await disturbing
        await self._trial.account(told)
        return told

    @property
    def _run_id(self) -> str:
        return run_id_of(self._key)

    @property
    def _key(self) -> str:
        return f"{self._name}-{self._count}"

    async def _play(self) -> Told:
        self._count += 1
        await self._crew.up()
        return await self._trial(self._key, within_s=_WITHIN_S)


@contextlib.asynccontextmanager
async def _tracks(on: World, count: int) -> Any:  # noqa: ANN401  # an asynchronous context manager
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            open_client(token=on.slack["bot_token"], api_url=on.slack["api_url"])
        )
        made: list[Track] = []
        for number in range(count):
            name = f"crew{number}"
            crew = stack.enter_context(on.crew(name))
            store = on.store(name)
            stack.push_async_callback(store.aclose)
            made.append(Track(on, crew, store, Trial(store, client, on.targets), name))
        yield made


async def play(
    matrix: Matrix, *, sample: int, runs: int, tracks: int, seed: int, logs: Path | None = None
) -> None:
    """Play the matrix: every ``sample``-th point for the signals, ``runs`` runs for what else happens.

    The figures are in ``matrix`` at any moment.  The logs of all processes are kept in the folder ``logs``.
    """
    async with world(lease_s=matrix.lease_s, logs=logs) as on, _tracks(on, tracks) as crews:
        matrix.stopped = "undisturbed"
        expected, points = Told(""), set[Point]()
        for track in crews:
            for _ in range(2):  # the first run finds cold caches
                expected, seen = await track.undisturbed()
                if not _is_well(expected):
                    raise RuntimeError(f"a run that nothing disturbs does not end well: {expected}")
                points |= set(seen)
        print(f"undisturbed: {len(points)} points", file=sys.stderr, flush=True)
        for mode, tally in matrix.tallies.items():
            matrix.stopped = f"in {mode}"
            jobs = _jobs(mode, sorted(points)[seed % sample :: sample], runs)
            tally.points = len(points) if mode in SIGNALS else 0
            await asyncio.gather(*(_work(t, jobs, mode, tally, expected, seed=seed) for t in crews))
            print(f"{mode}: {tally.runs} runs, {tally.faults} faults", file=sys.stderr, flush=True)
    matrix.stopped = ""


def _is_well(told: Told) -> bool:
    """Return whether others can be compared with a run: nothing of it failed, was late or was said twice."""
    outcome, *parts = told.signature or ("",)
    well = outcome == "done" and all(part.endswith("=ok") for part in parts)
    return told.ended and well and set(told.messages.values()) == set(told.effects.values()) == {1}


def _jobs(mode: str, points: Sequence[Point], runs: int) -> Iterator[tuple[int, Point | int]]:
    return enumerate(points if mode in SIGNALS else range(runs))


async def _work(
    track: Track,
    jobs: Iterator[tuple[int, Point | int]],
    mode: str,
    tally: Tally,
    expected: Told,
    *,
    seed: int,
) -> None:
    for number, job in jobs:
        await track.count(job, mode, tally, expected, chance=random.Random(seed * 1_000 + number))


async def _interruptible(playing: Coroutine[None, None, None]) -> None:
    """Play until the end, or until SIGINT or SIGTERM; a swallowed cancellation is reported and repeated."""
    loop, task = asyncio.get_running_loop(), asyncio.create_task(playing)

    def cancel(*, again: bool = False) -> None:
        if task.done():
            return
        if again:
            print("still running after an interruption:", file=sys.stderr)
            for each in asyncio.all_tasks():
                each.print_stack(file=sys.stderr)
        task.cancel()
        loop.call_later(_STOPS_S, functools.partial(cancel, again=True))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, cancel)
    await task


def main() -> int:
    """Play and print; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--modes", default=",".join(MODES), help=f"which ({', '.join(MODES)})")
    parser.add_argument("--sample", type=int, default=1, help="only every so many-th point (1: all)")
    parser.add_argument("--runs", type=int, default=20, help="runs under each other disturbance (20)")
    parser.add_argument("--tracks", type=int, default=2, help="crews that play at the same time (2)")
    parser.add_argument("--lease", type=float, default=0.8, help="the lease, in seconds (0.8)")
    parser.add_argument(
        "--seed", type=int, default=0, help="which points of a sample, and when things happen"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    parser.add_argument("--logs", type=Path, help="keep the logs of all processes in this folder")
    arguments = parser.parse_args()
    # A worker that dies in the middle of a request is what is asked for here.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    chosen = [mode for mode in MODES if mode in arguments.modes.split(",")]
    if arguments.logs is not None:
        arguments.logs.mkdir(parents=True, exist_ok=True)
    matrix = Matrix(arguments.lease, {mode: Tally() for mode in chosen})
    try:
        asyncio.run(
            _interruptible(
                play(
                    matrix,
                    sample=arguments.sample,
                    runs=arguments.runs,
                    tracks=arguments.tracks,
                    seed=arguments.seed,
                    logs=arguments.logs,
                )
            )
        )
    except asyncio.CancelledError:
        matrix.stopped += ": interrupted"
    except Exception as error:  # noqa: BLE001  # what was counted so far is printed all the same
        traceback.print_exception(error)
        matrix.stopped += f": {type(error).__name__}: {error}"
    result = matrix.shown()
    print(json.dumps(result, indent=None if arguments.json else 2))
    return 0 if result["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
