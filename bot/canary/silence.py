"""Finds out whether a canary is still asked: requests of before prove nothing about now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.canary.sequential import CountEvidence
from bot.domain.formatting import duration, figure

_LEAST_EXPECTED = 20
"""Where fewer requests would be the canary's, none at all may be chance."""
_TOO_FEW = 0.2
"""Of its requests; sessions that stick and weights that are rounded cost it less."""


@dataclass(frozen=True)
class _Window:
    """What was counted since some look at the present weight."""

    lasted_s: float
    canary: int
    every: int
    expected: float
    """Requests that would be the canary's at its share, if there were as many in all as before."""
    share: float


def silence(looks: Sequence[CountEvidence]) -> str:
    """Return why the canary's requests are not evidence about now; empty where they are.

    ``looks`` is the evidence after each look.  Over every window that ends now and lies within the present
    weight, the canary must have answered at least a fifth of what its share promises: of the requests of both
    sides, and of as many as there were before the window.
    """
    now = looks[-1]
    if not now.total.canary.requests:
        return ""
    windows = [_window(looks[start], now) for start in range(_present_weight(looks), len(looks) - 1)]
    quiet = [window for window in windows if is_quiet(window.canary, window.expected)]
    return _words(min(quiet, key=lambda one: (one.canary / one.expected, -one.lasted_s))) if quiet else ""


def unproved_weight(looks: Sequence[CountEvidence]) -> str:
    """Return that the canary has answered nothing at its present weight yet; empty where it has."""
    now, then = looks[-1], looks[_present_weight(looks)]
    if now.total.canary.requests > then.total.canary.requests:
        return ""
    share = "" if now.weight is None else f" of {figure(now.weight, 'ratio')}"
    return f"the canary has answered no request at its present share{share} yet"


def _present_weight(looks: Sequence[CountEvidence]) -> int:
    """Return the index of the look at which the present weight was first seen."""
    since = len(looks) - 1
    while since and looks[since - 1].at_s is not None and looks[since - 1].weight == looks[since].weight:
        since -= 1
    return since


def _window(then: CountEvidence, now: CountEvidence) -> _Window:
    lasted_s = (now.at_s or 0.0) - (then.at_s or 0.0)
    canary = now.total.canary.requests - then.total.canary.requests
    every = canary + now.total.stable.requests - then.total.stable.requests
    before = then.total.canary.requests + then.total.stable.requests
    share = now.weight or (then.total.canary.requests / before if before else 0.0)
    usual = before * lasted_s / then.lasted_s if then.lasted_s else 0.0
    by_share = share * every
    expected = by_share if is_quiet(canary, by_share) else share * max(every, usual)
    return _Window(lasted_s, canary, every, expected, share)


def is_quiet(canary: int, expected: float) -> bool:
    """Return whether so few requests came that chance does not explain it."""
    return expected >= _LEAST_EXPECTED and canary < expected * _TOO_FEW


def _words(window: _Window) -> str:
    lasted, expected = duration(window.lasted_s), f"{window.expected:,.0f}"
    count = f"{window.canary:,}" if window.canary else "none"
    if not window.every:
        return (
            f"no request was counted on either side in the last {lasted}, where about {expected} were to be "
            "expected on the canary: the traffic has dried up, or the counters are dead"
        )
    return (
        f"the canary answered {count} of {window.every:,} requests in the last {lasted}, "
        f"where about {expected} were its share of {figure(window.share, 'ratio')}: it may hang, be out of "
        "the balancer, or its counters may be dead"
    )
