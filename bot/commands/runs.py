"""Shows and cancels runs with Redis alone: Slack may be down."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from bot.commands._archive import MOST, CommandStores, open_archive, resolve
from bot.domain.errors import BotError, NotFoundError
from bot.domain.formatting import duration
from bot.domain.intent import CancelRun
from bot.domain.people import Person
from bot.domain.runs.event import EVENT, Event
from bot.domain.runs.journal import export_line, problems_of
from bot.domain.runs.run import Run, fold
from bot.domain.runs.run_states import PhaseState, StepState
from bot.logs import redact
from bot.views.exports.timeline import Tone, timeline
from bot.views.exports.transcript import thread_text

NAME = "runs"
SUMMARY = "List, show, replay, cancel and export runs; needs Redis, not Slack."

_COLOURS: dict[Tone, str] = {"plain": "1", "good": "32", "bad": "31", "doubt": "33", "quiet": "2"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    parsers = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    listing = parsers.add_parser("list", help="list the latest runs, newest first")
    listing.add_argument(
        "--state", choices=("running", "waiting", "finished"), help="only runs in this state"
    )
    listing.add_argument("--service", metavar="NAME", help="only runs about this service")
    listing.add_argument("--limit", metavar="N", type=int, default=20, help="how many at most")
    _json(listing)
    show = parsers.add_parser("show", help="show one run's timeline")
    _run(show)
    show.add_argument("--events", action="store_true", help="print the journal itself, one event a line")
    _json(show)
    replay = parsers.add_parser(
        "replay", help="fold the journal again, check it and print the thread as shown; changes nothing"
    )
    _run(replay)
    cancel = parsers.add_parser("cancel", help="ask to cancel a run; the request is written into its journal")
    _run(cancel)
    cancel.add_argument("--by", metavar="NAME", required=True, help="who cancels it, for the record")
    cancel.add_argument("--why", metavar="TEXT", required=True, help="why, for the record")
    export = parsers.add_parser("export", help="write runs as JSON lines, each with its whole journal")
    export.add_argument("run_id", metavar="RUN", nargs="?", help="a run's id, or the beginning of it")
    export.add_argument("--all", action="store_true", help="every stored run")


def _run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN", help="a run's id, or the beginning of it")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


async def connected(args: argparse.Namespace) -> int:
    """Run one verb on the stores in Redis; return its exit code."""
    async with open_archive() as archive:
        return await VERBS[args.verb](archive, args)


def run(args: argparse.Namespace) -> int:
    """Run one verb; return 1 if a run has problems."""
    return asyncio.run(connected(args))


async def list_runs(archive: CommandStores, args: argparse.Namespace) -> int:
    """Print a table of the latest runs; report one that cannot be read on stderr."""
    rows: list[dict[str, object]] = []
    for run_id in await archive.journal.recent(limit=MOST):
        if len(rows) >= args.limit:
            break
        try:
            found = fold(run_id, await archive.journal.load(run_id))
        except NotFoundError:
            continue  # it has expired meanwhile
        except (BotError, ValueError) as error:
            print(f"{run_id}: {error}", file=sys.stderr)
            continue
        if args.state in (None, found.state) and args.service in (None, found.service):
            rows.append(_row(found, archive.now))
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        _print_table(rows)
    return 0


def _row(found: Run, now: datetime) -> dict[str, object]:
    until = found.finished_at or now
    return {
        "run": found.id,
        "runbook": found.runbook.name,
        "service": found.service,
        "state": found.state,
        "outcome": found.outcome or "",
        "since": found.started_at.isoformat(timespec="seconds"),
        "age_s": round((now - found.started_at).total_seconds(), 1),
        "took_s": round((until - found.started_at).total_seconds(), 1),
    }


def _print_table(rows: Sequence[dict[str, object]]) -> None:
    names = ("run", "runbook", "service", "state", "outcome", "since", "took")
    table = [[name.upper() for name in names]]
    for row in rows:
        told = {**row, "took": duration(float(str(row["took_s"])))}
        table.append([str(told[name]) for name in names])
    widths = [max(len(line[column]) for line in table) for column in range(len(names))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


async def show(archive: CommandStores, args: argparse.Namespace) -> int:
    """Print a run's timeline, its state or its events."""
    run_id = await resolve(archive.journal, args.run_id)
    events = await archive.journal.load(run_id)
    if args.events:
        for event in events:
            print(redact(EVENT.dump_json(event, by_alias=True).decode()))
        return 0
    found = fold(run_id, events)
    if args.json:
        print(redact(found.model_dump_json(indent=2, by_alias=True, exclude={"runbook", "vote_keys"})))
        return 0
    for line in timeline(events):
        print(_painted(line.tone, redact(f"{line.after_s:>9.3f} s  {line.text}")))
    doubtful = [f"{p.id}.{s.id} at epoch {s.intent_epoch}" for p, s in _steps(found) if s.in_doubt]
    for name in doubtful:
        print(_painted("doubt", f"in doubt: {name}; check its target before anything else"))
    print(f"\n{run_id} is {found.state}{f', {found.outcome}' if found.outcome else ''}.")
    return 0


