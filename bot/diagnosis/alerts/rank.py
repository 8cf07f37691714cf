"""Ranks the instances of a case by what speaks for and against each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from pydantic import Field

from bot.diagnosis.alerts.board import AlertBoard, boards_of
from bot.diagnosis.alerts.case import AlertCase
from bot.diagnosis.alerts.terms import Term, terms_of
from bot.domain.model import JsonObject, Model

_WEIGHTS = "weights.json"
_DIGITS = 9
"""Sums of floats differ in their last digits by the order of adding; a tie is a tie all the same."""


class AlertWeights(Model):
    """How much each term counts; ``record`` describes how they were found."""

    record: JsonObject
    weights: Mapping[Term, float] = Field(min_length=1)


class RankedInstance(Model):
    """An instance with its score, in no unit, and what each term added to it or took from it."""

    instance: str
    score: float
    reasons: Mapping[Term, float]


@cache
def shipped_weights() -> AlertWeights:
    """Read the weights that ship."""
    return AlertWeights.model_validate_json(files(__package__).joinpath(_WEIGHTS).read_bytes())


def rank_alerts(
    case: AlertCase, *, earlier: Iterable[AlertCase] = (), weights: Mapping[Term, float] | None = None
) -> tuple[RankedInstance, ...]:
    """Rank every instance, the one most likely to blame first; equal ones in the order of their names.

    ``earlier`` are incidents of the same system, causes unknown: what was usual then is weak evidence now.
    Pure: neither the order of the alerts nor what the instances are called changes a score.
    """
    (board,) = boards_of((case,), earlier=earlier)
    return rank_board(board, weights=weights)


def rank_board(
    board: AlertBoard, *, weights: Mapping[Term, float] | None = None
) -> tuple[RankedInstance, ...]:
    """Rank the instances of a board; see ``rank_alerts``."""
    used = shipped_weights().weights if weights is None else weights
    blamed = [_blamed(node, row, used) for node, row in terms_of(board).items()]
    return tuple(sorted(blamed, key=lambda one: (-one.score, one.instance)))


def _blamed(node: str, row: Mapping[Term, float], weights: Mapping[Term, float]) -> RankedInstance:
    added = {term: row[term] * weight for term, weight in weights.items()}
    reasons = {t: round(v, _DIGITS) for t, v in sorted(added.items(), key=lambda item: -abs(item[1])) if v}
    return RankedInstance(
        instance=node, score=round(math.fsum(added.values()), _DIGITS) + 0.0, reasons=reasons
    )
