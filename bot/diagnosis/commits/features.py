"""What speaks for a commit, in figures from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from bot.diagnosis.commits.case import ChangeCase, Commit, CommitRollout
from bot.diagnosis.commits.content import CommitContent, describe, rarity_of
from bot.diagnosis.commits.symptoms import Symptoms
from bot.domain.model import Instant, Model, Share

_FULL_S = 1800.0
_FADES_S = 7200.0
_LEAST_TIMING = 0.3
_PLACE_FIRST, _PLACE_UPSTREAM, _PLACE_FAILING, _PLACE_ELSEWHERE = 1.0, 0.8, 0.5, 0.0
_SHORTEST_SHA = 7


class CommitCandidate(CommitContent):
    """A commit that went live in time, with what speaks for it.

    ``timing``: how well its roll-out fits the onset; recency gains nothing within half an hour.  ``place``:
    whether it went live where the trouble began.
    """

    sha: str
    service: str
    at: Instant
    timing: Share
    place: Share

    @property
    def figures(self) -> Mapping[str, float]:
        """What the weights are multiplied with."""
        return {
            "hazard": self.hazard,
            "link": self.link,
            "hazard_and_link": self.hazard * self.link,
            "echo": self.echo,
            "fit": self.fit,
            "timing": self.timing,
            "place": self.place,
        }


class ExcludedCommit(Model):
    """A commit that cannot be the cause, and why."""

    sha: str
    why: str


def candidates(case: ChangeCase, symptoms: Symptoms) -> tuple[list[CommitCandidate], list[ExcludedCommit]]:
    """Describe each commit that was live before the onset; for the others, the reason against it."""
    rarity = rarity_of(case.commits)
    out, excluded = [], []
    for commit in sorted(case.commits, key=lambda c: (c.at, c.sha)):
        live = _live(case, commit, symptoms)
        if isinstance(live, str):
            excluded.append(ExcludedCommit(sha=commit.sha, why=live))
        else:
            out.append(candidate(commit, live, symptoms, rarity=rarity))
    return out, excluded


def candidate(
    commit: Commit, live: CommitRollout, symptoms: Symptoms, *, rarity: Mapping[str, float]
) -> CommitCandidate:
    """Describe a commit that went live; ``rarity`` weighs the words, see ``rarity_of``."""
    return CommitCandidate(
        **dict(describe(commit, symptoms, rarity=rarity)),
        sha=commit.sha,
        service=live.service,
        at=live.at,
        timing=timing(live.at, symptoms.onset),
        place=_place(live.service, symptoms),
    )


def timing(at: datetime, onset: datetime) -> float:
    """Return how well a roll-out fits an onset: 1 for half an hour, then ``exp(-(gap - 30 min) / 2 h)``.

    It is at least 0.3, also after the onset, as the real onset may be later than it seems.
    """
    gap_s = (onset - at).total_seconds()
    if gap_s < 0:
        return _LEAST_TIMING
    return max(_LEAST_TIMING, min(1.0, math.exp(-(gap_s - _FULL_S) / _FADES_S)))


def _live(case: ChangeCase, commit: Commit, symptoms: Symptoms) -> CommitRollout | str:
    """Return the roll-out of a commit nearest to the trouble, or why there is none."""
    rollouts = [rollout for rollout in case.rollouts if _same(rollout.sha, commit.sha)]
    if not rollouts:
        return "it was not rolled out"
    in_time = [r for r in rollouts if (r.at - symptoms.onset).total_seconds() <= symptoms.slack_s]
    if not in_time:
        return "it was rolled out after the trouble had begun"
    return max(in_time, key=lambda r: (_place(r.service, symptoms), -r.at.timestamp(), r.service))


def _same(one: str, other: str) -> bool:
    """Return whether two shas are the same, one of them perhaps cut short."""
    return one == other or (
        min(len(one), len(other)) >= _SHORTEST_SHA and (one.startswith(other) or other.startswith(one))
    )


def _place(service: str, symptoms: Symptoms) -> float:
    if service == symptoms.first:
        return _PLACE_FIRST
    if service in symptoms.upstream:
        return _PLACE_UPSTREAM
    return _PLACE_FAILING if service in symptoms.failing else _PLACE_ELSEWHERE