def _steps(found: Run) -> list[tuple[PhaseState, StepState]]:
    return [(phase, step) for phase in found.phases.values() for step in phase.steps.values()]


def _painted(tone: Tone, text: str) -> str:
    """Colour a line for a terminal, with control characters removed."""
    plain = "".join(char if char.isprintable() else " " for char in text)
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return plain
    return f"\033[{_COLOURS[tone]}m{plain}\033[0m"


async def replay(archive: CommandStores, args: argparse.Namespace) -> int:
    """Fold a run again and print its current thread; nothing is written."""
    run_id = await resolve(archive.journal, args.run_id)
    events = await archive.journal.load(run_id)
    problems = list(problems_of(run_id, events))
    again = tuple(EVENT.validate_json(EVENT.dump_json(event, by_alias=True)) for event in events)
    found = fold(run_id, events)
    if fold(run_id, again) != found:
        problems.append("the stored journal folds to a different state than the events that were read")
    print(thread_text(found, found.finished_at or archive.now))
    print(f"\n{len(events)} events, {len(problems) or 'no'} problem{'' if len(problems) == 1 else 's'}.")
    for problem in problems:
        print(f"- {problem}")
    return 1 if problems else 0


async def cancel(archive: CommandStores, args: argparse.Namespace) -> int:
    """Ask to cancel a run, through the inbox as from Slack; a worker carries it out."""
    run_id = await resolve(archive.journal, args.run_id)
    if fold(run_id, await archive.journal.load(run_id)).state == "finished":
        raise NotFoundError(f"{run_id} has already ended, so it cannot be cancelled.")
    intent = CancelRun(
        key=f"cli:{run_id}:{secrets.token_hex(8)}",
        at=archive.now,
        run_id=run_id,
        by=Person(id=f"cli:{args.by}", name=args.by),
        channel="",
        why=args.why,
        via="cli",
    )
    await archive.inbox.put(intent)
    print(f"Asked to cancel {run_id}. A worker will carry it out; see: pilothouse runs show {run_id}")
    return 0


async def export(archive: CommandStores, args: argparse.Namespace) -> int:
    """Print runs as JSON lines, with whatever looks like a secret blanked."""
    if bool(args.run_id) == args.all:
        raise NotFoundError("Name a run, or add --all.", hint="pilothouse runs export --all")
    ids = (
        await archive.journal.recent(limit=MOST)
        if args.all
        else (await resolve(archive.journal, args.run_id),)
    )
    failed = 0
    for run_id in reversed(ids):
        try:
            events: tuple[Event, ...] = await archive.journal.load(run_id)
        except NotFoundError:
            continue  # it has expired meanwhile
        except (BotError, ValueError) as error:
            print(f"{run_id}: {error}", file=sys.stderr)
            failed = 1
            continue
        print(redact(export_line(run_id, events)))
    return failed


VERBS: dict[str, Callable[[CommandStores, argparse.Namespace], Awaitable[int]]] = {
    "list": list_runs,
    "show": show,
    "replay": replay,
    "cancel": cancel,
    "export": export,
}
