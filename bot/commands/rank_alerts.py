"""Ranks which instance is to blame for the alerts of an incident."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
import zlib
from pathlib import Path

from bot.diagnosis.alerts.board import boards_of
from bot.diagnosis.alerts.case import AlertsInvalidError, read_cases
from bot.diagnosis.alerts.rank import RankedInstance, rank_board

NAME = "rank-alerts"
SUMMARY = "Rank which instance is to blame for the alerts in a JSON file, or on standard input."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("case", nargs="?", default="-", help="a file, gzipped or not; - is standard input")
    parser.add_argument(
        "--history", metavar="FILE", help="earlier incidents of the same system, in the same form"
    )
    parser.add_argument("--alone", action="store_true", help="judge each case of a list without the others")
    parser.add_argument("--why", action="store_true", help="print scores and reasons, not only names")


def run(args: argparse.Namespace) -> int:
    """Print one line of JSON a case: the instances, most likely first."""
    cases = read_cases(_content(args.case))
    earlier = read_cases(_content(args.history)) if args.history else ()
    groups = [(case,) for case in cases] if args.alone else [cases]
    for board in (board for group in groups for board in boards_of(group, earlier=earlier)):
        ranked = rank_board(board)
        answer = [_explained(one) for one in ranked] if args.why else [one.instance for one in ranked]
        print(json.dumps(answer, allow_nan=False))
    return 0


def _explained(one: RankedInstance) -> dict[str, object]:
    return {
        "instance": one.instance,
        "score": round(one.score, 4),
        "reasons": {term.value: round(value, 4) for term, value in one.reasons.items()},
    }


def _content(path: str) -> bytes:
    """Return the file's bytes, unpacked.

    Raises:
        AlertsInvalidError: it cannot be read or unpacked.
    """
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw
    except (OSError, EOFError, zlib.error) as error:
        raise AlertsInvalidError(f"{path} cannot be read: {error}.") from error
