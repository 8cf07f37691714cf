"""Repeats a run's diagnosis from its recorded findings."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from bot.adapters.files.catalogue_file import load_catalogue
from bot.commands._archive import journal_of
from bot.domain.catalogue import Catalogue
from bot.domain.diagnoses.diagnosis import Diagnosis, ReducerResult
from bot.domain.errors import BotError
from bot.domain.model import JsonObject
from bot.engine.replay import RecordedReduction, again, as_text, difference, recorded
from bot.environment import environment
from bot.logs import redact
from bot.ranker_version import ranker_version
from bot.reducers import REDUCERS
from bot.settings import load_settings

NAME = "replay"
SUMMARY = "Repeat a run's diagnosis from its recorded findings; exits with 1 if the result differs."

_MOST_CAUSES = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "run_id", metavar="RUN", nargs="?", default="", help="a run's id, or the beginning of it"
    )
    parser.add_argument(
        "--file", metavar="FILE", type=Path, help="read the run from a file of `runs export`, not from Redis"
    )
    parser.add_argument(
        "--with-current",
        action="store_true",
        help="also show the result of the current ranker with the current catalogue",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print each diagnosis of a run and whether a repeat is the same, byte for byte."""
    run_id, events = asyncio.run(journal_of(args.run_id, file=args.file))
    catalogue = None
    if args.with_current:
        own = environment()
        catalogue = load_catalogue(load_settings(own).catalogue, own)
    ranker = ranker_version()
    replays = [_replayed(told, ranker=ranker, catalogue=catalogue) for told in recorded(run_id, events)]
    if args.json:
        print(redact(json.dumps({"run": run_id, "replays": replays}, ensure_ascii=False, indent=2)))
    else:
        for line in (line for replay in replays for line in _lines(run_id, replay)):
            print(redact(_plain(line)))
    return 0 if all(replay["same"] for replay in replays) else 1


def _replayed(told: RecordedReduction, *, ranker: str, catalogue: Catalogue | None) -> JsonObject:
    found = again(told, REDUCERS)
    differs = difference(told, found)
    return {
        "phase": told.phase.id,
        "same": not differs,
        "bytes": len(as_text(told.output).encode()),
        "ranker": told.ranker,
        "ranker_today": ranker,
        "difference": list(differs),
        "recorded": told.output,
        "current": None if catalogue is None else _current(told, catalogue),
    }


def _current(told: RecordedReduction, catalogue: Catalogue) -> JsonObject:
    """Return the current diagnosis of the same findings; the current catalogue may lack the service."""
    try:
        return again(told, REDUCERS, catalogue=catalogue).model_dump(mode="json")
    except BotError as error:
        return {"type": "judgement", "verdict": "unknown", "summary": str(error), "details": []}


def _lines(run_id: str, replay: JsonObject) -> list[str]:
    where = f"{run_id}, {replay['phase']}"
    if replay["same"]:
        lines = [f"{where}: identical, {replay['bytes']} bytes."]
    else:
        lines = [f"{where}: the result differs."]
    if replay["ranker"] != replay["ranker_today"]:
        then = replay["ranker"] or "unnamed"
        lines.append(f"The ranker has changed since: {then} then, {replay['ranker_today']} now.")
    difference = replay["difference"]
    lines += [str(line) for line in difference] if isinstance(difference, list) else []
    if replay["current"] is not None:
        lines += [
            "",
            *_told("As recorded", replay["recorded"]),
            "",
            *_told("With the current ranker and catalogue", replay["current"]),
        ]
    return lines


def _plain(line: str) -> str:
    """Remove what would control a terminal."""
    return "".join(char if char.isprintable() else " " for char in line)


def _told(title: str, output: object) -> list[str]:
    if isinstance(output, dict) and output.get("type") == "diagnosis":
        diagnosis = Diagnosis.model_validate(output)
        causes = [
            f"  {cause.confidence:.2f}  {cause.kind.value} of {cause.service}: {cause.summary}"
            for cause in diagnosis.causes[:_MOST_CAUSES]
        ]
        return [f"{title}: {diagnosis.verdict.replace('_', ' ')}", *causes]
    judgement = ReducerResult.model_validate(output)
    return [f"{title}: {judgement.verdict}. {judgement.summary}"]
