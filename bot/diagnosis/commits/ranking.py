"""Chooses between the commits of an incident and *none of them*."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.diagnosis.commits.case import NONE, ChangeCase
from bot.diagnosis.commits.features import CommitCandidate, ExcludedCommit, candidates
from bot.diagnosis.commits.outside import ExternalSign, outside
from bot.diagnosis.commits.symptoms import read
from bot.diagnosis.commits.weights import CommitWeights, shipped
from bot.domain.model import Instant, Model, Share

_AHEAD = 1.2


class RankedCommit(Model):
    """A commit with its probability and what speaks for it."""

    probability: Share
    candidate: CommitCandidate


class CommitBlame(Model):
    """The answer: ``commit`` is ``none`` where no commit is likely enough; ``confidence`` is of that answer.

    ``service`` is where the trouble begins.  ``ranked`` holds all that were possible, likeliest first.
    """

    commit: str
    service: str
    confidence: Share
    onset: Instant
    none: Share
    ranked: tuple[RankedCommit, ...]
    excluded: tuple[ExcludedCommit, ...]
    outside: tuple[ExternalSign, ...]


def blame(case: ChangeCase, *, weights: CommitWeights | None = None) -> CommitBlame:
    """Name the commit that is to blame, or ``none``."""
    weights = weights or shipped()
    symptoms = read(case)
    possible, excluded = candidates(case, symptoms)
    signs = outside(case, symptoms)
    ranked, none = choose(possible, signs, weights=weights)
    named = stands_out(ranked, at_least=max(weights.threshold, none))
    return CommitBlame(
        commit=ranked[0].candidate.sha if named else NONE,
        service=ranked[0].candidate.service if named else symptoms.first,
        confidence=ranked[0].probability if named else none,
        onset=symptoms.onset,
        none=none,
        ranked=ranked,
        excluded=tuple(excluded),
        outside=tuple(signs),
    )


def choose(
    possible: Sequence[CommitCandidate], signs: Sequence[ExternalSign], *, weights: CommitWeights
) -> tuple[tuple[RankedCommit, ...], float]:
    """Share a probability of 1 between the possible commits, likeliest first, and *none of them*.

    A conditional logit (McFadden 1974): ``exp(utility)`` over the sum of all.  Ties break by the figures
    alone, then by the sha.
    """
    utilities = [utility(candidate, weights) for candidate in possible]
    chances = probabilities([*utilities, utility_of_none(signs, weights)])
    ranked = sorted(
        (RankedCommit(probability=p, candidate=c) for p, c in zip(chances, possible, strict=False)),
        key=lambda r: (-r.probability, r.candidate.sha),
    )
    return tuple(ranked), chances[-1]


def stands_out(ranked: Sequence[RankedCommit], *, at_least: float) -> bool:
    """Return whether the first is likely enough and not as good as tied with the second."""
    first, second = [*(one.probability for one in ranked), 0.0, 0.0][:2]
    return bool(ranked) and first >= at_least and first >= _AHEAD * second


def utility(candidate: CommitCandidate, weights: CommitWeights) -> float:
    """Weigh what speaks for a commit."""
    return sum(weights.candidate[name] * value for name, value in candidate.figures.items())


def utility_of_none(signs: Sequence[ExternalSign], weights: CommitWeights) -> float:
    """Weigh what speaks for an outside cause; without any sign, that commits are seldom to blame."""
    return weights.none["bias"] + weights.none["outside"] * outsideness(signs)


def outsideness(signs: Sequence[ExternalSign]) -> float:
    """Combine the signs as independent hints, 0 to 1."""
    return 1.0 - math.prod(1.0 - sign.strength for sign in signs)


def probabilities(utilities: list[float]) -> list[float]:
    """Turn utilities into probabilities that add up to 1."""
    top = max(utilities)
    powers = [math.exp(value - top) for value in utilities]
    return [power / sum(powers) for power in powers]
