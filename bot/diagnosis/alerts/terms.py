"""What speaks for and against an instance: a few terms, each with a physical reason and a sign."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum

from bot.diagnosis.alerts.board import AlertBoard, CallEdge, mean, service_of, words_of
from bot.diagnosis.alerts.kinds import RESOURCES, AlertFamily, AlertKind


class Term(StrEnum):
    """A reason to blame an instance or to spare it; each is about 0 to 1."""

    RARE = "rare"
    """It has kinds of alerts that few others have, its own replicas included, and seldom has them."""
    RESOURCE = "resource"
    """It uses more processor, memory or threads, as few others do."""
    SLOW = "slow"
    """Its latency rose, as few others' did."""
    SILENT = "silent"
    """It sends or receives less."""
    LOG_RARE = "log_rare"
    """It logs what is unusual while few others do."""
    LOG_APART = "log_apart"
    """It logs more kinds of unusual lines than its replicas."""
    CALLED = "called"
    """Many callers find it slow."""
    CALLING = "calling"
    """Against: what it waits for are others."""
    NAMED = "named"
    """Others' slow operations bear its name: they wait for it, though it may not know."""
    TAKEN_OVER = "taken_over"
    """Its replicas get more requests, and it does not."""
    WITNESSES = "witnesses"
    """Metrics, logs and traces agree."""


_AGAINST = frozenset({Term.CALLING})
_RARE_SCALE, _NAMED_SCALE = 3.0, 3.0


def terms_of(board: AlertBoard) -> Mapping[str, Mapping[Term, float]]:
    """Weigh every instance of a case; terms against it are negative."""
    return {node: _signed(_row(board, node)) for node in board.nodes}


def _row(board: AlertBoard, node: str) -> dict[Term, float]:
    witnesses = {Term.WITNESSES: _witnesses(board, node)}
    return {**_metrics(board, node), **_logs(board, node), **_calls(board, node), **witnesses}


def _signed(row: Mapping[Term, float]) -> Mapping[Term, float]:
    return {term: -value if term in _AGAINST else value for term, value in row.items()}


def _metrics(board: AlertBoard, node: str) -> dict[Term, float]:
    special = board.special(node)
    resources = math.fsum(v for kind, v in special.items() if kind.up and kind.family in RESOURCES)
    return {
        # Roots, as the tenth alert adds less than the first: some instances are loud whatever is broken.
        Term.RARE: math.sqrt(board.hurting(node) / _RARE_SCALE),
        Term.RESOURCE: math.sqrt(resources),
        Term.SLOW: _most(special, AlertFamily.LATENCY, up=True),
        Term.SILENT: _most(special, AlertFamily.SENT, AlertFamily.RECEIVED, up=False),
        Term.TAKEN_OVER: _taken_over(board, node),
    }


def _most(special: Mapping[AlertKind, float], *families: AlertFamily, up: bool) -> float:
    return max((v for kind, v in special.items() if kind.family in families and kind.up is up), default=0.0)


def _taken_over(board: AlertBoard, node: str) -> float:
    return max(0.0, mean(_busier(board, other) for other in board.replicas[node]) - _busier(board, node))


def _busier(board: AlertBoard, node: str) -> float:
    return board.newest(node, (k for k in board.kinds[node] if k.family is AlertFamily.REQUESTS and k.up))


def _logs(board: AlertBoard, node: str) -> dict[Term, float]:
    lines = board.lines[node]
    logging = math.fsum(min(1.0, many) for many in board.lines.values())
    usual = mean(_loud(board.lines[other]) for other in board.replicas[node])
    return {
        Term.LOG_RARE: board.scarcity(max(1.0, logging)) * min(1.0, lines),
        Term.LOG_APART: math.sqrt(max(0.0, _loud(lines) - usual)),
    }


def _loud(lines: float) -> float:
    """Return how loud a log is, 0 to 1: one stack trace is many lines but one event."""
    return lines / (1.0 + lines)


def _calls(board: AlertBoard, node: str) -> dict[Term, float]:
    calls = board.weighed_calls
    between = [(call, weight) for call, weight in calls if not call.own]
    total = math.fsum(weight for _, weight in calls) or 1.0
    everyone = math.fsum(_by_caller(between).values()) or 1.0
    mine = _by_caller((call, weight) for call, weight in between if call.called == node)
    waiting = math.fsum(weight for call, weight in between if call.caller == node)
    name = words_of(service_of(node))
    named = math.fsum(w for call, w in calls if call.own and call.called != node and name <= call.words)
    return {
        Term.CALLED: math.fsum(mine.values()) / everyone,
        Term.CALLING: waiting / total,
        Term.NAMED: _NAMED_SCALE * named / total if name else 0.0,
    }


def _by_caller(calls: Iterable[tuple[CallEdge, float]]) -> Mapping[str, float]:
    """Count each caller once, by the newest of its calls."""
    newest: dict[str, float] = {}
    for call, weight in calls:
        newest[call.caller] = max(newest.get(call.caller, 0.0), weight)
    return newest


def _witnesses(board: AlertBoard, node: str) -> float:
    kinds = (
        bool(board.kinds[node]),
        bool(board.templates[node]),
        any(node in (call.caller, call.called) for call in board.calls),
    )
    return sum(kinds) / len(kinds)
