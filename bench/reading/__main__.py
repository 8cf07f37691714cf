"""How long a thread is to read, scenario by scenario.

``python -m bench.reading --json``: counts the words to the answer in the recorded threads of the demo's
scenarios, what is repeated, what belongs behind *Details*, and what is missing.  ``--play`` plays them first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.reading.measure import ThreadReading, measure, states_of, thread_texts
from bench.reading.recording import RECORDED, RecordedRun, play_all, read_recordings, write_recording
from bench.reading.screens import screens
from demo.scenarios.scenarios import ALL, scenario

_MOST_WORDS, _MEDIAN_WORDS, _MOST_SCREENS = 250, 150, 2.5


def report(readings: Sequence[ThreadReading], *, heights: Mapping[str, float]) -> dict[str, Any]:
    """Return the figures of all threads, and which goals they meet; ``heights`` in screens, if measured."""
    words = [reading.words for reading in readings]
    found = {
        "threads": [
            {
                "scenario": one.scenario,
                "words": one.words,
                **one.model_dump(mode="json", exclude={"scenario"}),
            }
            for one in readings
        ],
        "most_words": max(words, default=0),
        "median_words": statistics.median(words) if words else 0,
        "repeated": sum(len(one.repeated) for one in readings),
        "details": sum(len(one.details) for one in readings),
        "false_ticks": sum(len(one.false_ticks) for one in readings),
        "missing": sum(len(one.missing) for one in readings),
        "screens": dict(heights),
        "most_screens": max(heights.values(), default=None),
    }
    return found | {
        "met": {
            "most_words": found["most_words"] <= _MOST_WORDS,
            "median_words": found["median_words"] <= _MEDIAN_WORDS,
            **({"most_screens": found["most_screens"] <= _MOST_SCREENS} if heights else {}),
            **{name: found[name] == 0 for name in ("repeated", "details", "false_ticks", "missing")},
        }
    }


async def _played(names: Sequence[str], folder: Path) -> list[RecordedRun]:
    chosen = ALL if "all" in names else tuple(scenario(name) for name in names)
    runs = []
    async for recorded in play_all(chosen):
        write_recording(folder, recorded)
        runs.append(recorded)
    return runs


def main() -> None:
    """Measure and print; the exit code is 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--folder", type=Path, default=RECORDED, help="where the recorded runs are")
    parser.add_argument(
        "--play", nargs="+", metavar="NAME", help="play and record these scenarios (or `all`) first"
    )
    parser.add_argument("--show", metavar="NAME", help="print the thread of one scenario as it is measured")
    parser.add_argument(
        "--screens",
        action="store_true",
        help="also measure the screens to the buttons, in Chromium at 420 px",
    )
    parser.add_argument(
        "--pictures", type=Path, help="with --screens: store pictures of the threads in this folder"
    )
    arguments = parser.parse_args()
    if arguments.play:
        runs = asyncio.run(_played(arguments.play, arguments.folder))
    else:
        runs = list(read_recordings(arguments.folder))
    if arguments.show:
        runs = [one for one in runs if one.scenario == arguments.show]
        for one in runs:
            _show(one)
    heights = asyncio.run(screens(runs, pictures=arguments.pictures)) if arguments.screens else {}
    found = report([measure(one) for one in runs], heights=heights)
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        _print_table(found)
    sys.exit(0 if runs and all(found["met"].values()) else 1)


def _show(recorded: RecordedRun) -> None:
    for run, now in states_of(recorded):
        print(f"--- {recorded.scenario}: {run.state} ---")
        print("\n\n".join(thread_texts(run, recorded, now=now)), end="\n\n")


def _print_table(found: dict[str, Any]) -> None:
    names = ("words_to_decide", "words_at_end", "messages")
    for one in found["threads"]:
        counts = "  ".join(f"{name} {one[name] if one[name] is not None else '-':>4}" for name in names)
        faults = "  ".join(
            f"{name} {len(one[name])}"
            for name in ("repeated", "details", "false_ticks", "missing")
            if one[name]
        )
        print(f"{one['scenario']:<24} {one['outcome']:<14} {counts}  {faults}")
    totals = ("most_words", "median_words", "most_screens", "repeated", "details", "false_ticks", "missing")
    print({name: found[name] for name in totals}, found["met"])


if __name__ == "__main__":
    main()
