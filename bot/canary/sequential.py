"""Folds looks at counters into evidence that can be written down and taken up again after a crash."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from typing import Literal

from pydantic import Field

from bot.canary.evidence import log_odds_harmless, log_odds_no_worse, log_odds_worse
from bot.domain.model import Model
from bot.domain.rollouts.judging import Attempt, CountsLook, RequestTally

_NOTHING = RequestTally()
_MOST_IN_A_LOOK = 100
_MOST_TIMES_USUAL = 10


class Sides(Model):
    """Counts of both sides over the same time."""

    canary: RequestTally = _NOTHING
    stable: RequestTally = _NOTHING

    @property
    def share(self) -> float:
        """The canary's part of the requests that were really served; 0 before there are any."""
        total = self.canary.requests + self.stable.requests
        return self.canary.requests / total if total else 0.0

    @property
    def errors(self) -> int:
        """Errors of both sides."""
        return self.canary.errors + self.stable.errors


class CountEvidence(Model):
    """The fold of all looks so far; small, and safe to keep in a journal.

    The evidence of closed steps is kept as logarithms of e-values, which add up.  Within a step the canary's
    share is that of the requests served, not the weight asked for: balancers round, and sessions stick.
    """

    ratio: float = Field(gt=1)
    """How many times as bad counts as harmful."""
    weight: float | None = None
    """Of the step that is open."""
    began_at_s: float | None = None
    at_s: float | None = None
    base: Sides = Sides()
    """The counters when the open step began."""
    step: Sides = Sides()
    """Counted in the open step."""
    closed: Sides = Sides()
    """Counted in all steps before."""
    closed_expected: float = 0.0
    """Errors of closed steps that would be the canary's if both erred alike."""
    closed_worse: float = 0.0
    closed_no_worse: float = 0.0

    @property
    def total(self) -> Sides:
        """Everything counted so far."""
        return _plus(self.closed, self.step)

    @property
    def log_worse(self) -> float:
        """Logarithm of the odds that the canary is worse, against equal."""
        step = self.step
        return self.closed_worse + log_odds_worse(step.canary.errors, step.stable.errors, share=step.share)

    @property
    def log_no_worse(self) -> float:
        """Logarithm of the odds that it is not worse, against ``ratio`` times as bad."""
        step = self.step
        return self.closed_no_worse + log_odds_no_worse(
            step.canary.errors, step.stable.errors, share=step.share, ratio=self.ratio
        )

    def log_harmless(self, *, below: float) -> float:
        """Return the logarithm of the odds that the canary's error share is less than ``below``."""
        canary = self.total.canary
        return log_odds_harmless(canary.requests, canary.errors, below=below)

    @property
    def expected_errors(self) -> float:
        """Errors that would be the canary's if both erred alike, each step by its own share."""
        return self.closed_expected + self.step.errors * self.step.share

    @property
    def more_than_its_share(self) -> bool:
        """Whether the canary has more of the errors than of the requests."""
        return self.total.canary.errors > self.expected_errors

    @property
    def lasted_s(self) -> float | None:
        """Seconds from the first look to the last."""
        return None if self.at_s is None or self.began_at_s is None else self.at_s - self.began_at_s


def observe(evidence: CountEvidence, look: CountsLook) -> CountEvidence:
    """Add one look.  The same look twice changes nothing; one from before is left out.

    The first look is the baseline of both sides: what the counters held then belongs to what ran before.  A
    new weight closes the step, and so does a counter that fell, because its process was started anew; what
    it counted between the last look and its end is lost.
    """
    now = Sides(canary=look.canary, stable=look.stable)
    if evidence.at_s is None:
        return evidence.model_copy(
            update={"weight": look.weight, "began_at_s": look.at_s, "at_s": look.at_s, "base": now}
        )
    if look.at_s < evidence.at_s:
        return evidence
    before = _plus(evidence.base, evidence.step)
    if _fell(now.canary, before.canary) or _fell(now.stable, before.stable):
        dt_s = look.at_s - evidence.at_s
        base = Sides(
            canary=_base_after(now.canary, before.canary, expected=dt_s * _pace(evidence, "canary")),
            stable=_base_after(now.stable, before.stable, expected=dt_s * _pace(evidence, "stable")),
        )
        evidence = _close(evidence, base=base)
    # What was counted up to the look that tells of a new weight was, but for one interval, under the old one.
    counted = evidence.model_copy(update={"at_s": look.at_s, "step": _minus(now, evidence.base)})
    if look.weight == counted.weight:
        return counted
    return _close(counted, base=now).model_copy(update={"weight": look.weight})


