"""Reads a recorded case from a folder: ``case.json`` and gzipped CSV files beside it."""

from __future__ import annotations

import csv
import gzip
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bot.diagnosis.offline.case import CaseLogLine, Column, SpanBucket, Telemetry
from bot.domain.documentation import DOCS
from bot.domain.errors import UsageError


class CaseUnreadableError(UsageError):
    """A folder holds no case, or one that does not follow the format."""

    reason = "case_unreadable"
    default_hint = f"{DOCS}/reference/rank.md has the format."


def read_case(folder: Path) -> Telemetry:
    """Read every file of a case that exists; only ``case.json`` and the metrics are required.

    Raises:
        CaseUnreadableError: a file is missing, is cut off, or does not follow the format.
    """
    if not folder.is_dir():
        raise CaseUnreadableError(f"The folder {folder} does not exist.")
    try:
        return _read(folder)
    except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise CaseUnreadableError(f"{folder} cannot be read as a case: {error!r}.") from error


def _read(folder: Path) -> Telemetry:
    about = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    header, table = _table(folder / "metrics.csv.gz")
    place = {name: index for index, name in enumerate(header)}
    known = [each for each in about["columns"] if each["column"] in place]
    alert = about.get("alert") or {}
    order = np.argsort(table[:, place["time"]], kind="stable")
    table = table[order]
    return Telemetry(
        times_s=table[:, place["time"]],
        columns=tuple(Column(service=each["service"], metric=each["metric"]) for each in known),
        values=table[:, [place[each["column"]] for each in known]],
        calls=tuple((str(a), str(b)) for a, b in (about.get("topology") or {}).get("edges", ())),
        alerting=str(alert.get("service") or ""),
        spans=tuple(_spans(folder / "spans.csv.gz")),
        lines=tuple(_lines(folder / "logs.csv.gz")),
    )


def _table(path: Path) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float64]]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        body = [[float(cell) if cell else math.nan for cell in row] for row in rows if row]
    table = np.array(body, dtype=np.float64).reshape(len(body), len(header))
    table[np.isinf(table)] = math.nan  # a division by zero is not a measurement
    return header, table


def _records(path: Path) -> Iterator[Mapping[str, str]]:
    if path.exists():
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)


def _spans(path: Path) -> Iterator[SpanBucket]:
    for row in _records(path):
        yield SpanBucket(
            time_s=float(row["time"]),
            service=row["service"],
            operation=row["operation"],
            parent=row["parent_service"],
            count=int(row["n"]),
            p50_ms=float(row["p50_ms"]),
            lag_start_ms=_number(row["lag_start_p50_ms"]),
            lag_end_ms=_number(row["lag_end_p50_ms"]),
        )


def _number(cell: str) -> float | None:
    return float(cell) if cell else None


def _lines(path: Path) -> Iterator[CaseLogLine]:
    for row in _records(path):
        yield CaseLogLine(
            time_s=float(row["time_ms"]) / 1000,
            service=row["service"],
            level=row["level"].upper(),
            message=row["message"],
        )
