"""What speaks for and against an instance: a few terms, each with a physical reason and a sign."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import StrEnum

from bot.analysis.alerts.board import Board, service_of, share, words_of
from bot.analysis.alerts.kinds import RESOURCES, Family, Kind


class Term(StrEnum):
    """A reason to blame an instance or to spare it; each is about 0 to 1."""

    RARE = "rare"
    """It has kinds of alerts that few others have, its own replicas included."""
    RESOURCE = "resource"
    """It uses more of its machine, as few others do."""
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
    BUSIER = "busier"
    """Against: it gets more requests itself, so that it works at all."""
    WITNESSES = "witnesses"
    """Metrics, logs and traces agree."""


_AGAINST = frozenset({Term.CALLING, Term.BUSIER})
_RARE_SCALE, _LOG_SCALE, _NAMED_SCALE = 3.0, 3.0, 3.0


def terms_of(board: Board) -> Mapping[str, Mapping[Term, float]]:
    """Weigh every instance of a case; terms against it are negative."""
    return {node: _signed(_row(board, node)) for node in board.nodes}


def _row(board: Board, node: str) -> dict[Term, float]:
    witnesses = {Term.WITNESSES: _witnesses(board, node)}
    return {**_metrics(board, node), **_logs(board, node), **_calls(board, node), **witnesses}


def _signed(row: Mapping[Term, float]) -> Mapping[Term, float]:
    return {term: -value if term in _AGAINST else value for term, value in row.items()}


def _metrics(board: Board, node: str) -> dict[Term, float]:
    special = {kind: board.rarity(kind) * board.apart(node, kind) for kind in board.kinds[node]}
    return {
        Term.RARE: sum(special.values()) / _RARE_SCALE,
        Term.RESOURCE: sum(v for kind, v in special.items() if kind.up and kind.family in RESOURCES),
        Term.SLOW: _most(special, Family.LATENCY, up=True),
        Term.SILENT: _most(special, Family.SENT, Family.RECEIVED, up=False),
        Term.BUSIER: _most(special, Family.REQUESTS, up=True),
        Term.TAKEN_OVER: _taken_over(board, node),
    }


def _most(special: Mapping[Kind, float], *families: Family, up: bool) -> float:
    return max((v for kind, v in special.items() if kind.family in families and kind.up is up), default=0.0)


def _taken_over(board: Board, node: str) -> float:
    if _busier(board, node):
        return 0.0
    return share(_busier(board, other) for other in board.replicas[node])


def _busier(board: Board, node: str) -> bool:
    return any(kind.family is Family.REQUESTS and kind.up for kind in board.kinds[node])


def _logs(board: Board, node: str) -> dict[Term, float]:
    logging = sum(bool(templates) for templates in board.templates.values())
    mine = math.log1p(len(board.templates[node]))
    others = [math.log1p(len(board.templates[other])) for other in board.replicas[node]]
    usual = sum(others) / len(others) if others else 0.0
    return {
        Term.LOG_RARE: board.scarcity(logging) if board.templates[node] else 0.0,
        Term.LOG_APART: (mine - usual) / _LOG_SCALE,
    }


def _calls(board: Board, node: str) -> dict[Term, float]:
    calls = board.calls
    between = [call for call in calls if not call.own]
    callers = {call.caller for call in between}
    total = max(1, len(calls))
    name = words_of(service_of(node))
    named = sum(call.own and call.called != node and name <= call.words for call in calls)
    return {
        Term.CALLED: len({call.caller for call in between if call.called == node}) / max(1, len(callers)),
        Term.CALLING: sum(call.caller == node for call in between) / total,
        Term.NAMED: _NAMED_SCALE * named / total if name else 0.0,
    }


def _witnesses(board: Board, node: str) -> float:
    kinds = (
        bool(board.kinds[node]),
        bool(board.templates[node]),
        any(node in (call.caller, call.called) for call in board.calls),
    )
    return sum(kinds) / len(kinds)