def history(looks: Iterable[CountsLook], *, ratio: float) -> tuple[CountEvidence, ...]:
    """Return the evidence after each look, in their order, beginning with none."""
    return tuple(accumulate(looks, observe, initial=CountEvidence(ratio=ratio)))


def fold(looks: Iterable[CountsLook], *, ratio: float) -> CountEvidence:
    """Fold all looks, in their order."""
    return history(looks, ratio=ratio)[-1]


def increase(before: RequestTally, now: RequestTally) -> RequestTally:
    """Return what a counter has counted since ``before``; one that fell began again at 0."""
    return now if _fell(now, before) else _sum(now, before, -1)


def distinct(attempts: Iterable[Attempt]) -> Sides:
    """Count each request once a side, however often it was tried; it failed if any of its tries did.

    Retries come in clusters, and would let one unlucky request count as many.
    """
    failed: dict[tuple[str, str], bool] = {}
    for attempt in attempts:
        key = (attempt.side, attempt.request_id)
        failed[key] = failed.get(key, False) or attempt.failed
    canary, stable = (
        [bad for (side, _), bad in failed.items() if side == wanted] for wanted in ("canary", "stable")
    )
    return Sides(
        canary=RequestTally(requests=len(canary), errors=sum(canary)),
        stable=RequestTally(requests=len(stable), errors=sum(stable)),
    )


def _close(evidence: CountEvidence, *, base: Sides) -> CountEvidence:
    return evidence.model_copy(
        update={
            "base": base,
            "step": Sides(),
            "closed": evidence.total,
            "closed_expected": evidence.expected_errors,
            "closed_worse": evidence.log_worse,
            "closed_no_worse": evidence.log_no_worse,
        }
    )


def _fell(now: RequestTally, before: RequestTally) -> bool:
    return now.requests < before.requests or now.errors < before.errors


def _pace(evidence: CountEvidence, side: Literal["canary", "stable"]) -> float:
    """Return the requests a second of one side so far; 0 where that is not known yet."""
    tally: RequestTally = getattr(evidence.total, side)
    return tally.requests / evidence.lasted_s if evidence.lasted_s else 0.0


def _base_after(now: RequestTally, before: RequestTally, *, expected: float) -> RequestTally:
    """Return where a side is counted on from, ``expected`` being its usual requests since the last look.

    A counter that fell began again at 0.  If it holds far more than can have come since, it is a sum of
    which only one part began again; the others hold old requests, and it is counted on from here.
    """
    if not _fell(now, before):
        return before
    return _NOTHING if now.requests <= _MOST_IN_A_LOOK + _MOST_TIMES_USUAL * expected else now


def _plus(one: Sides, other: Sides) -> Sides:
    return Sides(canary=_sum(one.canary, other.canary, 1), stable=_sum(one.stable, other.stable, 1))


def _minus(one: Sides, other: Sides) -> Sides:
    return Sides(canary=_sum(one.canary, other.canary, -1), stable=_sum(one.stable, other.stable, -1))


def _sum(one: RequestTally, other: RequestTally, sign: int) -> RequestTally:
    requests = one.requests + sign * other.requests
    # Two counters are not read at the same moment: an error may be seen before its request.
    return RequestTally(requests=requests, errors=min(requests, one.errors + sign * other.errors))
